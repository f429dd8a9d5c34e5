//! Tests the signalling socket with a simulated browser.

use crate::{place, tabs_only};
use pando_testing::{PandoCommand, Received, RunningProgram, WebSocket, get};
use serde_json::{Value, json};
use std::{
    fs,
    net::{TcpListener, UdpSocket},
};

/// The offer of a browser with one data channel.
pub(crate) const OFFER: &str = "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
    a=msid-semantic: WMS\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n\
    a=candidate:1 1 udp 2113937151 6ad9c4cb-7a3b-4ae7-8c47-9d4d5a3f2d5e.local 40000 typ host generation 0 network-cost 999\r\n\
    a=ice-ufrag:s1xs\r\na=ice-pwd:QqTAiVrSpQXFVDOj1fKgJpCZ\r\na=ice-options:trickle\r\n\
    a=fingerprint:sha-256 7B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:DC:B8:5F:64:1A:24:C2:43:F0:A1:58:D0:A1:2C:19:08\r\n\
    a=setup:actpass\r\na=mid:0\r\na=sctp-port:5000\r\na=max-message-size:262144\r\n";

fn served() -> RunningProgram {
    tabs_only("(x, cb) => cb(null, x)").stdin_open().start()
}

/// Opens a signalling socket. Also returns the first message, with the servers.
pub(crate) fn signal(run: &RunningProgram) -> (WebSocket, Value) {
    let mut socket = WebSocket::open_at(&format!("{}signal", run.url()));
    let Received::Text(servers) = socket.receive() else { panic!("the servers come first") };
    (socket, serde_json::from_str(&servers).expect("JSON"))
}

#[test]
fn an_offer_is_answered_with_the_addresses_of_this_machine_and_the_http_ports_number() {
    let run = served();
    let (mut socket, servers) = signal(&run);
    assert_eq!(servers, json!({"type": "servers", "iceServers": []}));
    socket.text(&json!({"type": "offer", "sdp": OFFER}).to_string());
    let answer = socket.message("answer");
    let sdp = answer["sdp"].as_str().expect("text");
    let port = place(&run.url()).1;
    assert!(sdp.contains(&format!(" 127.0.0.1 {port} typ host")), "{sdp}");
    assert!(sdp.contains("a=max-message-size:16384"), "{sdp}");
    // The master accepts candidates of all kinds, and ignores invalid ones.
    for candidate in [
        "candidate:1 1 udp 1 192.0.2.1 5000 typ host",
        "candidate:2 1 udp 1 a.local 1 typ host",
        "",
        "nonsense",
    ] {
        socket
            .text(&json!({"type": "candidate", "candidate": candidate, "sdpMid": "0"}).to_string());
    }
    socket.text("nonsense");
    assert_eq!(socket.receive(), Received::Closed);
}

#[test]
fn what_is_no_signal_closes_the_socket() {
    let run = served();
    let long = json!({"type": "offer", "sdp": "v=0\r\n".repeat(10_000)}).to_string();
    let answer = json!({"type": "answer", "sdp": OFFER}).to_string();
    let candidate =
        json!({"type": "candidate", "candidate": "candidate:1 1 udp 1 192.0.2.1 5000 typ host"})
            .to_string();
    for text in ["", "nonsense", "{}", &long, &answer, &candidate] {
        let (mut socket, _) = signal(&run);
        socket.text(text);
        assert_eq!(socket.receive(), Received::Closed, "{}", &text[..text.len().min(100)]);
    }
    let (mut socket, _) = signal(&run);
    socket.binary(b"\x01\x02");
    assert_eq!(socket.receive(), Received::Closed);
}

#[test]
fn a_second_offer_closes_the_socket() {
    let run = served();
    let (mut socket, _) = signal(&run);
    let offer = json!({"type": "offer", "sdp": OFFER}).to_string();
    socket.text(&offer);
    socket.message("answer");
    socket.text(&offer);
    assert_eq!(socket.receive(), Received::Closed);
}

#[test]
fn an_offer_that_cannot_be_answered_is_refused_in_words() {
    let run = served();
    for sdp in [
        "",
        "nonsense",
        "v=0\r\n",
        &OFFER.replace("a=fingerprint", "a=other"),
        &OFFER.replace("a=ice-ufrag", "a=other"),
    ] {
        let (mut socket, _) = signal(&run);
        socket.text(&json!({"type": "offer", "sdp": sdp}).to_string());
        let failed = socket.message("failed");
        // The message contains nothing more, because error texts of libraries could reveal memory
        // addresses.
        let words = ["the offer cannot be understood", "the offer cannot be answered"];
        assert!(failed["text"].as_str().is_some_and(|text| words.contains(&text)), "{failed}");
        assert_eq!(socket.receive(), Received::Closed);
    }
}

#[test]
fn only_pages_of_this_master_signal() {
    let run = served();
    let url = run.url();
    let (host, _) = place(&url);
    let (_, head) =
        WebSocket::upgrade_at(&format!("{url}signal"), "Origin: http://evil.example\r\n");
    assert!(head.starts_with("HTTP/1.1 403 "), "{head}");
    let (_, head) =
        WebSocket::upgrade_at(&format!("{url}signal"), &format!("Origin: http://{host}\r\n"));
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    let (_, head) = WebSocket::upgrade_at(&format!("http://{host}/aaaaaaaaaa/signal"), "");
    assert!(head.starts_with("HTTP/1.1 404 "), "{head}");
    assert!((400..500).contains(&get(&format!("{url}signal")).status));
}

/// A port that is taken for UDP and free for TCP. The system gives the ports of this range to
/// nobody by itself.
fn port_taken_for_udp() -> (UdpSocket, u16) {
    let first = 20_000 + (std::process::id() % 10_000) as u16;
    let both = |port| {
        let taken = UdpSocket::bind(("0.0.0.0", port)).ok()?;
        TcpListener::bind(("0.0.0.0", port)).is_ok().then_some((taken, port))
    };
    (first..32_000).find_map(both).expect("some port is free")
}

#[test]
fn a_udp_port_that_is_taken_is_said_and_another_one_used() {
    let (_taken, port) = port_taken_for_udp();
    let run = tabs_only("(x, cb) => cb(null, x)")
        .args(["--port", &port.to_string()])
        .stdin_open()
        .start();
    run.says(&format!("UDP port {port} is taken; direct connections use "));
    let (mut socket, _) = signal(&run);
    socket.text(&json!({"type": "offer", "sdp": OFFER}).to_string());
    let sdp = socket.message("answer")["sdp"].as_str().expect("text").to_owned();
    assert!(sdp.contains(" 127.0.0.1 ") && !sdp.contains(&format!(" {port} typ host")), "{sdp}");
}

#[test]
fn local_runs_open_no_udp_port() {
    let mut run = PandoCommand::f("(x, cb) => cb(null, x)").local().stdin_open().start();
    run.write_line("1");
    assert_eq!(run.line().as_deref(), Some("1"));
    let own = fs::read_dir(format!("/proc/{}/fd", run.pid())).expect("it runs");
    let links = own
        .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
        .map(|link| link.to_string_lossy().into_owned());
    let udp = sockets();
    let opened: Vec<String> =
        links.filter(|link| udp.iter().any(|inode| *link == format!("socket:[{inode}]"))).collect();
    assert!(opened.is_empty(), "{opened:?}");
    run.wait().gives("1\n");
}

/// The inodes of all UDP sockets.
fn sockets() -> Vec<String> {
    let tables = ["/proc/net/udp", "/proc/net/udp6"]
        .map(|file| fs::read_to_string(file).unwrap_or_default());
    let lines = tables.iter().flat_map(|table| table.lines().skip(1));
    lines.filter_map(|line| line.split_ascii_whitespace().nth(9).map(str::to_owned)).collect()
}
