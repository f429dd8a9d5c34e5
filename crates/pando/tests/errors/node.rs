//! A `node` that does not start or does not load the function: the message contains its own
//! output, no run hangs, and no process is left behind.

use pando_testing::{Cpu, PandoCommand, has_ended, until};
use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf, process::Command, time::Duration};
use tempfile::TempDir;

const ECHO: &str = "(x, cb) => cb(null, x)";

/// The path of the real Node.
fn real() -> PathBuf {
    let output =
        Command::new("node").args(["-p", "process.execPath"]).output().expect("node is on PATH");
    String::from_utf8(output.stdout).expect("UTF-8").trim().into()
}

/// A folder with this script as `node`, and a PATH that starts with the folder.
fn shim(script: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let node = folder.path().join("node");
    fs::write(&node, script.replace("NODE", &real().display().to_string())).unwrap();
    fs::set_permissions(&node, PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    (folder, path)
}

#[test]
fn what_node_says_of_its_options_is_told() {
    let run = || PandoCommand::f(ECHO).env("NODE_OPTIONS", "--nonsense").stdin("1\n");
    let words = [
        "Node.js does not start",
        "node --version failed (exit status: 9)",
        "--nonsense is not allowed in NODE_OPTIONS",
    ];
    run()
        .local()
        .run()
        .ends(2, "")
        .said(&words)
        .said(&["error: --local"])
        .did_not_say(&["too old"]);
    let run = run().start();
    run.says("--nonsense is not allowed in NODE_OPTIONS");
    assert!(run.says("--open").contains("tab"));
    assert_eq!(pando_testing::get(&run.url()).status, 200);
}

#[test]
fn what_node_says_before_it_loads_the_function_is_told() {
    let run =
        PandoCommand::f(ECHO).local().env("NODE_OPTIONS", "-r /not/there.js").stdin("1\n").run();
    run.ends(2, "").said(&[
        "error: ",
        "exit status: 1",
        "NODE_OPTIONS=-r /not/there.js",
        "Cannot find module '/not/there.js'",
    ]);
    // `-q` does not hide the message.
    let run = PandoCommand::f(ECHO)
        .local()
        .args(["-q"])
        .env("NODE_OPTIONS", "-r /not/there.js")
        .stdin("1\n")
        .run();
    run.ends(2, "").said(&["Cannot find module '/not/there.js'"]);
}

#[test]
fn a_world_in_which_the_runtime_cannot_work_is_told_at_once() {
    let run =
        PandoCommand::f(ECHO).local().with_file("frozen.js", "Object.freeze(console)").stdin("1\n");
    let options = format!("--require {}", run.folder().join("frozen.js").display());
    run.env("NODE_OPTIONS", options)
        .run()
        .ends(2, "")
        .said(&["f.js: TypeError: Cannot assign to read only property"]);
}

#[test]
fn no_core_waits_for_a_debugger() {
    for options in
        ["--inspect-brk", "--inspect=127.0.0.1:0", "--trace-warnings \"--inspect_brk=127.0.0.1:0\""]
    {
        let run = PandoCommand::f(ECHO)
            .local()
            .args(["--cores", "2"])
            .env("NODE_OPTIONS", options)
            .stdin("1\n2\n")
            .run();
        run.gives("1\n2\n")
            .said(&["NODE_OPTIONS: ", "is left out for this machine's cores"])
            .did_not_say(&["Debugger"]);
    }
    let run = PandoCommand::f(ECHO)
        .local()
        .env("NODE_OPTIONS", "--input-type=module --max-old-space-size=200")
        .stdin("1\n")
        .run();
    run.gives("1\n").did_not_say(&["NODE_OPTIONS"]);
}

#[test]
fn what_a_version_manager_says_is_told() {
    let not_installed = "#!/bin/sh\necho 'N/A: version v99 is not yet installed.' >&2; echo 'You need to run nvm install.' >&2; exit 3\n";
    let (_folder, path) = shim(not_installed);
    let run = PandoCommand::f(ECHO).local().env("PATH", &path).stdin("1\n").run();
    let words = [
        "node --version failed (exit status: 3)",
        "version v99 is not yet installed",
        "You need to run nvm install",
    ];
    run.ends(2, "").said(&words).did_not_say(&["too old"]);
    // This script prints the version, but does not start Node.
    let none = "#!/bin/sh\ntest \"$1\" = --version && exec NODE --version; echo 'No version is set for command node' >&2; exit 126\n";
    let (_folder, path) = shim(none);
    let run = PandoCommand::f(ECHO).local().env("PATH", &path).stdin("1\n").run();
    run.ends(2, "").said(&["exit status: 126", "No version is set for command node"]);
    let (_folder, path) = shim("#!/bin/sh\necho something else\n");
    PandoCommand::f(ECHO)
        .local()
        .env("PATH", &path)
        .stdin("1\n")
        .run()
        .ends(2, "")
        .said(&["says no version", "something else"]);
}

/// The function is not to blame, and tabs can compute it.
#[test]
fn a_node_that_ends_before_it_comes_to_the_function_leaves_it_to_others() {
    let only_version = "#!/bin/sh\ntest \"$1\" = --version && exec NODE --version; echo 'the licence has expired'; exit 0\n";
    let (_folder, path) = shim(only_version);
    let words = [
        "the process that loads the function ended before it had begun: exit status: 0",
        "the licence has expired",
    ];
    let run = || PandoCommand::f(ECHO).env("PATH", &path).stdin("1\n");
    run().local().run().ends(2, "").said(&words).did_not_say(&["f.js"]);
    let run = run().start();
    run.says(words[0]);
    run.says("this machine's cores stay idle");
    assert_eq!(pando_testing::get(&run.url()).status, 200);
}

#[test]
fn a_version_manager_may_stand_between_and_say_something() {
    let (_folder, path) =
        shim("#!/bin/sh\necho 'Now using node v18.0.0 (npm v9.0.0)'\nNODE \"$@\"\n");
    let busy =
        "(x, cb) => { const end = Date.now() + 1200; while (Date.now() < end); cb(null, x) }";
    PandoCommand::f(busy)
        .local()
        .args(["--cores", "1"])
        .env("PATH", &path)
        .stdin("1\n")
        .run()
        .gives("1\n")
        .did_not_say(&["failed"]);
}

#[test]
fn what_a_version_manager_has_started_ends_with_its_core_and_with_the_master() {
    let (folder, path) =
        shim("#!/bin/sh\ntest \"$1\" = --version || echo $$ >>\"${0%/*}/pids\"\nNODE \"$@\"\n");
    let pids = folder.path().join("pids");
    let started = || {
        let shims = fs::read_to_string(&pids).unwrap_or_default();
        shims
            .lines()
            .filter_map(|pid| pid.parse().ok())
            .flat_map(pando_testing::children)
            .collect::<Vec<u32>>()
    };
    let endless = || {
        PandoCommand::f("(x, cb) => { for (;;); }")
            .local()
            .args(["--cores", "1"])
            .env("PATH", &path)
            .stdin("1\n")
    };
    let computing = || {
        until("it computes", || {
            started().into_iter().find(|child| Cpu::of(*child).sum() > Duration::from_millis(500))
        })
    };
    let run = endless().args(["--timeout", "5s", "--retries", "0"]).start();
    let child = computing();
    run.wait().ends(1, "").said(&["no answer within 5 s"]);
    until("the call is ended", || has_ended(child).then_some(()));
    let run = endless().start();
    let child = computing();
    run.signal("KILL");
    run.wait();
    until("the core ends", || has_ended(child).then_some(()));
}

#[test]
fn a_node_that_says_nothing_is_waited_for_ten_seconds() {
    let (folder, path) = shim("#!/bin/sh\nsleep 1000 & echo $! >\"${0%/*}/pid\"; wait\n");
    let run = PandoCommand::f(ECHO).local().env("PATH", &path).stdin("1\n").start();
    let pid = || fs::read_to_string(folder.path().join("pid")).ok()?.trim().parse().ok();
    let pid: u32 = until("it has started", pid);
    run.wait().ends(2, "").said(&["node --version has not ended within 10 s"]);
    until("what it started is gone", || has_ended(pid).then_some(()));
}
