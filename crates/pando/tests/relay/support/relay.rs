//! The process of a relay.

use crate::common::{Pando, Response, Running, get};
use serde_json::Value;
use std::{ffi::OsString, net::UdpSocket};

/// The secret of the relays in these tests.
pub(crate) const SECRET: &str = "the-secret-of-this-test";

/// A running relay, killed when dropped.
#[derive(Debug)]
pub(crate) struct Relay {
    pub(crate) run: Running,
    /// `host:port`.
    pub(crate) host: String,
}

impl Relay {
    /// Starts a relay on loopback without UDP, with [`SECRET`] and more arguments.
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::with(&[&["--no-udp"], args].concat())
    }

    /// Starts a relay on loopback with STUN and TURN. Also returns the UDP port.
    pub(crate) fn with_udp(args: &[&str]) -> (Self, u16) {
        let port = free_udp_port();
        (Self::with(&[&["--turn-port", &port.to_string()], args].concat()), port)
    }

    fn with(args: &[&str]) -> Self {
        let first = |name: &str, value: &'static str| {
            if args.contains(&name) { vec![] } else { vec![name.to_owned(), value.to_owned()] }
        };
        let defaults =
            [first("--port", "0"), first("--bind", "127.0.0.1"), first("--secret", SECRET)]
                .concat();
        let args: Vec<OsString> = ["relay".into()]
            .into_iter()
            .chain(defaults)
            .chain(args.iter().map(|arg| (*arg).to_owned()))
            .map(Into::into)
            .collect();
        let run = Pando::bare().args(args).start();
        let line = run.says("Relay listening at http");
        let address =
            line.split("://").nth(1).expect("a URL").split(' ').next().expect("an address");
        Self { host: address.replace("0.0.0.0", "127.0.0.1"), run }
    }

    /// The relay's TCP port.
    pub(crate) fn port(&self) -> u16 {
        self.host.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).expect("a port")
    }

    /// The URL of `path` on loopback, even if the relay is bound to another address.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port())
    }

    pub(crate) fn get(&self, path: &str) -> Response {
        get(&self.url(path))
    }

    /// The contents of `/healthz`.
    pub(crate) fn health(&self) -> Value {
        let response = self.get("/healthz");
        assert_eq!(
            (response.status, response.header("content-type")),
            (200, Some("application/json"))
        );
        serde_json::from_str(&response.body).expect("it is JSON")
    }

    /// The lines of the relay's log so far.
    pub(crate) fn log(&self) -> Vec<Value> {
        let text = self.run.stderr();
        let whole = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
        let lines = whole.lines().skip(1);
        lines
            .map(|line| {
                serde_json::from_str(line)
                    .unwrap_or_else(|error| panic!("not JSON ({error}): {line}"))
            })
            .collect()
    }

    /// Waits for an event in the log.
    #[track_caller]
    pub(crate) fn logs(&self, event: &str) -> Value {
        let line = self.run.says(&format!("\"event\":\"{event}\""));
        serde_json::from_str(&line).expect("it is JSON")
    }
}

/// A UDP port of loopback that was free a moment ago.
pub(crate) fn free_udp_port() -> u16 {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    socket.local_addr().expect("it is bound").port()
}
