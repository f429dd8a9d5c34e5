//! Limits of connections: their number, their slowness, their messages before hello.

use crate::{host, served};
use pando_testing::{Received, WebSocket, connect, get, refuses_http2, request, until};
use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    thread,
    time::Duration,
};

/// Waits until the other side closes the connection.
pub(crate) fn is_closed(socket: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    match socket.read_to_end(&mut rest) {
        Ok(_) => true,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}

/// Writes `text` byte by byte until the other side closes the connection.
pub(crate) fn dribble(socket: &TcpStream, text: &[u8]) {
    let (mut socket, text) = (socket.try_clone().unwrap(), text.repeat(100));
    thread::spawn(move || {
        for byte in text {
            if socket.write_all(&[byte]).is_err() {
                return;
            }
            thread::sleep(Duration::from_millis(100));
        }
    });
}

#[test]
fn who_says_nothing_dribbles_its_headers_or_has_no_more_to_ask_is_dropped() {
    let run = served(&[]);
    let url = run.url();
    let [mut silent, mut slow, mut idle] = [0; 3].map(|_| connect(host(&url)));
    slow.write_all(b"GET / HTTP/1.1\r\n").unwrap();
    dribble(&slow, b"X-More: a\r\n");
    idle.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    assert!(is_closed(&mut silent) && is_closed(&mut slow) && is_closed(&mut idle));
}

#[test]
fn who_speaks_http_2_is_told_that_this_is_http_1_and_dropped_at_once() {
    let run = served(&[]);
    let url = run.url();
    refuses_http2(connect(host(&url)));
    let upgrade = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: \r\n\r\n";
    assert_eq!(request(host(&url), upgrade).status, 404, "nor is it changed to");
}

#[test]
fn a_socket_that_says_no_hello_is_closed() {
    let run = served(&[]);
    let url = run.url();
    let mut silent = WebSocket::open(&url);
    let (mut slow, _) = WebSocket::upgrade(&url, "");
    // The header announces a hello of a hundred bytes, …
    slow.write_all(&[0x81, 0x80 | 100, 0, 0, 0, 0]).unwrap();
    // … and the bytes follow every 0.1 seconds, so the hello would take the whole time limit.
    dribble(&slow, b"{");
    let mut pinging = WebSocket::open(&url);
    pinging.frame(0x89, b"ping");
    let (mut signalling, _) = WebSocket::upgrade_at(&format!("{url}signal"), "");
    assert_eq!(silent.receive(), Received::Closed);
    assert_eq!(pinging.receive(), Received::Closed);
    assert!(is_closed(&mut slow));
    assert!(is_closed(&mut signalling), "nor one that says no offer");
}

#[test]
fn a_stranger_may_say_so_much_before_hello_and_a_volunteer_more() {
    let run = served(&[]);
    let url = run.url();
    let mut stranger = WebSocket::open(&url);
    // The frames are pieces of one endless message. No piece, and no message so far, exceeds the
    // length of a message.
    stranger.frame(0x01, &[b'x'; 60_000]);
    for _ in 0..5 {
        stranger.frame(0x00, &[b'x'; 60_000]);
    }
    assert_eq!(stranger.receive(), Received::Closed);
    let mut volunteer = WebSocket::join(&url, "Ann", 1);
    let text = "x".repeat(900_000);
    volunteer.text(
        &serde_json::json!({"type": "log", "entries": [{"level": "log", "text": text}]})
            .to_string(),
    );
    volunteer.text(r#"{"type":"ping","t":7}"#);
    assert_eq!(volunteer.message("pong")["t"], 7);
}

#[test]
fn headers_that_are_too_long_are_refused() {
    let run = served(&[]);
    let url = run.url();
    let response = request(
        host(&url),
        &format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "x".repeat(100_000)),
    );
    assert_eq!(response.status, 431);
}

#[test]
fn there_are_only_so_many_connections_and_those_refused_are_told_of() {
    let run = served(&["--max-connections", "5"]);
    let url = run.url();
    let held: Vec<WebSocket> = (0..5).map(|_| WebSocket::open(&url)).collect();
    assert!(is_closed(&mut connect(host(&url))));
    run.says("too many connections: one from 127.0.0.1 was refused (--max-connections");
    drop(held);
    until("there is room again", || {
        let mut socket = connect(host(&url));
        socket.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
        let mut answer = String::new();
        (socket.read_to_string(&mut answer).is_ok() && answer.starts_with("HTTP/1.1 404"))
            .then_some(())
    });
}

#[test]
fn an_address_has_only_so_many_connections_and_loopback_as_many_as_it_likes() {
    let run = served(&["--max-connections-per-address", "3"]);
    let url = run.url();
    let _held: Vec<WebSocket> = (0..20).map(|_| WebSocket::open(&url)).collect();
    let stderr = run.stderr();
    let mut outer = stderr
        .lines()
        .filter_map(|line| line.split_once("Serving volunteer code at "))
        .map(|(_, url)| url);
    let Some(outer) = outer.find(|outer| outer.starts_with("http://") && !outer.contains("//127."))
    else {
        eprintln!("skipped in part: this machine has no address but loopback");
        return;
    };
    let _held: Vec<WebSocket> = (0..3).map(|_| WebSocket::open(outer)).collect();
    assert!(is_closed(&mut connect(host(outer))), "{outer}");
    assert_eq!(get(&url).status, 200, "others are served all the same");
}
