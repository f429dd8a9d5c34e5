//! With a certificate.

use crate::support::{Master, Relay, SECRET, Socket, opening};
use rustls::{ClientConfig, RootCertStore, StreamOwned, crypto::aws_lc_rs, pki_types::ServerName};
use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    sync::Arc,
};

/// Text of a PEM file.
fn pem(label: &str, der: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in der.chunks(3) {
        let bits = three.iter().chain(&[0, 0]).take(3).fold(0, |bits, byte| bits << 8 | usize::from(*byte));
        for at in 0..4 {
            text.push(if at <= three.len() { char::from(LETTERS[bits >> (18 - 6 * at) & 63]) } else { '=' });
        }
    }
    let lines: Vec<String> = text.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_and_sockets_work_over_tls() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    fs::write(&certificate, pem("CERTIFICATE", made.cert.der())).unwrap();
    fs::write(&key, pem("PRIVATE KEY", &made.signing_key.serialize_der())).unwrap();
    let relay = Relay::start(&["--tls-cert", certificate.to_str().unwrap(), "--tls-key", key.to_str().unwrap()]);
    relay.run.says("Relay listening at https://127.0.0.1:");

    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap();
    let config = Arc::new(config.with_root_certificates(roots).with_no_client_auth());
    let base = format!("https://localhost:{}", relay.port());
    let secret = format!("Bearer {SECRET}");
    let mut control =
        Socket::open_with(&format!("{base}/rooms"), &[("authorization", &secret)], Some(config.clone())).await.unwrap();
    let function = vec![b'x'; 300_000];
    Master::ask(&mut control, &opening("token").function(function.clone())).await;
    assert_eq!(control.json().await["url"], format!("{base}/token/"));

    let port = relay.port();
    let tls = config.clone();
    let fetched = tokio::task::spawn_blocking(move || {
        let name = ServerName::try_from("localhost").unwrap();
        let connection = rustls::ClientConnection::new(tls, name).unwrap();
        let mut stream = StreamOwned::new(connection, TcpStream::connect(("127.0.0.1", port)).unwrap());
        stream.write_all(b"GET /token/function.js HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        answer
    });
    assert!(fetched.await.unwrap().ends_with(&function));

    let mut device = Socket::open_with(&format!("{base}/token/socket"), &[], Some(config.clone())).await.unwrap();
    let link = control.json().await["id"].as_str().unwrap().to_owned();
    let key = format!("Bearer {}", crate::support::KEY);
    let url = format!("{base}/rooms/token/links/{link}");
    let mut seat = Socket::open_with(&url, &[("authorization", &key)], Some(config)).await.unwrap();
    device.bytes(vec![7; 1 << 20]).await;
    assert_eq!(seat.next().await.unwrap().len(), 1 << 20);
    seat.text(&serde_json::json!("back")).await;
    assert_eq!(device.json().await, "back");
}

#[test]
fn a_key_that_does_not_fit_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap(),
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap(),
    );
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    fs::write(&certificate, pem("CERTIFICATE", one.cert.der())).unwrap();
    fs::write(&key, pem("PRIVATE KEY", &other.signing_key.serialize_der())).unwrap();
    let run = crate::common::Pando::bare()
        .args(["relay", "--port", "0", "--secret", "abc", "--tls-cert"])
        .args([&certificate])
        .args(["--tls-key"])
        .args([&key]);
    run.run().ends(2, "").said(&["do not fit together"]);
}
