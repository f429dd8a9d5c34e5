//! A running relay.

use super::common::{Group, Pando, free_port, make_neutral, until};
use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    sync::mpsc,
    thread,
};

/// The secret that lets a master open a room.
pub(crate) const SECRET: &str = "open-sesame";

/// `pando relay` on this machine, killed when dropped.
#[derive(Debug)]
pub(crate) struct Relay {
    group: Group,
    args: Vec<String>,
    url: String,
}

impl Relay {
    /// Starts a relay on free ports, with more arguments.
    pub(crate) fn start(args: &[&str]) -> Self {
        let port = free_port().to_string();
        let mut all = vec!["--bind", "127.0.0.1", "--port", &port];
        all.extend(args);
        Self::with(&all, &[], &format!("http://127.0.0.1:{port}"))
    }

    /// Starts a relay with these arguments, and the words of `launcher` before the command.
    /// Masters reach the relay at `url`.
    pub(crate) fn with(args: &[&str], launcher: &[&str], url: &str) -> Self {
        let args: Vec<String> = launcher
            .iter()
            .chain(&[super::common::BINARY, "relay"])
            .chain(args)
            .map(|word| (*word).to_owned())
            .collect();
        Self { group: launch(&args), args, url: url.into() }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Adds the options of a master that uses this relay.
    pub(crate) fn used_by(&self, pando: Pando) -> Pando {
        pando.args(["--host", &self.url, "--secret", SECRET])
    }

    /// Kills the relay.
    pub(crate) fn kill(&mut self) {
        self.group.kill();
    }

    /// Starts the relay again on the same port.
    pub(crate) fn restart(&mut self) {
        self.group = launch(&self.args);
    }
}

/// Starts the relay, and waits until it listens.
fn launch(args: &[String]) -> Group {
    let mut command = Command::new(&args[0]);
    make_neutral(&mut command);
    command.args(&args[1..]).env("PANDO_RELAY_SECRET", SECRET);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut group = Group::start(&mut command);
    let stderr = BufReader::new(group.0.stderr.take().expect("piped"));
    let (line, lines) = mpsc::channel();
    // The thread reads to the end, because a full pipe would block the relay.
    thread::spawn(move || {
        stderr.lines().map_while(Result::ok).for_each(|said| drop(line.send(said)))
    });
    let mut heard = Vec::new();
    until("the relay listens", || {
        heard.extend(lines.try_iter());
        if group.0.try_wait().is_ok_and(|ended| ended.is_some()) {
            panic!("the relay ended: {heard:?}");
        }
        heard.iter().any(|said: &String| said.contains("listening")).then_some(())
    });
    group
}
