//! Keeps the machine awake: the program that Pando starts for this, and its lifetime.

use crate::ECHO;
use pando_testing::{PandoCommand, RunningProgram, until};
use std::{env, fs, os::unix::fs::PermissionsExt, path::Path};
use tempfile::TempDir;

/// A folder with a program `systemd-inhibit` that logs its arguments and then runs `does`.
fn inhibitor(does: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("the temporary folder can be written");
    let (program, log) = (folder.path().join("systemd-inhibit"), folder.path().join("log"));
    let script = format!("#!/bin/sh\nexec >>'{}'\necho \"$@\"\n{does}\n", log.display());
    fs::write(&program, script).expect("it can be written");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755))
        .expect("it can be made a program");
    folder
}

/// Like the real program: runs the command after the options, and ends with the command.
const RUNS_IT: &str = "while [ \"${1#-}\" != \"$1\" ]; do shift; done; \"$@\"; echo ended";

fn log(folder: &TempDir) -> Vec<String> {
    let text = fs::read_to_string(folder.path().join("log")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn of(folder: &Path) -> PandoCommand {
    let path = format!("{}:{}", folder.display(), env::var("PATH").expect("there is one"));
    let command = PandoCommand::f(ECHO).local().args(["-q"]).stdin_open();
    command.env("PANDO_ALLOW_SLEEP", "false").env("PATH", path)
}

/// A run that has computed a value while the machine is kept awake.
fn awake(folder: &TempDir) -> RunningProgram {
    let mut run = of(folder.path()).start();
    run.write_line("1");
    assert_eq!(run.line().as_deref(), Some("1"));
    let said = until("the program is started", || log(folder).first().cloned());
    assert!(
        said.contains("--what=idle:sleep")
            && said.contains("--who=pando")
            && said.contains("--mode=block"),
        "{said}"
    );
    run
}

fn has_ended(folder: &TempDir) {
    until("it ends with the run", || (log(folder).get(1)? == "ended").then_some(()));
}

#[test]
fn the_machine_stays_awake_as_long_as_the_run_lasts() {
    let folder = inhibitor(RUNS_IT);
    let run = awake(&folder);
    assert_eq!(log(&folder).len(), 1, "it lasts");
    let run = run.wait();
    run.gives("1\n");
    assert_eq!(run.stderr, "");
    has_ended(&folder);
}

#[test]
fn it_may_sleep_again_when_the_run_is_killed() {
    let folder = inhibitor(RUNS_IT);
    let run = awake(&folder);
    run.signal("KILL");
    has_ended(&folder);
    assert_eq!(run.wait().status, None);
}

#[test]
fn where_nothing_can_be_had_less_is_asked_for_and_the_run_goes_on_without_a_word() {
    let folder = inhibitor("echo 'Failed to inhibit: Access denied' >&2; exit 1");
    let mut run = of(folder.path()).start();
    let asked = until("it is asked twice", || Some(log(&folder)).filter(|log| log.len() == 2));
    assert!(
        asked[0].contains("--what=idle:sleep ") && asked[1].contains("--what=idle "),
        "{asked:?}"
    );
    run.write_line("1");
    let run = run.wait();
    run.gives("1\n");
    assert_eq!(run.stderr, "");
}

#[test]
fn on_request_it_may_sleep_during_the_run() {
    let folder = inhibitor(RUNS_IT);
    let mut run = of(folder.path()).args(["--allow-sleep"]).start();
    run.write_line("1");
    run.wait().gives("1\n");
    assert_eq!(log(&folder), [""; 0]);
}
