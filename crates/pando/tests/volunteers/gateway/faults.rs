//! The faults of a tree: gateways, their links and their devices that vanish or fail.

use super::*;
use crate::{fail, first, values};
use pando_testing::volunteer::serve;
use serde_json::json;
use std::thread;

#[test]
fn a_gateway_that_is_killed_and_started_again_gets_its_devices_back() {
    let gate = FunctionGate::closed();
    let run = gated(&gate).args(["--batch-size", "2"]).stdin(numbers(40)).start();
    let (address, start) = fixed_gateway(&run.url());
    let mut doomed = start();
    doomed.url();
    let _tab = Tab::open(&address, "device=tab;cores=1;");
    let _machine = JoinCommand::to(&address).named("node 7").start();
    doomed.says("tab joined");
    doomed.says("node 7 joined");
    gate.waits_for("1");
    doomed.kill();
    run.says("gateway is gone");
    gate.open_for_all();
    let again = start();
    again.says("tab joined");
    again.says("node 7 joined");
    run.wait().gives(numbers(40));
    again.wait().status(0);
}

#[test]
fn devices_compute_on_while_the_link_of_their_gateway_is_cut() {
    let gate = FunctionGate::closed();
    let run = gated(&gate).args(["--batch-size", "1"]).stdin(numbers(3)).start();
    let url = run.url();
    let port = CuttablePort::to(host(&url));
    let gateway = any_gateway(&port.url(&url));
    let _child = JoinCommand::to(&gateway.url()).start();
    gate.waits_for("1");
    port.cut();
    gateway.says("the connection is lost");
    gateway.says("connected again");
    gate.open_for_all();
    run.wait().gives(numbers(3));
    assert_eq!(gate.knocked(), ["1", "2", "3"], "each value is computed once");
    gateway.wait().status(0);
}

/// What was answered during the cut is delivered after it, unless it was lent to others meanwhile.
#[test]
fn answers_to_values_that_others_have_by_now_change_nothing() {
    let run = idle(2).args(["--batch-size", "2"]).start();
    let url = run.url();
    let port = CuttablePort::to(host(&url));
    let gateway = any_gateway(&port.url(&url));
    let mut phone = WebSocket::join(&gateway.url(), "phone", 1);
    assert_eq!(values(&mut phone).len(), 2);
    gateway.signal("STOP");
    port.cut();
    run.says("gateway is gone; its 2 values go to other devices");
    let mut other = WebSocket::join(&url, "other", 1);
    let loans: Vec<_> = values(&mut other).into_iter().map(|(loan, _)| loan).collect();
    gateway.signal("CONT");
    run.says_any(&["gateway (2) joined", "gateway joined with 1 core"]);
    answer(&mut phone, first(0), "wrong");
    answer(&mut phone, first(1), "wrong");
    loans.into_iter().for_each(|loan| answer(&mut other, loan, &(loan.index + 1).to_string()));
    run.wait().gives(numbers(2));
}

#[test]
fn values_of_a_device_that_is_killed_go_to_another_behind_the_gateway() {
    let gate = FunctionGate::closed();
    let run = gated(&gate).args(["--heartbeat", "60"]).stdin(numbers(4)).start();
    let gateway = any_gateway(&run.url());
    let mut doomed = JoinCommand::to(&gateway.url()).named("doomed").start();
    gate.waits_for("1");
    let _other = JoinCommand::to(&gateway.url()).named("other").start();
    gateway.says("other joined");
    doomed.kill();
    gateway.says("doomed is gone");
    gate.open_for_all();
    run.wait().gives(numbers(4));
}

#[test]
fn an_error_comes_with_the_name_of_the_device_and_its_stack() {
    let run = PandoCommand::f("(x, cb) => cb(x === '2' ? new Error('boom') : null, x)")
        .args(["--cores", "0", "--retries", "0", "--on-error", "skip"])
        .stdin(numbers(3))
        .start();
    let first = any_gateway(&run.url());
    let second = any_gateway(&first.url());
    let _child = JoinCommand::to(&second.url()).named("node 7").start();
    let done = run.wait();
    done.ends(1, "1\n3\n").said(&["item 2 failed on node 7 at gateway at gateway: boom", "f.js"]);
}

/// The phone fails all that it tries. The gateway has each value tried by the tablet as well, so
/// its own name stays good.
#[test]
fn a_device_that_fails_everything_does_not_spoil_its_gateway() {
    let run = idle(60).args(["--retries", "0"]).start();
    let gateway = any_gateway(&run.url());
    let url = gateway.url();
    let mut tablet = WebSocket::join(&url, "tablet", 1);
    let first = values(&mut tablet);
    let mut phone = WebSocket::join(&url, "phone", 1);
    let failing = thread::spawn(move || {
        serve(&mut phone, |socket, loan, _| fail(socket, loan, "all is broken"))
    });
    gateway.says("phone joined");
    for (loan, value) in first {
        answer(&mut tablet, loan, std::str::from_utf8(&value).expect("text"));
    }
    echo(&mut tablet);
    let done = run.wait();
    done.gives(numbers(60));
    failing.join().expect("the phone serves to the end");
}

#[test]
fn values_that_nobody_behind_a_gateway_has_begun_go_to_idle_devices_elsewhere() {
    let run = idle(8).args(["--batch-size", "6", "--verbose"]).start();
    let url = run.url();
    let gateway = any_gateway(&url);
    let mut slow = WebSocket::join(&gateway.url(), "slow", 1);
    // The other four wait at the gateway.
    assert_eq!(values(&mut slow).len(), 2);
    let mut fast = WebSocket::join(&url, "fast", 1);
    for (loan, value) in values(&mut fast) {
        answer(&mut fast, loan, std::str::from_utf8(&value).expect("text"));
    }
    slow.text(&json!({"type": "started", "items": [{"id": 0, "ms": 3000}]}).to_string());
    run.says("gateway is asked to give back 5 values: fast has nothing to do");
    assert_eq!(slow.message("recall")["ids"], json!([1]));
    let helping = thread::spawn(move || echo(&mut fast));
    run.says("gateway gives back 4 values");
    slow.text(&json!({"type": "returned", "ids": [1]}).to_string());
    run.says("gateway gives back 1 value");
    answer(&mut slow, first(0), "1");
    echo(&mut slow);
    helping.join().expect("it is served to the end");
    run.wait().gives(numbers(8));
}

#[test]
fn values_go_back_when_the_last_device_of_a_gateway_leaves() {
    let run = idle(10).args(["--batch-size", "10", "--heartbeat", "60"]).start();
    let url = run.url();
    let gateway = any_gateway(&url);
    let mut phone = WebSocket::join(&gateway.url(), "phone", 1);
    assert_eq!(values(&mut phone).len(), 2);
    drop(phone);
    gateway.says("phone is gone");
    echo(&mut WebSocket::join(&url, "other", 1));
    run.wait().gives(numbers(10));
}
