//! Connections by clients that do not belong to the run.

use super::{chance::Chance, lies};
use crate::swarm::link::{Address, Link};
use pando_protocol::volunteer::Frame;
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::{io::AsyncWriteExt, net::TcpStream};

/// The longest time that a stranger stays.
const STAY: Duration = Duration::from_millis(300);

/// Sends a hello that the master refuses, or another message in its place.
pub(crate) async fn wrong_hello(address: Address, mut chance: Chance) {
    let Ok(link) = Link::open(&address, Duration::ZERO).await else { return };
    let hello = |version: u32, token: &str, cores: u32, holds: Vec<u64>| {
        Frame::Text(
            json!({"type": "hello", "version": version, "token": token, "device": "wrong", "name": "Wrong", "cores": cores, "holds": holds})
                .to_string(),
        )
    };
    let token = &*address.token;
    let frame = match chance.of_range(0..7) {
        0 => hello(chance.one(&[0, 2, u32::MAX]), token, 1, vec![]),
        1 => hello(1, &token.to_uppercase(), 1, vec![]),
        2 => hello(1, "", 1, vec![]),
        // The master accepts these two, but the volunteers leave soon.
        3 => hello(1, token, u32::MAX, vec![]),
        4 => hello(1, token, 0, (0..100_000).collect()),
        5 => lies::chatter(&mut chance, 10),
        _ => lies::malformed(&mut chance, 10),
    };
    link.send(frame, Instant::now());
    tokio::time::sleep(chance.time(STAY)).await;
}

/// Connects as a client that is no volunteer.
pub(crate) async fn stranger(address: Address, mut chance: Chance) {
    let Ok(mut stream) = TcpStream::connect(&address.host).await else { return };
    let (host, token) = (&address.host, &address.token);
    let said = match chance.of_range(0..7) {
        0 => String::new(),
        1 => format!("GET /{token}/ HTTP/1.1\r\nHost: {host}\r\n\r\n"),
        2 => format!("GET /{token}/socket HTTP/1.1\r\nHost: {host}\r\nUpg"),
        3 => format!("GET /another/socket HTTP/1.1\r\nHost: {host}\r\n\r\n"),
        4 => "\u{16}\u{3}\u{1}\u{2}".into(),
        5 => format!(
            "POST /{token}/ HTTP/1.1\r\nHost: {host}\r\nContent-Length: 99999999\r\n\r\n{}",
            "x".repeat(100_000)
        ),
        _ => format!(
            "GET /{token}/socket HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\u{1}\u{2}no frame"
        ),
    };
    let _ = stream.write_all(said.as_bytes()).await;
    tokio::time::sleep(chance.time(STAY)).await;
}
