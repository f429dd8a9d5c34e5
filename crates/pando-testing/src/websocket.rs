//! A minimal WebSocket client that can also send messages that no volunteer would send.

use super::http;
use pando_protocol::volunteer::VERSION;
use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
};

/// A volunteer's socket after the upgrade.
#[derive(Debug)]
pub struct WebSocket(TcpStream);

/// A message from the master.
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    /// A text message.
    Text(String),
    /// A binary message.
    Binary(Vec<u8>),
    /// A closing frame, or the end of the connection.
    Closed,
}

impl WebSocket {
    /// Opens the socket below `url`.
    pub fn open(url: &str) -> Self {
        Self::open_at(&format!("{url}socket"))
    }

    /// Opens the socket below `url`, and sends the hello of a volunteer.
    pub fn join(url: &str, device: &str, cores: u32) -> Self {
        let mut socket = Self::open(url);
        socket.hello(url, device, cores);
        socket
    }

    /// Opens the socket below `url`. `None` if the master refuses the upgrade.
    pub fn try_open(url: &str) -> Option<Self> {
        let (socket, head) = Self::upgrade(url, "");
        head.starts_with("HTTP/1.1 101 ").then_some(Self(socket))
    }

    /// Opens the socket at `url`.
    pub fn open_at(url: &str) -> Self {
        let (socket, head) = Self::upgrade_at(url, "");
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        Self(socket)
    }

    /// Requests an upgrade below `url` with more headers, each ending in CRLF. Returns the
    /// connection and the response up to the empty line.
    pub fn upgrade(url: &str, headers: &str) -> (TcpStream, String) {
        Self::upgrade_at(&format!("{url}socket"), headers)
    }

    /// Requests an upgrade at `url`, like [`WebSocket::upgrade`].
    pub fn upgrade_at(url: &str, headers: &str) -> (TcpStream, String) {
        let (host, path) = http::parts(url);
        let mut socket = http::connect(host);
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
        );
        // The master may have closed the connection at once.
        let _ = socket.write_all(request.as_bytes());
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") && matches!(socket.read(&mut byte), Ok(1)) {
            head.push(byte[0]);
        }
        (socket, String::from_utf8_lossy(&head).into_owned())
    }

    /// Sends a text message.
    pub fn text(&mut self, text: &str) {
        self.frame(0x81, text.as_bytes());
    }

    /// Sends a binary message.
    pub fn binary(&mut self, bytes: &[u8]) {
        self.frame(0x82, bytes);
    }

    /// Sends one frame with the first byte `first`. Like Firefox requires: no mask of zeros, no
    /// long form of a short length.
    pub fn frame(&mut self, first: u8, payload: &[u8]) {
        let mut frame = vec![first];
        match payload.len() {
            short @ ..126 => frame.push(0x80 | short as u8),
            medium @ ..0x1_0000 => {
                frame.push(0x80 | 126);
                frame.extend_from_slice(&(medium as u16).to_be_bytes());
            }
            length => {
                frame.push(0x80 | 127);
                frame.extend_from_slice(&(length as u64).to_be_bytes());
            }
        }
        let mask = [1, 2, 3, 4];
        frame.extend_from_slice(&mask);
        frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        self.raw(&frame);
    }

    /// Sends raw bytes, even if the master has closed the connection.
    pub fn raw(&mut self, bytes: &[u8]) {
        let _ = self.0.write_all(bytes);
    }

    /// Sends raw bytes. Returns whether the connection still accepted them.
    pub fn try_raw(&mut self, bytes: &[u8]) -> bool {
        self.0.write_all(bytes).is_ok()
    }

    /// Sends the hello of a volunteer, and returns the welcome.
    pub fn hello(&mut self, url: &str, device: &str, cores: u32) -> serde_json::Value {
        self.introduce(url, device, serde_json::json!({"cores": cores}))
    }

    /// Sends the hello of a volunteer with the fields of `more` added or replaced, and returns the
    /// welcome.
    pub fn introduce(
        &mut self,
        url: &str,
        device: &str,
        more: serde_json::Value,
    ) -> serde_json::Value {
        let token = http::parts(url).1.trim_matches('/');
        let mut hello = serde_json::json!({
            "type": "hello", "version": VERSION, "token": token, "device": device, "name": device, "cores": 1, "holds": [], "kind": "browser"
        });
        let serde_json::Value::Object(more) = more else { panic!("fields are expected: {more}") };
        more.into_iter().for_each(|(name, value)| hello[name] = value);
        self.text(&hello.to_string());
        self.message("welcome")
    }

    /// Waits for the next text message of `kind`, and skips all others.
    #[track_caller]
    pub fn message(&mut self, kind: &str) -> serde_json::Value {
        loop {
            match self.receive() {
                Received::Text(text) => {
                    let message: serde_json::Value =
                        serde_json::from_str(&text).expect("text messages are JSON");
                    if message["type"] == kind {
                        return message;
                    }
                }
                Received::Binary(_) => {}
                Received::Closed => panic!("closed before a message `{kind}`"),
            }
        }
    }

    /// The next message.
    pub fn receive(&mut self) -> Received {
        match self.try_receive() {
            Ok(received) => received,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                panic!("nothing came: {error}")
            }
            Err(_) => Received::Closed,
        }
    }

    fn try_receive(&mut self) -> std::io::Result<Received> {
        loop {
            let [first, second] = self.exactly()?;
            let length = match second & 0x7f {
                126 => u64::from(u16::from_be_bytes(self.exactly()?)),
                127 => u64::from_be_bytes(self.exactly()?),
                short => u64::from(short),
            };
            let mut payload = vec![0; length as usize];
            self.0.read_exact(&mut payload)?;
            match first & 0x0f {
                1 => return Ok(Received::Text(String::from_utf8(payload).expect("UTF-8"))),
                2 => return Ok(Received::Binary(payload)),
                8 => return Ok(Received::Closed),
                _ => {}
            }
        }
    }

    fn exactly<const N: usize>(&mut self) -> std::io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.0.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}
