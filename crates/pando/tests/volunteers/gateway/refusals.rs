//! What a gateway cannot share is told, with status 2.

use super::*;

#[test]
fn wrong_usage_is_told() {
    let url = "http://127.0.0.1:9/k7d2m9qx4t/";
    let cases: [(&[&str], &str); 6] = [
        (&["--port", "0", url], "add --share"),
        (&["--share", "--deny-net", url], "the run decides"),
        (&["--share", "--token", "x", url], "4 to 64"),
        (&["--share", "--host", "http://127.0.0.1:9", url], "only together with --secret"),
        (&["--share", "--tls-cert", "cert.pem", url], "only together with --tls-key"),
        (&["--share", "--open-access", "--token", "abcdefgh", url], "leave one of the two out"),
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

/// A relay and a tab are of no use to a run of programs.
#[test]
fn what_is_for_tabs_is_refused_for_a_run_of_programs() {
    let run = PandoCommand::bare()
        .args(["--exec", "echo {}", "--cores", "1", "--port", "0"])
        .stdin_open()
        .start();
    let line = run.says("Other machines can run a command per value");
    let port = line.trim_end_matches('/').rsplit(':').next().expect("a port").to_owned();
    let gateway = gateway(&format!("http://127.0.0.1:{port}")).args(["--port", "0", "--open"]);
    gateway.start().wait().status(2).said(&["for tabs", "(--exec)"]);
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
