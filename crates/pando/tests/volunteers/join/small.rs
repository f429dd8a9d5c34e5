//! The small program: `pando-join` without peer connections.

use super::*;

const LIMIT: &str = "built without peer connections";

#[test]
fn the_small_program_computes_for_a_run() {
    let run = idle(500).start();
    let Some(volunteer) = JoinCommand::small(&run.url()) else { return };
    let volunteer = volunteer.start();
    run.wait().gives(numbers(500));
    let done = volunteer.wait();
    done.status(0).said(&["This machine computed 500 values."]).did_not_say(&[LIMIT]);
}

#[test]
fn the_small_program_computes_through_a_relay_and_says_so() {
    let relay = RelayProcess::start(&[]);
    let run = relay.used_by(idle(500)).start();
    let Some(volunteer) = JoinCommand::small(&run.room()) else { return };
    let volunteer = volunteer.named("node 7").start();
    run.says("node 7 joined with 1 core, through the relay");
    run.wait().gives(numbers(500));
    volunteer.wait().status(0).said(&[LIMIT, "This machine computed 500 values."]);
}

#[test]
fn the_small_program_tells_what_it_lacks() {
    let Some(version) = JoinCommand::small("--version") else { return };
    let version = version.start().wait();
    assert!(version.text().contains("without peer connections"));
    let Some(help) = JoinCommand::small("--help") else { return };
    assert!(help.start().wait().text().contains(LIMIT));
}
