//! The relay with a certificate.

use crate::support::{AsyncSocket, RelayProcess, SECRET, ScriptedMaster, opening};
use pando_testing::{PandoCommand, TestCertificate, encrypted};
use std::io::{Read, Write};

#[tokio::test(flavor = "multi_thread")]
async fn pages_and_sockets_work_over_tls() {
    let certificate = TestCertificate::make();
    let args = certificate.args();
    let relay = RelayProcess::start(&args.each_ref().map(|arg| arg.to_str().unwrap()));
    relay.run.says("Relay listening at https://127.0.0.1:");
    let config = certificate.client.clone();
    let base = format!("https://localhost:{}", relay.port());
    let secret = format!("Bearer {SECRET}");
    let mut control = AsyncSocket::open_with(
        &format!("{base}/rooms"),
        &[("authorization", &secret)],
        Some(config.clone()),
    )
    .await
    .unwrap();
    let function = vec![b'x'; 300_000];
    ScriptedMaster::ask(&mut control, &opening("token").function(function.clone())).await;
    assert_eq!(control.json().await["url"], format!("{base}/token/"));

    let port = relay.port();
    let tls = config.clone();
    let fetched = tokio::task::spawn_blocking(move || {
        let mut stream = encrypted(port, &tls);
        stream
            .write_all(
                b"GET /token/function.js HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            )
            .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        answer
    });
    assert!(fetched.await.unwrap().ends_with(&function));

    let mut device =
        AsyncSocket::open_with(&format!("{base}/token/socket"), &[], Some(config.clone()))
            .await
            .unwrap();
    let link = control.json().await["id"].as_str().unwrap().to_owned();
    let key = format!("Bearer {}", crate::support::KEY);
    let url = format!("{base}/rooms/token/links/{link}");
    let mut seat =
        AsyncSocket::open_with(&url, &[("authorization", &key)], Some(config)).await.unwrap();
    device.bytes(vec![7; 1 << 20]).await;
    assert_eq!(seat.next().await.unwrap().len(), 1 << 20);
    seat.text(&serde_json::json!("back")).await;
    assert_eq!(device.json().await, "back");
}

#[test]
fn a_key_that_does_not_fit_is_told() {
    let (one, other) = (TestCertificate::make(), TestCertificate::make());
    let run = PandoCommand::bare()
        .args(["relay", "--port", "0", "--secret", "abc", "--tls-cert"])
        .args([one.certificate()])
        .args(["--tls-key"])
        .args([other.key()]);
    run.run().ends(2, "").said(&["do not fit together"]);
}
