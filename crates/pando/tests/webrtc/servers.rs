//! STUN and TURN servers: sent to browsers, and asked by the master itself.

use crate::{
    signalling::{OFFER, signal},
    tabs_only,
};
use pando_testing::{DEADLINE, PandoCommand};
use serde_json::json;
use std::{
    net::{SocketAddr, UdpSocket},
    thread,
};

/// Starts a STUN server that reports 203.0.113.7, port 4242, to every client, and ignores the
/// first `silent` requests. Returns its port.
fn stun_server(silent: usize) -> u16 {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    socket.set_read_timeout(Some(DEADLINE)).expect("a time is fine");
    let port = socket.local_addr().expect("bound").port();
    thread::spawn(move || {
        let (mut packet, mut asked) = ([0; 1500], 0);
        while let Ok((length, from)) = socket.recv_from(&mut packet) {
            assert_eq!((length, &packet[..8]), (20, &b"\x00\x01\x00\x00\x21\x12\xa4\x42"[..]));
            asked += 1;
            if asked > silent {
                answer(&socket, &packet[8..20], from);
            }
        }
    });
    port
}

fn answer(socket: &UdpSocket, transaction: &[u8], to: SocketAddr) {
    let mut answer = b"\x01\x01\x00\x0c\x21\x12\xa4\x42".to_vec();
    answer.extend_from_slice(transaction);
    // XOR-MAPPED-ADDRESS, masked with the cookie.
    answer.extend_from_slice(b"\x00\x20\x00\x08\x00\x01");
    answer.extend_from_slice(&(4242u16 ^ 0x2112).to_be_bytes());
    answer.extend_from_slice(&[203 ^ 0x21, 0x12, 113 ^ 0xa4, 7 ^ 0x42]);
    socket.send_to(&answer, to).expect("it is sent");
}

#[test]
fn browsers_are_told_the_servers() {
    let servers = "stun:stun.example.org,turn:ann:s%2Cecret@turn.example.org:3479?transport=tcp";
    let run =
        tabs_only("(x, cb) => cb(null, x)").args(["--ice-servers", servers]).stdin_open().start();
    let expected = json!({"type": "servers", "iceServers": [
        {"urls": ["stun:stun.example.org:3478"]},
        {"urls": ["turn:turn.example.org:3479?transport=tcp"], "username": "ann", "credential": "s,ecret"},
    ]});
    assert_eq!(signal(&run).1, expected);
}

#[test]
fn what_is_no_server_is_a_usage_error() {
    for (servers, words) in [
        ("example.org", "stun:HOST:PORT"),
        ("turn:example.org", "needs a user and a password"),
        ("stun:a:b", "no port"),
    ] {
        let run =
            PandoCommand::f("(x, cb) => cb(null, x)").args(["--ice-servers", servers, "1"]).run();
        run.ends(2, "").said(&["--ice-servers", words]);
    }
}

#[test]
fn the_address_that_a_server_sees_is_told_to_browsers_also_when_it_comes_late() {
    for silent in [0, 2] {
        let server = format!("stun:localhost:{}", stun_server(silent));
        let run = tabs_only("(x, cb) => cb(null, x)")
            .args(["--ice-servers", &server])
            .stdin_open()
            .start();
        let (mut socket, _) = signal(&run);
        socket.text(&json!({"type": "offer", "sdp": OFFER}).to_string());
        let answer = socket.message("answer")["sdp"].as_str().expect("text").to_owned();
        let told = if answer.contains("typ srflx") {
            answer
        } else {
            socket.message("candidate")["candidate"].to_string()
        };
        assert!(told.contains(" 203.0.113.7 4242 typ srflx"), "{told}");
    }
}
