//! The ways of a native volunteer to its run: encrypted, by proxies, past a relay.

use super::without_cores;
use crate::idle;
use pando_testing::{
    JoinCommand, PandoCommand, RelayProcess, TestCertificate, connect_proxy, numbers, socks5_proxy,
};

#[test]
fn a_certificate_that_the_machine_trusts_is_enough() {
    let certificate = TestCertificate::make();
    let args = certificate.args();
    let run = idle(200).args(args).args(["--allow-host", "localhost"]).start();
    let line = run.says("Serving volunteer code at https://localhost:");
    let url = line[line.find("https").expect("a URL")..].to_owned();
    let distrustful = JoinCommand::to(&url).start();
    distrustful
        .wait()
        .status(2)
        .said(&["a certificate that this machine does not trust", "SSL_CERT_FILE"]);
    let trusting = JoinCommand::to(&url).env("SSL_CERT_FILE", certificate.certificate()).start();
    run.wait().gives(numbers(200));
    trusting.wait().status(0).said(&["This machine computed 200 values."]);
}

#[test]
fn a_certificate_of_the_moment_is_not_trusted_and_a_server_without_tls_is_told() {
    let run = idle(1).args(["--tls"]).stdin_open().start();
    let line = run.says("Serving volunteer code at https://127.0.0.1:");
    let url = line[line.find("https").expect("a URL")..].to_owned();
    JoinCommand::to(&url).start().wait().status(2).said(&["does not trust", "SSL_CERT_FILE"]);
    let plain = idle(1).stdin_open().start();
    let url = plain.url().replacen("http", "https", 1);
    JoinCommand::to(&url).start().wait().status(2).said(&["does not speak TLS", "http instead"]);
}

#[test]
fn proxies_make_the_tunnel() {
    for (scheme, (at, asked)) in [("http", connect_proxy()), ("socks5h", socks5_proxy(None))] {
        let run = idle(50).start();
        let url = run.url();
        let proxy = format!("{scheme}://{at}");
        let volunteer = JoinCommand::to(&url).env("ALL_PROXY", proxy).start();
        run.wait().gives(numbers(50));
        volunteer.wait().status(0).said(&["This machine computed 50 values."]);
        assert_eq!(asked.recv().as_deref(), Ok(super::host(&url)), "{scheme}");
    }
}

#[test]
fn a_proxy_that_is_not_there_is_told() {
    let run = idle(1).stdin_open().start();
    let at = format!("http://127.0.0.1:{}", pando_testing::free_port());
    let volunteer = JoinCommand::to(&run.url()).env("http_proxy", &at).start();
    volunteer.wait().status(2).said(&[&format!("the proxy {at}/ makes no connection"), "NO_PROXY"]);
}

#[test]
fn past_a_relay_the_connection_is_direct() {
    let relay = RelayProcess::start(&[]);
    let run = relay
        .used_by(PandoCommand::f("(x, cb) => cb(null, x)"))
        .args(["--cores", "0"])
        .stdin_open()
        .start();
    let volunteer = JoinCommand::to(&run.room()).named("node 7").start();
    // On a busy machine, the first connection may be the one through the relay.
    run.says_any(&["node 7 joined with 1 core, by a direct", "node 7 goes on, by a direct"]);
    let mut run = run;
    let line = "y".repeat(300_000);
    run.write(format!("{}{line}\n", numbers(3000)));
    run.wait().gives(format!("{}{line}\n", numbers(3000)));
    volunteer.wait().status(0).said(&["This machine computed 3,001 values."]);
}

#[test]
fn a_volunteer_that_leaves_a_direct_connection_hands_everything_back() {
    let relay = RelayProcess::start(&[]);
    let run = relay
        .used_by(without_cores("(x, cb) => { if (x !== '1') cb(null, x) }"))
        .args(["--heartbeat", "60"])
        .stdin(numbers(1))
        .start();
    let volunteer = JoinCommand::to(&run.room()).named("node 7").start();
    run.says_any(&["node 7 joined with 1 core, by a direct", "node 7 goes on, by a direct"]);
    volunteer.says("joined ");
    volunteer.signal("TERM");
    volunteer.wait().status(0).said(&["everything else is handed back"]);
    run.says("node 7 left");
}
