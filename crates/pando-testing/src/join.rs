//! The process of a native volunteer, and a way to its master that a test can cut.

use super::{
    program::{RunningProgram, Stdin, Streams, built},
    surroundings,
};
use std::{
    env,
    ffi::OsStr,
    io,
    net::{Shutdown, TcpListener, TcpStream},
    process::Command,
    sync::{Arc, Mutex},
    thread,
};

/// The command line of `pando join`.
#[derive(Debug)]
pub struct JoinCommand {
    command: Command,
}

impl JoinCommand {
    /// Joins the run at `url` with one core, and trusts its sender.
    pub fn to(url: &str) -> Self {
        Self::bare().args(["--trust", "--cores", "1", url])
    }

    /// `pando join` without arguments.
    pub fn bare() -> Self {
        let mut command = Command::new(built("pando"));
        surroundings::make_neutral(&mut command);
        command.arg("join");
        Self { command }
    }

    /// As [`JoinCommand::to`], with the small program `pando-join`, which has no peer connections.
    /// `None`, with a message, if `scripts/test` has not built it.
    ///
    /// # Panics
    /// When it is missing although `CI=true` promises that everything is built.
    pub fn small(url: &str) -> Option<Self> {
        let folder = built("pando").parent()?.to_owned();
        let program = folder.parent()?.join("small").join(folder.file_name()?).join("pando-join");
        if !program.exists() {
            let missing = format!("{} is missing: scripts/test builds it", program.display());
            assert!(env::var("CI").as_deref() != Ok("true"), "{missing}");
            eprintln!("skipped: {missing}");
            return None;
        }
        let mut command = Command::new(program);
        surroundings::make_neutral(&mut command);
        Some(Self { command }.args(["--trust", "--cores", "1", url]))
    }

    /// Adds arguments.
    pub fn args<'a>(mut self, args: impl IntoIterator<Item = &'a str>) -> Self {
        self.command.args(args);
        self
    }

    /// Sets the name of the volunteer.
    pub fn named(self, name: &str) -> Self {
        self.args(["--name", name])
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs in a namespace or under another launcher.
    pub fn inside(mut self, launcher: &[String]) -> Self {
        let [program, words @ ..] = launcher else { return self };
        let mut command = Command::new(program);
        surroundings::make_neutral(&mut command);
        command.args(words).arg(self.command.get_program()).args(self.command.get_args());
        self.command = command;
        self
    }

    /// Starts the volunteer.
    pub fn start(mut self) -> RunningProgram {
        RunningProgram::start(&mut self.command, Streams::default())
    }

    /// Starts the volunteer with a standard input that stays open.
    pub fn start_with_input_open(mut self) -> RunningProgram {
        let streams = Streams { stdin: Stdin::Open, ..Streams::default() };
        RunningProgram::start(&mut self.command, streams)
    }
}

/// A port in front of another one. A test can cut all its connections.
#[derive(Debug)]
pub struct CuttablePort {
    host: String,
    target: Arc<Mutex<String>>,
    connections: Arc<Mutex<Vec<TcpStream>>>,
}

impl CuttablePort {
    /// A port that leads to `host` (`address:port`).
    pub fn to(host: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let own = listener.local_addr().expect("it is bound").to_string();
        let connections = Arc::<Mutex<Vec<TcpStream>>>::default();
        let target = Arc::new(Mutex::new(host.to_owned()));
        let (leads_to, open) = (target.clone(), connections.clone());
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let target = leads_to.lock().expect("nobody panics with it").clone();
                let Ok(far) = TcpStream::connect(target) else { continue };
                let ends = [near.try_clone(), far.try_clone()].map(|end| end.expect("a handle"));
                open.lock().expect("nobody panics with it").extend(ends);
                pass(&near, &far);
                pass(&far, &near);
            }
        });
        Self { host: own, target, connections }
    }

    /// Leads new connections to `host` from now on.
    pub fn lead_to(&self, host: &str) {
        *self.target.lock().expect("nobody panics with it") = host.to_owned();
    }

    /// `url`, by way of this port.
    pub fn url(&self, url: &str) -> String {
        let (host, _) = super::http::parts(url);
        url.replace(host, &self.host)
    }

    /// Cuts all connections, as a network does. New connections are served.
    pub fn cut(&self) {
        for end in self.connections.lock().expect("nobody panics with it").drain(..) {
            let _ = end.shutdown(Shutdown::Both);
        }
    }
}

/// Passes bytes on from one stream to the other, until either ends.
fn pass(from: &TcpStream, to: &TcpStream) {
    let (mut from, mut to) =
        (from.try_clone().expect("a handle"), to.try_clone().expect("a handle"));
    thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Both);
        let _ = from.shutdown(Shutdown::Both);
    });
}
