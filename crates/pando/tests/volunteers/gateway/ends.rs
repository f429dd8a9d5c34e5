//! How gateways end, and what their devices hear.

use super::*;
use crate::values;

fn hands_everything_back(signal: &str) {
    let run = idle(4).args(["--batch-size", "4", "--heartbeat", "60"]).start();
    let url = run.url();
    let gateway = any_gateway(&url);
    let mut phone = WebSocket::join(&gateway.url(), "phone", 1);
    // The other two wait at the gateway.
    assert_eq!(values(&mut phone).len(), 2);
    gateway.signal(signal);
    let bye = phone.message("bye");
    assert_eq!(bye["reason"], "stopped");
    gateway.wait().status(0).said(&["leaving", "everything else is handed back"]);
    run.says("gateway left");
    echo(&mut WebSocket::join(&url, "other", 1));
    run.wait().gives(numbers(4));
}

#[test]
fn sigterm_hands_the_values_of_all_devices_back() {
    hands_everything_back("TERM");
}

#[test]
fn ctrl_c_hands_the_values_of_all_devices_back() {
    hands_everything_back("INT");
}

#[test]
fn a_run_that_is_stopped_ends_its_gateway_and_the_devices_there() {
    let run = idle(1).stdin_open().start();
    let gateway = any_gateway(&run.url());
    let child = JoinCommand::to(&gateway.url()).start();
    child.says("joined ");
    run.signal("INT");
    gateway.wait().status(0).said(&["The job was stopped by its owner."]);
    child.wait().status(0).said(&["The job was stopped by its owner."]);
    run.wait();
}

#[test]
fn a_gateway_waits_for_the_next_run_and_keeps_its_devices() {
    let port = pando_testing::free_port().to_string();
    let run = |count| idle(count).args(["--token", "k7d2m9qx4tab", "--port", &port]).start();
    let url = format!("http://127.0.0.1:{port}/k7d2m9qx4tab/");
    let (address, _) = fixed_gateway(&url);
    let own_port = address.split(&[':', '/']).nth(4).expect("a port");
    let first = run(30);
    let gateway = gateway(&url).args(["--wait", "--port", own_port]).start();
    let tab = Tab::open(&gateway.url(), "device=tab;cores=1;");
    first.wait().gives(numbers(30));
    gateway.says("waiting for the next run");
    run(50).wait().gives(numbers(50));
    gateway.says("This machine computed 50 values.");
    drop(tab);
    gateway.signal("TERM");
    gateway.wait().status(0);
}
