//! Gateways together with the options of the run, and with their own.

use super::*;
use crate::values;
use pando_testing::{RelayProcess, SECRET, TestCertificate, get};

#[test]
fn a_gateway_joins_at_a_relay_and_its_devices_at_a_relay_of_its_own() {
    let (far, near) = (RelayProcess::start(&[]), RelayProcess::start(&[]));
    let run = far.used_by(idle(300)).start();
    let own = ["--port", "0", "--host", &near.at(""), "--secret", SECRET];
    let gateway = gateway(&run.room()).args(own).start();
    let machine = JoinCommand::to(&gateway.room()).named("node 7").start();
    let _tab = Tab::open(&gateway.room(), "device=tab;cores=1;protocol=websocket;");
    run.wait().gives(numbers(300));
    gateway.wait().status(0).said(&["node 7 joined", "computed 300 values"]);
    machine.wait().status(0).said(&["The job is done"]);
}

#[test]
fn devices_reach_a_gateway_by_https() {
    let certificate = TestCertificate::make();
    let run = idle(100).start();
    let files = certificate.args().map(|word| word.display().to_string());
    let gateway = gateway(&run.url())
        .args(["--port", "0", "--allow-host", "localhost"])
        .args(files.iter().map(String::as_str))
        .start();
    let line = gateway.says("Serving volunteer code at https://localhost:");
    let url = &line[line.find("https").expect("a URL")..];
    let _machine = JoinCommand::to(url).env("SSL_CERT_FILE", certificate.certificate()).start();
    run.wait().gives(numbers(100));
    gateway.wait().status(0);
}

/// The file of the certificate at `url`, fetched as `docs/join.md` says, and its fingerprint.
fn fetched_certificate(url: &str, folder: &std::path::Path) -> (std::path::PathBuf, String) {
    let file = folder.join("pando.pem");
    let words = format!(
        "openssl s_client -connect {} < /dev/null | openssl x509 > '{file}' && openssl x509 -in '{file}' -noout -fingerprint -sha256",
        host(url),
        file = file.display()
    );
    let done = std::process::Command::new("sh").args(["-c", &words]).output().expect("sh starts");
    let said = String::from_utf8_lossy(&done.stdout);
    let (_, fingerprint) = said.split_once('=').expect("openssl shows the fingerprint");
    (file, fingerprint.trim().to_owned())
}

#[test]
fn devices_trust_the_certificate_that_a_gateway_has_made_for_all_its_runs() {
    let port = pando_testing::free_port().to_string();
    let run = |count| idle(count).args(["--token", "k7d2m9qx4tab", "--port", &port]).start();
    let first = run(30);
    let gateway = gateway(&first.url()).args(["--wait", "--tls", "--port", "0"]).start();
    let line = gateway.says("Serving volunteer code at https://127.0.0.1:");
    let url = &line[line.find("https").expect("a URL")..];
    let folder = tempfile::tempdir().expect("the temporary folder can be written");
    let (certificate, fingerprint) = fetched_certificate(url, folder.path());
    gateway.says(&fingerprint);
    JoinCommand::to(url).start().wait().status(2).said(&["UnknownIssuer", "SSL_CERT_FILE"]);
    let machine = JoinCommand::to(url).args(["--wait"]).env("SSL_CERT_FILE", certificate).start();
    first.wait().gives(numbers(30));
    gateway.says("waiting for the next run");
    run(50).wait().gives(numbers(50));
    gateway.says("This machine computed 50 values.");
    for program in [machine, gateway] {
        program.signal("TERM");
        program.wait().status(0);
    }
}

#[test]
fn for_copies_a_gateway_is_one_device() {
    let run = idle(20).args(["--copies", "2", "--heartbeat", "60"]).start();
    let url = run.url();
    let gateway = any_gateway(&url);
    let machines = ["a", "b"].map(|name| JoinCommand::to(&gateway.url()).named(name).start());
    for name in ["a", "b"] {
        gateway.says(&format!("{name} joined"));
    }
    let mut other = WebSocket::join(&url, "other", 1);
    let first = values(&mut other);
    assert!(!first.is_empty(), "each value is for two devices of the run");
    for (loan, value) in first {
        answer(&mut other, loan, std::str::from_utf8(&value).expect("text"));
    }
    echo(&mut other);
    let done = run.wait();
    done.status(0);
    assert_eq!(done.lines().len(), 20);
    for line in done.lines() {
        assert!(line.contains("\"gateway\"") && line.contains("\"other\""), "{line}");
    }
    machines.into_iter().for_each(|machine| drop(machine.wait()));
}

#[test]
fn the_time_limit_of_the_run_holds_behind_a_gateway() {
    let run = PandoCommand::f("(x, cb) => { if (x !== '2') cb(null, x) }")
        .args(["--cores", "0", "--timeout", "300ms", "--retries", "1", "--on-error", "skip"])
        .stdin(numbers(3))
        .start();
    let gateway = any_gateway(&run.url());
    let _machine = JoinCommand::to(&gateway.url()).named("node 7").start();
    let done = run.wait();
    done.ends(1, "1\n3\n").said(&["item 2 failed on node 7 at gateway: ", "attempts: 2"]);
}

#[test]
fn what_closes_the_network_to_functions_closes_it_behind_a_gateway() {
    let elsewhere = FunctionGate::closed();
    elsewhere.open_for_all();
    let f = format!(
        "async (x, cb) => {{ try {{ {}; cb(null, 'open') }} catch (error) {{ cb(null, 'closed') }} }}",
        format_args!("await fetch('{}')", elsewhere.url())
    );
    let run = PandoCommand::f(&f).args(["--cores", "0", "--deny-net"]).stdin("1\n").start();
    let gateway = any_gateway(&run.url());
    let url = gateway.url();
    let settings: serde_json::Value =
        serde_json::from_str(&get(&format!("{url}job.json")).body).expect("JSON");
    assert_eq!(settings["denyNet"], true);
    let _tab = Tab::open(&url, "device=tab;cores=1;");
    run.wait().gives("closed\n");
}
