//! The monitoring page as a program reads it.

use crate::{RunningProgram, get, request, until};
use pando_testing::{Response, connect};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
};

/// The URL of the monitoring page.
#[track_caller]
pub(crate) fn monitor(run: &RunningProgram) -> String {
    const WORDS: &str = "Serving monitoring page at ";
    run.says(WORDS).trim_start_matches(WORDS).trim().to_owned()
}

/// `host:port` and the token of a URL.
pub(crate) fn place(url: &str) -> (&str, &str) {
    let mut parts = url.split('/').skip(2);
    (parts.next().unwrap(), parts.next().unwrap())
}

/// The snapshot of the page at `url`.
pub(crate) fn status(url: &str) -> Value {
    let response = get(&format!("{url}status.json"));
    assert_eq!((response.status, response.header("content-type")), (200, Some("application/json")));
    serde_json::from_str(&response.body).expect("it is JSON")
}

/// Waits for a snapshot that has the property.
#[track_caller]
pub(crate) fn until_status(url: &str, what: &str, has: impl Fn(&Value) -> bool) -> Value {
    until(what, || Some(status(url)).filter(&has))
}

/// Asks for an action with these headers, each ending in CRLF.
pub(crate) fn post(url: &str, headers: &str, body: &str) -> Response {
    let (host, token) = place(url);
    let length = body.len();
    request(
        host,
        &format!(
            "POST /{token}/actions HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        ),
    )
}

/// Asks for an action, which must be possible.
#[track_caller]
pub(crate) fn act(url: &str, action: &Value) {
    let response = post(url, "Content-Type: application/json\r\n", &action.to_string());
    assert_eq!((response.status, &*response.body), (204, ""), "{action}");
}

/// A stream of server-sent events.
pub(crate) struct EventReader(BufReader<TcpStream>);

impl EventReader {
    /// Opens the stream `name` of the page at `url`.
    pub(crate) fn open(url: &str, name: &str) -> Self {
        let (host, token) = place(url);
        let mut socket = connect(host);
        // To a client of HTTP/1.0, a server sends no chunks.
        let request = format!("GET /{token}/{name} HTTP/1.0\r\nHost: {host}\r\n\r\n");
        socket.write_all(request.as_bytes()).expect("it reads requests");
        Self(BufReader::new(socket))
    }

    /// Waits for the beginning of the stream, a comment.
    pub(crate) fn begins(&mut self) {
        let mut line = String::new();
        while !line.starts_with(':') {
            line.clear();
            assert!(self.0.read_line(&mut line).expect("something comes in time") > 0);
        }
    }

    /// The next event, and its data; `None` at the end of the stream.
    pub(crate) fn next(&mut self) -> Option<(String, Value)> {
        let mut name = String::new();
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).expect("something comes in time") == 0 {
                return None;
            }
            if let Some(event) = line.trim_end().strip_prefix("event: ") {
                event.clone_into(&mut name);
            }
            if let Some(data) = line.trim_end().strip_prefix("data: ") {
                return Some((name, serde_json::from_str(data).expect("it is JSON")));
            }
        }
    }

    /// Reads to the end of the stream, and returns the last state.
    pub(crate) fn last_status(mut self) -> Value {
        let mut last = Value::Null;
        while let Some((name, data)) = self.next() {
            if name == "status" {
                last = data;
            }
        }
        last
    }

    /// The next event called `name`.
    #[track_caller]
    pub(crate) fn wait(&mut self, name: &str) -> Value {
        loop {
            let (event, data) = self.next().expect("the stream goes on");
            if event == name {
                return data;
            }
        }
    }
}
