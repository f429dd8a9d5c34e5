//! The process of a relay.

use super::{
    http::{Response, get},
    pando::PandoCommand,
    program::RunningProgram,
};
use serde_json::Value;
use std::{net::UdpSocket, time::Duration};

/// The secret that lets a master open a room.
pub const SECRET: &str = "open-sesame";

/// `pando relay` on this machine, killed when dropped.
#[derive(Debug)]
pub struct RelayProcess {
    /// The program.
    pub run: RunningProgram,
    /// `host:port` of the listener.
    pub host: String,
    launcher: Vec<String>,
    args: Vec<String>,
    url: String,
}

impl RelayProcess {
    /// Starts a relay on loopback without UDP, with more arguments.
    pub fn start(args: &[&str]) -> Self {
        Self::start_inside(&[], args)
    }

    /// Starts a relay like [`RelayProcess::start`], with the words of `launcher` before the
    /// command.
    pub fn start_inside(launcher: &[String], args: &[&str]) -> Self {
        Self::on_loopback(launcher, &[&["--no-udp"], args].concat())
    }

    /// Starts a relay on loopback with STUN and TURN. Also returns the UDP port.
    pub fn with_udp(args: &[&str]) -> (Self, u16) {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        let port = socket.local_addr().expect("the socket is bound").port();
        drop(socket);
        (Self::on_loopback(&[], &[&["--turn-port", &port.to_string()], args].concat()), port)
    }

    fn on_loopback(launcher: &[String], args: &[&str]) -> Self {
        let or = |name: &'static str, value: &'static str| {
            if args.contains(&name) { vec![] } else { vec![name, value] }
        };
        let defaults = [or("--port", "0"), or("--bind", "127.0.0.1")].concat();
        let mut relay = Self::with(&[&*defaults, args].concat(), launcher, String::new());
        relay.url = format!("http://127.0.0.1:{}", relay.port());
        relay
    }

    /// Starts a relay with these arguments, and the words of `launcher` before the command.
    /// Masters reach the relay at `url`.
    pub(crate) fn with(args: &[&str], launcher: &[String], url: String) -> Self {
        let args: Vec<String> = args.iter().map(|word| (*word).to_owned()).collect();
        let (run, host) = launch(launcher, &args);
        Self { run, host, launcher: launcher.to_vec(), args, url }
    }

    /// The URL for masters; on loopback, even if the relay is bound to another address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The relay's TCP port.
    pub fn port(&self) -> u16 {
        self.host.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).expect("a port")
    }

    /// The URL of `path`.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Requests `path`.
    pub fn get(&self, path: &str) -> Response {
        get(&self.at(path))
    }

    /// The contents of `/healthz`.
    pub fn health(&self) -> Value {
        let response = self.get("/healthz");
        assert_eq!(
            (response.status, response.header("content-type")),
            (200, Some("application/json"))
        );
        serde_json::from_str(&response.body).expect("it is JSON")
    }

    /// The lines of the relay's log so far.
    pub fn log(&self) -> Vec<Value> {
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
    pub fn logs(&self, event: &str) -> Value {
        let line = self.run.says(&format!("\"event\":\"{event}\""));
        serde_json::from_str(&line).expect("it is JSON")
    }

    /// Adds the options of a master that uses this relay.
    pub fn used_by(&self, pando: PandoCommand) -> PandoCommand {
        pando.args(["--host", &self.url, "--secret", SECRET])
    }

    /// Kills the relay.
    pub fn kill(&mut self) {
        self.run.kill();
    }

    /// Starts the relay again on the same port.
    pub fn restart(&mut self) {
        let port = self.port().to_string();
        if let Some(at) = self.args.iter().position(|word| word == "--port") {
            self.args[at + 1] = port;
        }
        (self.run, self.host) = launch(&self.launcher, &self.args);
    }
}

/// Starts the relay, and waits until it listens. Also returns the relay's `host:port`.
fn launch(launcher: &[String], args: &[String]) -> (RunningProgram, String) {
    let pando = PandoCommand::bare().inside(launcher).args(["relay"]).args(args);
    let run = pando.env("PANDO_RELAY_SECRET", SECRET).longest(Duration::MAX).start();
    let line = run.says("Relay listening at http");
    let host = line.split("://").nth(1).and_then(|rest| rest.split(' ').next());
    let host = host.expect("a URL").replace("0.0.0.0", "127.0.0.1");
    (run, host)
}
