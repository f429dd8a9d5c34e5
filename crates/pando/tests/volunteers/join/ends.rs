//! How a native volunteer ends, and what becomes of its values.

use super::without_cores;
use crate::idle;
use pando_testing::{FunctionGate, JoinCommand, RunningProgram};

/// The volunteer hands its values back at once: with this heartbeat, a run that had to notice the
/// silence of a volunteer would last for minutes.
const LONG_HEARTBEAT: [&str; 2] = ["--heartbeat", "60"];

fn hands_everything_back(leave: impl Fn(&mut RunningProgram)) {
    let gate = FunctionGate::closed();
    let function = format!("async (x, cb) => {{ await {}; cb(null, x) }}", gate.knock("x"));
    let run = without_cores(&function).args(LONG_HEARTBEAT).stdin("1\n2\n").start();
    let url = run.url();
    let join = JoinCommand::to(&url).args(["--until-eof"]).named("node 7");
    let mut volunteer = join.start_with_input_open();
    gate.waits_for("1");
    leave(&mut volunteer);
    volunteer.wait_with_input_open().status(0).said(&["leaving", "everything else is handed back"]);
    let line = run.says("node 7 left");
    assert!(!line.contains("value"), "values were still lent to it: {line}");
    let _other = JoinCommand::to(&url).start();
    gate.open_for_all();
    run.wait().gives("1\n2\n");
}

#[test]
fn sigterm_hands_everything_back() {
    hands_everything_back(|volunteer| volunteer.signal("TERM"));
}

#[test]
fn ctrl_c_hands_everything_back() {
    hands_everything_back(|volunteer| volunteer.signal("INT"));
}

#[test]
fn a_hangup_hands_everything_back() {
    hands_everything_back(|volunteer| volunteer.signal("HUP"));
}

#[test]
fn the_end_of_standard_input_hands_everything_back() {
    hands_everything_back(RunningProgram::close_stdin);
}

#[test]
fn the_end_of_standard_input_ends_a_volunteer_that_waits() {
    let url = format!("http://127.0.0.1:{}/k7d2m9qx4t/", pando_testing::free_port());
    // The standard input is empty from the start.
    let volunteer = JoinCommand::to(&url).args(["--wait", "--until-eof"]).start();
    volunteer.wait().status(0).said(&["standard input has ended (--until-eof)"]);
}

#[test]
fn the_processes_of_the_cores_end_with_the_volunteer() {
    let run = idle(1).stdin_open().start();
    let mut volunteer = JoinCommand::to(&run.url()).args(["--cores", "2"]).start();
    run.says(" joined");
    let cores = pando_testing::until("the cores run", || {
        Some(volunteer.children()).filter(|children| children.len() == 2)
    });
    volunteer.kill();
    for core in cores {
        pando_testing::until("a core ends", || pando_testing::has_ended(core).then_some(()));
    }
}

#[test]
fn a_volunteer_leaves_when_there_is_nothing_to_compute() {
    let mut run = idle(1).stdin_open().start();
    let volunteer = JoinCommand::to(&run.url()).args(["--until-idle", "1s"]).start();
    run.write("1\n");
    assert_eq!(run.line().as_deref(), Some("1"));
    volunteer.wait().status(0).said(&["nothing to compute for 1 s", "computed 1 value"]);
    run.says(" left");
}

#[test]
fn a_volunteer_ends_after_its_master() {
    let mut run = idle(1).stdin_open().start();
    let volunteer = JoinCommand::to(&run.url()).args(["--patience", "300ms"]).start();
    run.says(" joined");
    volunteer.says("joined ");
    run.kill();
    volunteer.wait().status(1).said(&["the connection is lost", "has not answered for 300 ms"]);
}

#[test]
fn a_run_that_is_stopped_ends_the_volunteer() {
    let run = idle(1).stdin_open().start();
    let volunteer = JoinCommand::to(&run.url()).start();
    volunteer.says("joined ");
    run.signal("INT");
    volunteer.wait().status(0).said(&["The job was stopped by its owner."]);
    run.wait();
}

#[test]
fn a_function_that_cannot_be_loaded_here_ends_the_volunteer() {
    let function = "const canvas = new OffscreenCanvas(1, 1)\n\
                    module.exports['/pando/1.0.0'] = (x, cb) => cb(null, canvas.width)";
    let run =
        pando_testing::PandoCommand::new(function).args(["--cores", "0"]).stdin("1\n").start();
    let volunteer = JoinCommand::to(&run.url()).start();
    volunteer
        .wait()
        .status(1)
        .said(&["The function cannot run on this device.", "OffscreenCanvas"]);
}

#[test]
fn cores_of_a_nice_volunteer_have_the_lowest_priority() {
    let run = idle(1).stdin_open().start();
    let volunteer = JoinCommand::to(&run.url()).args(["--nice"]).start();
    run.says(" joined");
    let core = pando_testing::until("the core runs", || volunteer.children().first().copied());
    let stat = std::fs::read_to_string(format!("/proc/{core}/stat")).expect("it runs");
    // The name of the program stands in parentheses; the priority is the 17th word after it.
    let words: Vec<_> = stat.rsplit(')').next().expect("a rest").split_whitespace().collect();
    assert_eq!(words[16], "19", "{stat}");
}

#[test]
fn a_machine_that_was_frozen_connects_again() {
    let gate = FunctionGate::closed();
    let function = format!("async (x, cb) => {{ await {}; cb(null, x) }}", gate.knock("x"));
    let run = without_cores(&function)
        .args(["--heartbeat", "1s", "--batch-size", "1"])
        .stdin("1\n2\n3\n")
        .start();
    let volunteer = JoinCommand::to(&run.url()).named("node 7").start();
    gate.waits_for("1");
    volunteer.signal("STOP");
    run.says("node 7 has been silent for 3s and is taken for gone");
    volunteer.signal("CONT");
    volunteer.says("connected again");
    gate.open_for_all();
    run.wait().gives("1\n2\n3\n");
    volunteer.wait().status(0);
}

#[test]
fn a_volunteer_that_waits_goes_on_with_a_run_that_was_killed() {
    let port = pando_testing::free_port().to_string();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let journal = folder.path().join("run.journal").display().to_string();
    let args = ["--journal", &journal, "--port", &port, "--token", "k7d2m9qx4tab"];
    let run = || idle(20_000).args(args).start();
    let url = format!("http://127.0.0.1:{port}/k7d2m9qx4tab/");
    let mut first = run();
    let volunteer = JoinCommand::to(&url).args(["--wait"]).start();
    assert_eq!(first.line().as_deref(), Some("1"));
    first.kill();
    volunteer.says("the connection is lost");
    run().wait().gives(pando_testing::numbers(20_000));
    volunteer.says("The job is done");
    volunteer.signal("TERM");
    volunteer.wait().status(0);
}
