//! HTTPS, with certificates from files and with temporary certificates.

use crate::connections::{dribble, is_closed};
use pando_testing::{
    PandoCommand, RunningProgram, Tab, TestCertificate, encrypted, http2, lines, request,
};
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::Arc,
};

fn over_tls(args: &[impl AsRef<std::ffi::OsStr>]) -> RunningProgram {
    PandoCommand::f("(x, cb) => cb(null, x * 2)")
        .args(["--cores", "0"])
        .args(args)
        .stdin_open()
        .start()
}

/// The URL on loopback, and its port.
fn place(run: &RunningProgram) -> (String, u16) {
    let line = run.says("Serving volunteer code at https://127.0.0.1:");
    let url = line[line.find("https").unwrap()..].trim().to_owned();
    let port = url.split([':', '/']).nth(4).unwrap().parse().unwrap();
    (url, port)
}

#[test]
fn tabs_compute_over_a_certificate_of_the_moment() {
    for protocol in ["websocket", "webrtc"] {
        let mut run = over_tls(&["--tls"]);
        let (url, _) = place(&run);
        let _tab = Tab::open(&url, &format!("device=Ann;cores=1;protocol={protocol};"));
        run.says(if protocol == "webrtc" {
            "Ann joined with 1 core, by a direct connection"
        } else {
            "Ann joined with 1 core"
        });
        run.write(lines(1..=100));
        run.wait().gives(lines((1..=100).map(|n| 2 * n)));
    }
}

#[test]
fn who_makes_no_handshake_or_dribbles_it_is_dropped() {
    let run = over_tls(&["--tls"]);
    let (_, port) = place(&run);
    let [mut silent, mut slow] = [(); 2].map(|()| TcpStream::connect(("127.0.0.1", port)).unwrap());
    // The start of a ClientHello of 512 bytes.
    slow.write_all(&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]).unwrap();
    dribble(&slow, &[7]);
    assert!(is_closed(&mut silent) && is_closed(&mut slow));
}

#[test]
fn the_fingerprint_that_is_said_is_that_of_the_certificate() {
    let run = over_tls(&["--tls"]);
    let said = run.says("SHA-256 fingerprint: ");
    let said = said.rsplit(' ').next().unwrap().to_owned();
    let (url, port) = place(&run);
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().dangerous();
    let config =
        Arc::new(config.with_custom_certificate_verifier(Arc::new(Anyone)).with_no_client_auth());
    let mut stream = encrypted(port, &config);
    let path = url.splitn(4, '/').last().unwrap();
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let certificate = stream.conn.peer_certificates().unwrap()[0].clone();
    let digest = ::aws_lc_rs::digest::digest(&::aws_lc_rs::digest::SHA256, &certificate);
    let print: Vec<String> = digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    assert_eq!(print.join(":"), said);
    assert!(
        !run.folder().read_dir().unwrap().any(|file| file.unwrap().file_name() != "f.js"),
        "nothing is kept"
    );
}

#[test]
fn a_certificate_of_files_is_used_and_its_name_comes_first() {
    let certificate = TestCertificate::make();
    let mut args: Vec<_> = certificate.args().map(Into::into).into();
    args.extend(["--allow-host", "localhost"].map(std::ffi::OsString::from));
    let run = over_tls(&args);
    let (url, port) = place(&run);
    assert!(
        run.stderr().starts_with(&format!("Serving volunteer code at https://localhost:{port}/")),
        "{}",
        run.stderr()
    );
    let mut stream = encrypted(port, &certificate.client);
    let path = url.splitn(4, '/').last().unwrap();
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn what_a_handshake_offers_is_what_is_served() {
    let certificate = TestCertificate::make();
    let args: Vec<std::ffi::OsString> = certificate.args().map(Into::into).into();
    let run = over_tls(&args);
    let (_, port) = place(&run);
    let offering = |protocols: &[&str]| {
        let mut client = (*certificate.client).clone();
        client.alpn_protocols =
            protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        let mut stream = encrypted(port, &Arc::new(client));
        let answer = stream.write_all(&http2()).map(|()| {
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer);
            answer
        });
        (stream.conn.alpn_protocol().map(<[u8]>::to_vec), answer)
    };
    let (agreed, answer) = offering(&["h2", "http/1.1"]);
    assert_eq!(agreed.as_deref(), Some(b"http/1.1".as_slice()));
    assert!(answer.is_ok_and(|answer| answer.is_empty() || answer.starts_with(b"HTTP/1.1 4")));
    let (agreed, answer) = offering(&["h2"]);
    assert_eq!(agreed, None);
    assert!(
        answer.is_err() || answer.is_ok_and(|answer| answer.is_empty()),
        "there is no handshake"
    );
    let (_, answer) = offering(&[]);
    assert!(
        answer.is_ok_and(|answer| answer.is_empty() || answer.starts_with(b"HTTP/1.1 4")),
        "nor without a word about it"
    );
}

#[test]
fn plain_http_on_the_port_of_https_is_told_so() {
    let run = over_tls(&["--tls"]);
    let (_, port) = place(&run);
    let answer = request(&format!("127.0.0.1:{port}"), "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(answer.status, 400);
    assert!(answer.body.contains("https://"), "{answer:?}");
}

#[test]
fn files_that_are_no_certificate_and_key_are_refused_with_words() {
    let (one, other) = (TestCertificate::make(), TestCertificate::make());
    let tls = |certificate: &std::path::Path, key: &std::path::Path| {
        let run = PandoCommand::f("(x, cb) => cb(null, x)")
            .args(["--cores", "0", "--tls-cert"])
            .args([certificate]);
        run.args(["--tls-key"]).args([key]).stdin("1\n").run()
    };
    tls(&one.certificate(), &other.key()).ends(2, "").said(&["--tls-cert", "do not fit together"]);
    tls(&one.key(), &one.key()).ends(2, "").said(&["--tls-cert", "there is no certificate in it"]);
    tls(&one.certificate(), &one.certificate())
        .ends(2, "")
        .said(&["--tls-key", "no private key can be read"]);
    tls("absent.pem".as_ref(), &one.key())
        .ends(2, "")
        .said(&["--tls-cert absent.pem", "no certificate can be read"]);
    let alone = PandoCommand::f("(x, cb) => cb(null, x)")
        .args(["--tls-cert"])
        .args([one.certificate()])
        .stdin("1\n")
        .run();
    alone.ends(2, "").said(&["--tls-key"]);
}

/// Accepts every certificate, because the test compares the fingerprint.
#[derive(Debug)]
struct Anyone;

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
