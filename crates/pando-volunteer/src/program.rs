//! The program engine (`--exec`).
//!
//! A command without `{}` is a long-lived child of each core. The child reads values as lines and
//! answers each with a line. Values are written ahead of the answers, as many as the host gives.
//! The next answer is for the oldest value without an answer. Lines on standard error are only
//! shown. A child that ends successfully after at least one answer is replaced by another child.
//!
//! A command with `{}` runs once per value, see [`per_value`].

mod command;
mod per_value;
mod pipe;
mod talk;

pub use command::{BadCommand, ExecCommand, ValueScript};

use crate::{
    engine::{Core, CoreEvent, CoreEvents, CoreId, Engine},
    group::{self, Guard, Member},
};
use pando_process::secrets;
use pando_protocol::core::CoreMessage;
use per_value::ValueCore;
use std::{
    hash::{BuildHasher, RandomState},
    path::PathBuf,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use talk::ChildSession;
use tokio::{
    process::{Child, Command},
    sync::{mpsc, oneshot, watch},
};

/// The message for a run in which [`Program::talked`] is true.
pub const TALKED: &str = "the program wrote lines that answer no value: each value has one line, so results may be those of others. \
     Write everything except answers to standard error";

/// How long a child may take to end after its input has ended. A child gets twice the duration of
/// its longest answer if that is more, up to [`LONGEST`].
const PATIENCE: Duration = Duration::from_secs(1);
/// See [`PATIENCE`].
const LONGEST: Duration = Duration::from_secs(10);

/// The most bytes of a result.
const MOST_BYTES: usize = pando_protocol::volunteer::MAX_FRAME as usize - 64;

/// How a program is run.
#[derive(Debug, Clone)]
pub struct ProgramOptions {
    /// The command.
    pub command: ExecCommand,
    /// The byte that ends each value and each answer.
    pub separator: u8,
    /// Whether answers must be JSON texts.
    pub json: bool,
    /// Whether the output of a command with `{}` becomes a file, byte for byte.
    pub to_files: bool,
    /// The folder of assets, for the variable `PANDO_ASSETS`.
    pub assets: Option<PathBuf>,
    /// How many commands with `{}` a core runs at a time.
    pub concurrency: u32,
    /// The longest time for a command with `{}`.
    pub timeout: Option<Duration>,
}

/// The program engine; see the module. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Program {
    options: Arc<ProgramOptions>,
    /// What a line begins with if it is a failure, not a result.
    error_mark: Arc<str>,
    guard: Arc<Guard>,
    facts: Arc<ProgramFacts>,
}

/// Facts about the program, shared by all cores.
#[derive(Debug, Default)]
struct ProgramFacts {
    /// The number of cores that have a child.
    cores: watch::Sender<usize>,
    /// Whether a child wrote more lines than answers, so that results may belong to other values.
    talks: watch::Sender<bool>,
    /// Whether a child has answered a value without any extra line.
    proven: AtomicBool,
    /// Whether a child has ended successfully by itself after at least one answer.
    ends: AtomicBool,
    /// Whether a child has ended in this way after a single answer.
    one_shot: AtomicBool,
}

impl Program {
    /// Children that run a command in this process's folder.
    ///
    /// # Errors
    /// When no shell can be started.
    pub fn new(options: ProgramOptions) -> std::io::Result<Self> {
        Ok(Self {
            options: Arc::new(options),
            error_mark: format!("error-{:016x}:", RandomState::new().hash_one(0)).into(),
            guard: Arc::new(Guard::start()?),
            facts: Arc::default(),
        })
    }

    /// Returns when a child has written lines that answer no value.
    pub async fn talks(&self) {
        let _ = self.facts.talks.subscribe().wait_for(|talks| *talks).await;
    }

    /// Waits until no child is left, after their cores were dropped; returns whether a child wrote
    /// lines that answer no value.
    pub async fn talked(&self) -> bool {
        let mut cores = self.facts.cores.subscribe();
        let _ = tokio::time::timeout(LONGEST + PATIENCE, cores.wait_for(|count| *count == 0)).await;
        *self.facts.talks.borrow()
    }

    /// Starts a child that talks by lines.
    fn spawn(&self, command: &str) -> std::io::Result<(Child, Member)> {
        let mut child = held(command);
        child.env("PANDO_ERROR", &*self.error_mark);
        self.start_child(child)
    }

    /// Starts `command` as the guarded leader of a process group.
    fn start_child(&self, command: Command) -> std::io::Result<(Child, Member)> {
        let child = group::leader(command)
            // Python buffers its output to a pipe by default.
            .env("PYTHONUNBUFFERED", "1")
            .envs(self.options.assets.iter().map(|folder| ("PANDO_ASSETS", folder)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let member = self.guard.clone().guard(&child);
        Ok((child, member))
    }

    fn start_lines(&self, command: &str, id: CoreId, events: CoreEvents) -> std::io::Result<Core> {
        let first = self.spawn(command)?;
        let (values, frames) = mpsc::unbounded_channel();
        let (alive, dropped) = oneshot::channel();
        let (program, command) = (self.clone(), command.to_owned());
        self.facts.cores.send_modify(|count| *count += 1);
        tokio::spawn(async move {
            let _ = events.send((id, CoreEvent::Message(CoreMessage::Ready))).await;
            let session =
                ChildSession::new(id, events.clone(), program.clone(), command, frames, dropped);
            if let Some(last) = session.live(first).await {
                let _ = events.send((id, last)).await;
            }
            program.facts.cores.send_modify(|count| *count -= 1);
        });
        Ok(Core { values, _alive: alive })
    }

    fn start_per_value(&self, script: &ValueScript, id: CoreId, events: CoreEvents) -> Core {
        let (values, frames) = mpsc::unbounded_channel();
        let (alive, dropped) = oneshot::channel();
        let core = ValueCore::new(id, events.clone(), self.clone(), script.clone());
        tokio::spawn(async move {
            let _ = events.send((id, CoreEvent::Message(CoreMessage::Ready))).await;
            core.live(frames, dropped).await;
            let _ = events.send((id, CoreEvent::Ended("killed".into()))).await;
        });
        Core { values, _alive: alive }
    }
}

impl Engine for Program {
    fn start(&self, id: CoreId, events: CoreEvents) -> std::io::Result<Core> {
        match &self.options.command {
            ExecCommand::Lines(command) => self.start_lines(command, id, events),
            ExecCommand::PerValue(script) => Ok(self.start_per_value(script, id, events)),
        }
    }
}

impl ProgramFacts {
    fn is_proven(&self) -> bool {
        self.proven.load(Ordering::Relaxed)
    }

    fn is_one_shot(&self) -> bool {
        self.one_shot.load(Ordering::Relaxed)
    }
}

/// `command`, run by the system's shell.
pub fn shell(command: &str) -> Command {
    let (shell, option) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let mut child = Command::from(secrets::command(shell));
    child.args([option, command]);
    child
}

/// `command`, delayed until an empty line arrives on its standard input. The line is written once
/// the child is guarded; if this process is killed before, the command never begins.
fn held(command: &str) -> Command {
    if cfg!(windows) {
        return shell(command);
    }
    let mut child = shell(r#"read -r go && exec sh -c "$1""#);
    child.args(["sh", command]);
    child
}
