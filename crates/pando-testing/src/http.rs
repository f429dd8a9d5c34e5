//! A minimal HTTP client that sends exactly the bytes of a test.

use super::DEADLINE;
use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
};

/// A response of the server.
#[derive(Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The status line and the headers, in lower case.
    pub head: String,
    /// The body as text.
    pub body: String,
}

impl Response {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")))
    }
}

/// `host:port` and the path of a URL.
pub(crate) fn parts(url: &str) -> (&str, &str) {
    let rest = url.strip_prefix("http://").expect("plain HTTP");
    rest.split_at(rest.find('/').expect("a path"))
}

/// Requests `url`.
pub fn get(url: &str) -> Response {
    let (host, path) = parts(url);
    request(host, &format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"))
}

/// Requests `url` like a browser that opens a page.
pub fn visit(url: &str) -> Response {
    let (host, path) = parts(url);
    let accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    request(
        host,
        &format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: {accept}\r\nConnection: close\r\n\r\n"
        ),
    )
}

/// The first bytes of an HTTP/2 client: the preface, settings with a window of zero bytes, and a
/// request for `/`.
pub fn http2() -> Vec<u8> {
    let settings = [0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0];
    let request = [0, 0, 6, 1, 5, 0, 0, 0, 1, 0x82, 0x86, 0x84, 0x41, 0x01, b'a'];
    [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice(), &settings, &request].concat()
}

/// Speaks HTTP/2 over `socket`, and asserts that the server refuses it and closes the connection.
pub fn refuses_http2(mut socket: TcpStream) {
    socket.write_all(&http2()).expect("it reads requests");
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer);
    assert!(
        answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"),
        "{}",
        String::from_utf8_lossy(&answer)
    );
}

/// Sends `text` to `host:port`, and reads until the server closes the connection.
pub fn request(host: &str, text: &str) -> Response {
    let mut socket = connect(host);
    socket.write_all(text.as_bytes()).expect("it reads requests");
    let mut all = Vec::new();
    socket.read_to_end(&mut all).expect("it answers, and closes");
    let all = String::from_utf8_lossy(&all);
    let (head, body) = all.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no HTTP: {all:?}"));
    let head = head.to_ascii_lowercase();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Response { status, head, body: body.to_owned() }
}

/// A connection with time limits for reading and writing.
pub fn connect(host: &str) -> TcpStream {
    let socket = TcpStream::connect(host).expect("it accepts connections");
    socket.set_read_timeout(Some(DEADLINE)).expect("a time is fine");
    socket.set_write_timeout(Some(DEADLINE)).expect("a time is fine");
    socket
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a port is free")
        .port()
}
