//! The program engine (`--exec`): each core is a long-lived child that reads values as lines and answers each with a line.
//!
//! Values are written ahead of the answers, as many as the host gives; the next answer is for the oldest value without one. What it prints
//! on standard error is only shown. A child that ends well after it has answered something is replaced by another, which goes on.

mod pipe;
mod talk;

use super::{
    core::{Core, CoreId, Engine, FromCore, Voice},
    group::{self, Guard, Member},
};
use crate::secrets;
use pando_protocol::core::CoreMessage;
use std::{
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use talk::Talk;
use tokio::{
    process::{Child, Command},
    sync::{mpsc, oneshot, watch},
};

/// What is said when [`Program::talked`].
pub(crate) const TALKED: &str = "the program wrote lines that answer no value: each value has one line, so results may be those of others. \
     What is no answer belongs on standard error";

/// Time for a child to end once its input has; twice its longest answer, if that is more, up to [`LONGEST`].
const PATIENCE: Duration = Duration::from_secs(1);
/// See [`PATIENCE`].
const LONGEST: Duration = Duration::from_secs(10);

/// See the module. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Program {
    command: Arc<str>,
    /// Ends each value and each answer.
    separator: u8,
    /// Answers must be JSON texts.
    json: bool,
    guard: Arc<Guard>,
    known: Arc<Known>,
}

/// What is known of the program.
#[derive(Debug, Default)]
struct Known {
    /// Cores that have a child.
    cores: watch::Sender<usize>,
    /// A child wrote more than it was asked for: answers may belong to other values.
    talks: watch::Sender<bool>,
    /// A child has answered a value, and nothing else came.
    proven: AtomicBool,
    /// A child has ended well by itself after it had answered something,
    ends: AtomicBool,
    /// after a single answer.
    one_shot: AtomicBool,
}

impl Program {
    /// Children that run the shell's `command`, in this process's folder.
    ///
    /// # Errors
    /// When no shell can be started.
    pub fn new(command: &str, separator: u8, json: bool) -> std::io::Result<Self> {
        Ok(Self { command: command.into(), separator, json, guard: Arc::new(Guard::start()?), known: Arc::default() })
    }

    /// Comes back when a child has written lines that answer no value.
    pub(crate) async fn talks(&self) {
        let _ = self.known.talks.subscribe().wait_for(|talks| *talks).await;
    }

    /// Waits until no child is left, once their cores are dropped; gives whether one of them wrote lines that answer no value.
    pub async fn talked(&self) -> bool {
        let mut cores = self.known.cores.subscribe();
        let _ = tokio::time::timeout(LONGEST + PATIENCE, cores.wait_for(|count| *count == 0)).await;
        *self.known.talks.borrow()
    }

    fn spawn(&self) -> std::io::Result<(Child, Member)> {
        let child = group::leader(held(&self.command))
            // Python keeps what it prints to itself when it prints into a pipe.
            .env("PYTHONUNBUFFERED", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let member = self.guard.clone().guard(&child);
        Ok((child, member))
    }
}

impl Engine for Program {
    fn start(&self, id: CoreId, voice: Voice) -> std::io::Result<Core> {
        let first = self.spawn()?;
        let (values, frames) = mpsc::unbounded_channel();
        let (alive, dropped) = oneshot::channel();
        let program = self.clone();
        self.known.cores.send_modify(|count| *count += 1);
        tokio::spawn(async move {
            let _ = voice.send((id, FromCore::Message(CoreMessage::Ready))).await;
            if let Some(last) = Talk::new(id, voice.clone(), program.clone(), frames, dropped).live(first).await {
                let _ = voice.send((id, last)).await;
            }
            program.known.cores.send_modify(|count| *count -= 1);
        });
        Ok(Core { values, alive })
    }
}

impl Known {
    fn is_proven(&self) -> bool {
        self.proven.load(Ordering::Relaxed)
    }

    fn is_one_shot(&self) -> bool {
        self.one_shot.load(Ordering::Relaxed)
    }
}

/// `command`, as the system's shell understands it.
pub(crate) fn shell(command: &str) -> Command {
    let (shell, option) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let mut child = Command::from(secrets::command(shell));
    child.args([option, command]);
    child
}

/// `command`, that begins once there is an empty line on its standard input: when it is guarded. Should this process be killed before,
/// it never does.
fn held(command: &str) -> Command {
    if cfg!(windows) {
        return shell(command);
    }
    let mut child = shell(r#"read -r go && exec sh -c "$1""#);
    child.args(["sh", command]);
    child
}
