//! Runs that cannot start: status 2 and a message with a remedy.

use pando_testing::{PandoCommand, make_pipe, until};
use std::{fs, net::TcpListener, os::unix::fs::PermissionsExt};

const ECHO: &str = "(x, cb) => cb(null, x)";
const ECHO_MODULE: &str = "module.exports = (x, cb) => cb(null, x)";

#[test]
fn a_port_asked_for_that_is_taken() {
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let run = PandoCommand::f(ECHO).args(["--port", &port]).stdin("1\n").run();
    run.ends(2, "").said(&["error: ", &port, "--port"]).did_not_say(&["Serving"]);
}

#[test]
fn an_address_that_this_machine_does_not_have() {
    let run = PandoCommand::f(ECHO).args(["--bind", "203.0.113.7"]).stdin("1\n").run();
    run.ends(2, "").said(&["203.0.113.7", "--bind"]).did_not_say(&["Serving"]);
}

/// A folder for PATH, with a `node` of this version if one is given.
fn path_with_node(version: Option<&str>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    if let Some(version) = version {
        let node = folder.path().join("node");
        fs::write(&node, format!("#!/bin/sh\necho {version}\n")).unwrap();
        fs::set_permissions(&node, PermissionsExt::from_mode(0o755)).unwrap();
    }
    folder
}

#[test]
fn local_without_node() {
    let path = path_with_node(None);
    let run = PandoCommand::f(ECHO).local().env("PATH", path.path()).stdin("1\n").run();
    run.gives("1\n").said(&["Node.js was not found", "QuickJS", "Node.js 20"]);
}

#[test]
fn local_with_an_old_node() {
    let path = path_with_node(Some("v18.19.0"));
    let run = PandoCommand::f(ECHO).local().env("PATH", path.path()).stdin("1\n").run();
    run.gives("1\n").said(&["18.19.0 is too old", "QuickJS"]);
}

#[test]
fn without_node_the_engine_of_this_program_computes_and_tabs_are_served() {
    let path = path_with_node(None);
    let mut run = PandoCommand::f(ECHO).env("PATH", path.path()).stdin_open().start();
    run.says("Node.js was not found");
    assert_eq!(pando_testing::get(&run.url()).status, 200);
    run.write_line("1");
    run.close_stdin();
    run.wait().gives("1\n");
}

#[test]
fn without_node_nothing_is_said_of_it_when_no_core_is_to_be_lent() {
    let path = path_with_node(None);
    let run = PandoCommand::f(ECHO).args(["--cores", "0"]).env("PATH", path.path()).start();
    run.wait().gives("").did_not_say(&["Node"]);
}

#[test]
fn options_that_do_not_exist_or_make_no_sense() {
    let wrong: &[&[&str]] = &[
        &["--no-such-option"],
        &["--port", "70000"],
        &["--port", "many"],
        &["--bind", "nowhere"],
        &["--cores", "-1"],
        &["--concurrency", "0"],
        &["--window", "0"],
        &["--batch-size", "0"],
        &["--batch-size", "some"],
        &["--timeout", "soon"],
        &["--confirm", ""],
        &["--on-finish", " "],
        &["--timeout", "0"],
        &["--timeout=-1s"],
        &["--retries", "-1"],
        &["--heartbeat", "0"],
        &["--token", "a/b"],
        &["--token", ""],
        &["--qr", "sometimes"],
        &["--local", "--port", "1"],
        &["--local", "--dom"],
        &["--token", "abcdef", "--open-access"],
        &["--start-idle", "--cores", "2"],
    ];
    for args in wrong {
        let run = PandoCommand::f(ECHO).args(*args).stdin("1\n").run();
        run.ends(2, "");
        let option = args[0].split('=').next().expect("an option");
        assert!(run.stderr.contains(option), "{args:?}: {}", run.stderr);
    }
}

#[test]
fn only_this_machine_s_cores_and_none_of_them_is_a_contradiction() {
    PandoCommand::f(ECHO)
        .local()
        .args(["--cores", "0"])
        .stdin("1\n")
        .run()
        .ends(2, "")
        .said(&["--cores 0"])
        .did_not_say(&["Node.js"]);
}

#[test]
fn standard_input_and_items_at_once() {
    PandoCommand::f(ECHO).args(["--stdin", "1", "2"]).run().ends(2, "").said(&["--stdin"]);
}

#[test]
fn a_terminal_without_items_is_a_usage_error() {
    // `script` provides a terminal. The status file holds the status of pando.
    let pando = PandoCommand::f(ECHO);
    let command = pando.command();
    let line: Vec<String> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|arg| format!("'{}'", arg.display()))
        .collect();
    let status = pando.folder().join("status");
    let mut script = std::process::Command::new("script");
    script
        .args(["-qec", &format!("{} 2>said; echo $? >status", line.join(" ")), "/dev/null"])
        .current_dir(pando.folder());
    if script.output().is_err() {
        eprintln!("script is not installed: not tried");
        return;
    }
    let status =
        until("its status", || fs::read_to_string(&status).ok().filter(|text| !text.is_empty()));
    let said = fs::read_to_string(pando.folder().join("said")).unwrap();
    assert_eq!(status, "2\n", "{said}");
    assert!(said.contains("--stdin"), "{said}");
}

/// Runs a job in which two options name the same file: refused with status 2, and the file stays
/// unchanged.
#[track_caller]
fn one_file(job: PandoCommand, one: &str, other: &str) {
    let run = job.run();
    run.ends(2, "").said(&[&format!(
        "error: {one} and {other} name one file, which cannot be both: give each its own"
    )]);
}

#[test]
fn what_a_run_writes_is_nothing_else_that_it_uses() {
    let job = || PandoCommand::f(ECHO).local().with_file("input", "1\n2\n").with_file("empty", "");
    let journal = |pando: PandoCommand| pando.args(["--journal", "J"]);
    one_file(journal(job()).redirected("> J"), "standard output", "--journal");
    one_file(journal(job()).redirected(">> ./J"), "standard output", "--journal");
    journal(job()).redirected("2> J < input").run().ends(2, "");
    one_file(
        job().args(["--journal", "empty"]).redirected("< empty"),
        "standard input",
        "--journal",
    );
    one_file(
        job().args(["--events", "out"]).redirected("> out < input"),
        "standard output",
        "--events",
    );
    one_file(
        job().args(["--events", "/dev/stdout"]).redirected("< input"),
        "standard output",
        "--events",
    );
    one_file(job().args(["--events", "input"]).redirected("< input"), "standard input", "--events");
    one_file(job().args(["--events", "f.js", "1"]), "--events", "the function");
    one_file(job().args(["--journal", "f.js", "1"]), "--journal", "the function");
    one_file(job().args(["1"]).redirected(">> f.js"), "standard output", "the function");
    one_file(job().redirected("< input >> input"), "standard input", "standard output");
    one_file(job().redirected("<> input >&0"), "standard input", "standard output");
    let tls = || {
        PandoCommand::f(ECHO).with_file("cert", "").with_file("key", "").args([
            "--tls-cert",
            "cert",
            "--tls-key",
            "key",
            "1",
        ])
    };
    one_file(tls().args(["--journal", "key"]), "--journal", "--tls-key");
    one_file(tls().args(["--events", "cert"]), "--events", "--tls-cert");
}

/// What the end of a run would write over stays as it is, whatever it is; what an earlier run wrote
/// is replaced.
#[test]
fn a_run_writes_over_no_file_of_others() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let files = [
        ("f.js", "module.exports = require('./helper.js')"),
        ("helper.js", ECHO_MODULE),
        ("package.json", "{}"),
        ("a.txt", "a"),
        ("data.json", "{\"status\": 1}"),
    ];
    files.iter().for_each(|(name, text)| fs::write(at(name), text).unwrap());
    for option in ["--report", "--summary", "--events"] {
        for (name, text) in &files[1..] {
            let run = PandoCommand::path(at("f.js")).local().args(["1"]).args([option]);
            run.args([at(name)]).run().ends(2, "").said(&[option, name, "would be lost"]);
            assert_eq!(fs::read_to_string(at(name)).unwrap(), *text, "{option} {name}");
        }
        let run = || PandoCommand::path(at("f.js")).local().args([option]).args([at("own")]);
        fs::write(at("own"), "").unwrap();
        run().args(["1"]).run().gives("1\n");
        let first = fs::read_to_string(at("own")).unwrap();
        run().args(["2"]).run().gives("2\n");
        assert_ne!(fs::read_to_string(at("own")).unwrap(), first, "{option}");
    }
}

/// A pipe without a reader would hold up the end of the run for ever.
#[test]
fn a_named_pipe_is_no_place_for_a_file_that_is_written_at_the_end() {
    for option in ["--report", "--summary", "--only-failed"] {
        let job = PandoCommand::f(ECHO).local();
        make_pipe(&job.folder().join("pipe"));
        job.args([option, "pipe"]).run().ends(2, "").said(&[option, "pipe", "this is a pipe"]);
    }
}

#[test]
fn links_do_not_hide_that_two_names_are_one_file() {
    use std::os::unix::fs::symlink;
    for dangling in [false, true] {
        let job = || {
            let job = PandoCommand::f(ECHO).local().args(["1"]);
            if !dangling {
                fs::write(job.folder().join("file"), "").unwrap();
            }
            symlink("file", job.folder().join("link")).unwrap();
            symlink(job.folder().join("link"), job.folder().join("link-to-link")).unwrap();
            job
        };
        one_file(
            job().args(["--journal", "link-to-link", "--events", "file"]),
            "--journal",
            "--events",
        );
        one_file(job().args(["--journal", "file", "--events", "./link"]), "--journal", "--events");
        one_file(
            job().args(["--journal", "link"]).redirected("> file"),
            "standard output",
            "--journal",
        );
        one_file(
            job().args(["--events", "link-to-link"]).redirected(">> link"),
            "standard output",
            "--events",
        );
    }
    let hard = PandoCommand::f(ECHO)
        .local()
        .args(["--journal", "one", "--events", "other", "1"])
        .with_file("one", "");
    fs::hard_link(hard.folder().join("one"), hard.folder().join("other")).unwrap();
    one_file(hard, "--journal", "--events");
}

#[test]
fn devices_and_pipes_may_be_several_things_at_once() {
    let job = || PandoCommand::f(ECHO).local().args(["-q", "1"]);
    job().args(["--events", "/dev/null"]).redirected("> /dev/null < /dev/null").run().status(0);
    job().redirected("> out 2>&1").run().status(0);
    job().redirected("2>&1").run().gives("1\n");
    job().args(["--journal", "/dev/null"]).run().ends(2, "").said(&["this is not a file"]);
}

#[test]
fn a_function_without_end_is_refused_in_words() {
    let of = |name: &str| PandoCommand::path(name).local().args(["1"]);
    of("/dev/zero").run().ends(2, "").said(&["error: /dev/zero: this is a device, not a file"]);
    let pipe = of("pipe.js");
    make_pipe(&pipe.folder().join("pipe.js"));
    pipe.run().ends(2, "").said(&["pipe.js: this is a pipe, not a file"]);
    let long = of("long.js").with_file("long.js", "");
    fs::File::options()
        .write(true)
        .open(long.folder().join("long.js"))
        .unwrap()
        .set_len(1 << 40)
        .unwrap();
    long.run().ends(2, "").said(&["long.js: it has 1099511627776 bytes"]);
    let tls = |cert: &str| PandoCommand::f(ECHO).args(["--tls-cert", cert, "--tls-key", cert, "1"]);
    tls("/dev/zero").run().ends(2, "").said(&["--tls-cert /dev/zero", "this is a device"]);
}

#[test]
fn nothing_that_is_named_steers_the_terminal() {
    let evil = "a\u{1b}[31m\u{9b}2J\rb\u{202e}c";
    let jobs = [
        PandoCommand::bare().function(evil).local().args(["1"]),
        PandoCommand::f(ECHO).local().args([&format!("--{evil}")]),
        PandoCommand::f(ECHO).args(["--port", evil]),
        PandoCommand::f(ECHO).local().args(["--journal", &format!("{evil}/none"), "1"]),
        PandoCommand::f(ECHO).local().args(["--events", &format!("{evil}/none"), "1"]),
        PandoCommand::f(ECHO).local().args([
            "--files",
            "--output-dir",
            "out",
            &format!("../{evil}"),
        ]),
        PandoCommand::f(ECHO).local().args(["--files", evil]),
        PandoCommand::f(ECHO).local().args(["--tls-cert", evil, "--tls-key", evil, "1"]),
        PandoCommand::bare().on_the_default_port().args(["relay", evil]),
    ];
    for job in jobs {
        let run = job.run();
        assert!(run.status != Some(0) && !run.stderr.is_empty());
        let steers = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
        assert!(!run.stderr.contains(steers), "{:?}", run.stderr);
    }
}
