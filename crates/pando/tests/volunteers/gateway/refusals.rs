//! What a gateway cannot share is told, with status 2.

use super::*;

#[test]
fn wrong_usage_is_told() {
    let url = "http://127.0.0.1:9/k7d2m9qx4t/";
    let cases: [(&[&str], &str); 3] = [
        (&["--port", "0", url], "add --share"),
        (&["--share", "--deny-net", url], "the run decides"),
        (&["--share", "--token", "x", url], "4 to 64"),
    ];
    for (args, words) in cases {
        JoinCommand::bare().args(args.iter().copied()).start().wait().status(2).said(&[words]);
    }
}

#[test]
fn an_address_without_a_run_is_told() {
    let run = idle(1).stdin_open().start();
    let url = run.url();
    drop(run);
    any_gateway(&url).wait().status(2).said(&["nothing answers at"]);
}

#[test]
fn a_port_that_browsers_refuse_is_told() {
    let run = idle(1).stdin_open().start();
    gateway(&run.url()).args(["--port", "6000"]).start().wait().status(2).said(&["port 6000"]);
}

/// The address of the run leads to the devices of this gateway all of a sudden.
#[test]
fn a_gateway_does_not_join_itself() {
    let run = idle(1).args(["--token", "k7d2m9qx4tab"]).stdin_open().start();
    let url = run.url();
    let port = CuttablePort::to(host(&url));
    let first = any_gateway(&port.url(&url));
    let second = gateway(&first.url()).args(["--port", "0", "--token", "k7d2m9qx4tab"]).start();
    port.lead_to(host(&second.url()));
    port.cut();
    first.wait().status(2).said(&["leads back to this machine"]);
}
