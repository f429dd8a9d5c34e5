//! Goodbyes to volunteers at the end of a run, and runs that stop while nobody computes.

use crate::{answer, fail, first, idle, values};
use pando_testing::{PandoCommand, WebSocket};
use serde_json::json;

/// A run with two values. One of them is lent to a device with one core.
fn one_lent() -> (pando_testing::RunningProgram, WebSocket) {
    let mut run = idle(2).args(["--batch-size", "1"]).stdin_open().start();
    run.write("1\n2\n");
    let url = run.url();
    let mut phone = WebSocket::join(&url, "phone", 1);
    assert_eq!(values(&mut phone).len(), 1);
    (run, phone)
}

#[test]
fn the_job_is_done_when_it_is() {
    let run = idle(1).start();
    let url = run.url();
    let mut phone = WebSocket::join(&url, "phone", 1);
    values(&mut phone);
    answer(&mut phone, first(0), "1");
    let bye = phone.message("bye");
    assert_eq!(
        (&bye["reason"], &bye["text"]),
        (&json!("done"), &json!("The job is done, thank you!"))
    );
    run.wait().gives("1\n");
}

#[test]
fn an_item_that_failed_has_ended_it_early() {
    let run = idle(1).args(["--retries", "0"]).start();
    let url = run.url();
    let mut phone = WebSocket::join(&url, "phone", 1);
    values(&mut phone);
    fail(&mut phone, first(0), "it is bad");
    let bye = phone.message("bye");
    assert_eq!(bye["reason"], "stopped");
    assert_eq!(
        bye["text"],
        "The job has ended early, because an item of it failed. Thank you for your help!"
    );
    run.wait().status(1);
}

#[test]
fn its_owner_has_stopped_it() {
    let (run, mut phone) = one_lent();
    run.signal("INT");
    run.says("finishing 1 item on 1 device; again");
    answer(&mut phone, first(0), "1");
    let bye = phone.message("bye");
    assert_eq!(bye["reason"], "stopped");
    assert_eq!(bye["text"], "The job was stopped by its owner. Thank you for your help!");
    run.wait_with_input_open().ends(1, "1\n");
}

#[test]
fn its_owner_has_stopped_it_at_once() {
    let (run, mut phone) = one_lent();
    run.signal("TERM");
    run.says("finishing 1 item on 1 device within 25 s; again");
    run.signal("TERM");
    assert_eq!(phone.message("bye")["reason"], "stopped");
    run.wait_with_input_open().ends(1, "");
}

#[test]
fn an_error_on_its_owner_s_machine_has_ended_it_early() {
    let mut run = idle(0).stdin_open().args(["--json"]).start();
    let url = run.url();
    let mut phone = WebSocket::join(&url, "phone", 1);
    run.write("nonsense\n");
    let bye = phone.message("bye");
    assert_eq!(bye["reason"], "stopped");
    assert_eq!(
        bye["text"],
        "The job has ended early, because of an error on its owner's machine. Thank you for your help!"
    );
    run.wait_with_input_open().status(1);
}

#[test]
fn a_run_with_a_journal_that_is_stopped_may_go_on_and_says_no_goodbye() {
    let folder = tempfile::tempdir().unwrap();
    let run = PandoCommand::f("(x, cb) => cb(null, x)")
        .args(["--cores", "0", "--journal"])
        .args([folder.path().join("journal")]);
    let run = run.stdin_open().start();
    let url = run.url();
    let mut phone = WebSocket::join(&url, "phone", 1);
    run.signal("INT");
    run.wait_with_input_open().status(1);
    loop {
        match phone.receive() {
            pando_testing::Received::Closed => break,
            pando_testing::Received::Text(text) => assert!(!text.contains("bye"), "{text}"),
            pando_testing::Received::Binary(_) => {}
        }
    }
}

#[test]
fn ctrl_c_ends_a_run_at_once_whose_device_has_gone_or_lends_no_core() {
    let ends_at_once = |run: pando_testing::RunningProgram| {
        run.signal("INT");
        run.wait_with_input_open()
            .ends(1, "")
            .said(&["no device computes", "stopped: 1 item was not finished"]);
    };
    let (run, phone) = one_lent();
    drop(phone);
    run.says("phone is gone");
    ends_at_once(run);
    let (run, mut phone) = one_lent();
    phone.text(&json!({"type": "returned", "ids": [0]}).to_string());
    phone.text(&json!({"type": "update", "cores": 0}).to_string());
    // The master handles this message after the one before.
    phone.text(&json!({"type": "update", "name": "tablet"}).to_string());
    run.says("is now called tablet");
    ends_at_once(run);
}

#[test]
fn ctrl_c_ends_a_run_at_once_whose_device_answers_pings_and_has_begun_nothing() {
    let mut run = idle(1).args(["--heartbeat", "300ms"]).stdin_open().start();
    run.write("1\n");
    let url = run.url();
    let mut zombie = WebSocket::join(&url, "zombie", 1);
    assert_eq!(values(&mut zombie).len(), 1);
    let pings = std::thread::spawn(|| crate::lies::answer_pings(zombie));
    run.says("zombie answers pings, but has neither begun nor answered");
    run.signal("INT");
    run.wait_with_input_open()
        .ends(1, "")
        .said(&["no device computes", "stopped: 1 item was not finished"]);
    pings.join().expect("its link is closed");
}

#[test]
fn a_run_that_is_to_stop_does_not_wait_for_a_device_that_leaves_meanwhile() {
    let (run, phone) = one_lent();
    run.signal("INT");
    run.says("finishing 1 item on 1 device; again");
    drop(phone);
    run.says("phone is gone");
    run.wait_with_input_open()
        .ends(1, "")
        .said(&["no device computes", "stopped: 1 item was not finished"]);
}
