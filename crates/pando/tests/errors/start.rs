//! Runs that cannot start: status 2, and what to do.

use crate::common::{Pando, until};
use std::{fs, net::TcpListener, os::unix::fs::PermissionsExt};

const ECHO: &str = "(x, cb) => cb(null, x)";

#[test]
fn a_port_asked_for_that_is_taken() {
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let run = Pando::f(ECHO).args(["--port", &port]).stdin("1\n").run();
    run.ends(2, "").said(&["error: ", &port, "--port"]).did_not_say(&["Serving"]);
}

#[test]
fn an_address_that_this_machine_does_not_have() {
    let run = Pando::f(ECHO).args(["--bind", "203.0.113.7"]).stdin("1\n").run();
    run.ends(2, "").said(&["203.0.113.7", "--bind"]).did_not_say(&["Serving"]);
}

/// A folder for PATH, with a `node` of this version if any.
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
    let run = Pando::f(ECHO).local().env("PATH", path.path()).stdin("1\n").run();
    run.ends(2, "").said(&["error: ", "--local", "Node.js 20"]);
}

#[test]
fn local_with_an_old_node() {
    let path = path_with_node(Some("v18.19.0"));
    let run = Pando::f(ECHO).local().env("PATH", path.path()).stdin("1\n").run();
    run.ends(2, "").said(&["error: ", "--local", "18.19.0"]);
}

#[test]
fn without_node_tabs_are_asked_for_and_served() {
    let path = path_with_node(None);
    let run = Pando::f(ECHO).env("PATH", path.path()).stdin("1\n").start();
    let said = run.says("Node.js was not found");
    assert!(said.contains("--open") && said.contains("tab"), "{said}");
    assert_eq!(crate::common::get(&run.url()).status, 200);
}

#[test]
fn without_node_nothing_is_said_of_it_when_no_core_is_to_be_lent() {
    let path = path_with_node(None);
    let run = Pando::f(ECHO).args(["--cores", "0"]).env("PATH", path.path()).start();
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
        let run = Pando::f(ECHO).args(*args).stdin("1\n").run();
        run.ends(2, "");
        let option = args[0].split('=').next().expect("an option");
        assert!(run.stderr.contains(option), "{args:?}: {}", run.stderr);
    }
}

#[test]
fn only_this_machine_s_cores_and_none_of_them_is_a_contradiction() {
    Pando::f(ECHO).local().args(["--cores", "0"]).stdin("1\n").run().ends(2, "").said(&["--cores 0"]).did_not_say(&["Node.js"]);
}

#[test]
fn standard_input_and_items_at_once() {
    Pando::f(ECHO).args(["--stdin", "1", "2"]).run().ends(2, "").said(&["--stdin"]);
}

#[test]
fn a_terminal_without_items_is_a_usage_error() {
    // `script` gives a terminal; its own status is that of the command.
    let pando = Pando::f(ECHO);
    let command = pando.command();
    let line: Vec<String> =
        std::iter::once(command.get_program()).chain(command.get_args()).map(|arg| format!("'{}'", arg.display())).collect();
    let status = pando.folder().join("status");
    let mut script = std::process::Command::new("script");
    script.args(["-qec", &format!("{} 2>said; echo $? >status", line.join(" ")), "/dev/null"]).current_dir(pando.folder());
    if script.output().is_err() {
        eprintln!("script is not installed: not tried");
        return;
    }
    let status = until("its status", || fs::read_to_string(&status).ok().filter(|text| !text.is_empty()));
    let said = fs::read_to_string(pando.folder().join("said")).unwrap();
    assert_eq!(status, "2\n", "{said}");
    assert!(said.contains("--stdin"), "{said}");
}
