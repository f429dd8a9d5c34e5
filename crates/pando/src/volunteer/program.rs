//! The program engine (`--exec`): each core is a long-lived child that reads values as lines and answers each with a line.
//!
//! Values are written ahead of the answers, as many as the host gives; the next answer is for the oldest value without one. What it prints
//! on standard error is only shown.

use super::{
    core::{Core, CoreId, Engine, FromCore, Message, Voice},
    group::{self, Guard},
    stray::{LAST_WORDS, stray},
};
use crate::protocol::{self, Answer, Binary, Failure, Form, Loan, Value};
use bytes::{Bytes, BytesMut};
use std::{
    collections::VecDeque,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::{Child, ChildStdin, ChildStdout, Command},
    sync::{mpsc, oneshot, watch},
};

/// What a shell exits with when it cannot run the command.
const NOT_EXECUTABLE: i32 = 126;
/// What a shell exits with when there is no such command.
const NOT_FOUND: i32 = 127;
/// Time for a child to end once its input has; twice its longest answer, if that is more, up to [`LONGEST`].
const PATIENCE: Duration = Duration::from_secs(1);
/// See [`PATIENCE`].
const LONGEST: Duration = Duration::from_secs(10);
/// Bytes asked of a child's output at a time.
const BLOCK: usize = 64 * 1024;

/// See the module. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Program {
    command: Arc<str>,
    /// Ends each value and each answer.
    separator: u8,
    /// Answers must be JSON texts.
    json: bool,
    guard: Arc<Guard>,
    children: Arc<Children>,
}

/// The children that there are.
#[derive(Debug, Default)]
struct Children {
    count: watch::Sender<usize>,
    /// One of them answered more than it was asked: answers may belong to other values.
    talked: AtomicBool,
}

impl Program {
    /// Children that run the shell's `command`, in this process's folder.
    ///
    /// # Errors
    /// When no shell can be started.
    pub fn new(command: &str, separator: u8, json: bool) -> std::io::Result<Self> {
        Ok(Self { command: command.into(), separator, json, guard: Arc::new(Guard::start()?), children: Arc::default() })
    }

    /// Waits until no child is left, once their cores are dropped; gives whether one of them wrote lines that answer no value, beside others
    /// that did.
    pub async fn talked(&self) -> bool {
        let mut count = self.children.count.subscribe();
        let _ = tokio::time::timeout(LONGEST + PATIENCE, count.wait_for(|count| *count == 0)).await;
        self.children.talked.load(Ordering::Relaxed)
    }
}

impl Engine for Program {
    fn start(&self, id: CoreId, voice: Voice) -> std::io::Result<Core> {
        let mut child = group::leader(held(&self.command))
            // Python keeps what it prints to itself when it prints into a pipe.
            .env("PYTHONUNBUFFERED", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let member = self.guard.clone().guard(&child);
        let (values, frames) = mpsc::unbounded_channel();
        let (alive, dropped) = oneshot::channel();
        let stray = tokio::spawn(stray(child.stderr.take().expect("piped"), id, voice.clone()));
        let (input, output) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        let (separator, json, children) = (self.separator, self.json, self.children.clone());
        children.count.send_modify(|count| *count += 1);
        tokio::spawn(async move {
            let _ = voice.send((id, FromCore::Message(Message::Ready))).await;
            let (lines, to_write) = mpsc::unbounded_channel();
            let writing = tokio::spawn(write(input, to_write));
            let mut talk = Talk {
                id,
                voice: voice.clone(),
                separator,
                json,
                pending: VecDeque::new(),
                since: Instant::now(),
                answered: false,
                longest: Duration::ZERO,
                lines: Some(lines),
            };
            let mut code = None;
            let why = match talk.run(output, frames, dropped).await {
                End::Killed => "killed".into(),
                End::Talks => {
                    children.talked.fetch_or(talk.answered, Ordering::Relaxed);
                    "it wrote a line that answers no value: each value has one line".into()
                }
                End::Closed => {
                    let (status, why) = ended(&mut child).await;
                    code = status;
                    why
                }
            };
            writing.abort();
            member.kill();
            let _ = child.kill().await;
            let _ = tokio::time::timeout(LAST_WORDS, stray).await;
            if let (false, Some(NOT_EXECUTABLE | NOT_FOUND)) = (talk.answered, code) {
                let message = format!("the command cannot be run ({why})");
                let _ = voice.send((id, FromCore::Message(Message::Broken { message, stack: None }))).await;
            }
            let _ = voice.send((id, FromCore::Ended(why))).await;
            children.count.send_modify(|count| *count -= 1);
        });
        Ok(Core { values, alive })
    }
}

/// `command`, as the system's shell understands it.
pub(crate) fn shell(command: &str) -> Command {
    let (shell, option) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let mut child = Command::new(shell);
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

async fn ended(child: &mut Child) -> (Option<i32>, String) {
    match tokio::time::timeout(LAST_WORDS, child.wait()).await {
        Ok(Ok(status)) => (status.code(), status.to_string()),
        _ => (None, "it closed its standard output".into()),
    }
}

async fn write(mut input: ChildStdin, mut lines: mpsc::UnboundedReceiver<Bytes>) {
    if cfg!(unix) && input.write_all(b"\n").await.is_err() {
        return;
    }
    while let Some(line) = lines.recv().await {
        if input.write_all(&line).await.is_err() {
            // It reads no more: its end, or its silence, says the rest.
            return;
        }
    }
}

/// What passes between the host and one child.
struct Talk {
    id: CoreId,
    voice: Voice,
    separator: u8,
    json: bool,
    /// Values without an answer, in the order of writing.
    pending: VecDeque<Loan>,
    /// When the first of them could be begun.
    since: Instant,
    /// It has answered before.
    answered: bool,
    /// The longest time until an answer.
    longest: Duration,
    /// To its standard input, until that is closed.
    lines: Option<mpsc::UnboundedSender<Bytes>>,
}

/// How talking with a child ends.
enum End {
    /// Nobody wants it any more.
    Killed,
    /// It says more than it is asked.
    Talks,
    /// Its output is closed.
    Closed,
}

impl Talk {
    /// Until the child's output ends, it breaks the rule, or its core is `dropped`. Then, if it owes nothing, it may read its input to the end:
    /// a line that it writes now, or had written before, was one too many.
    async fn run(
        &mut self,
        mut output: ChildStdout,
        mut frames: mpsc::UnboundedReceiver<Bytes>,
        mut dropped: oneshot::Receiver<()>,
    ) -> End {
        let (mut buffer, mut scanned) = (BytesMut::new(), 0);
        let patience = tokio::time::sleep(Duration::ZERO);
        tokio::pin!(patience);
        loop {
            buffer.reserve(BLOCK);
            let wanted = self.lines.is_some();
            tokio::select! {
                Some(frame) = frames.recv(), if wanted => self.values(frame).await,
                _ = &mut dropped, if wanted => {
                    if !self.pending.is_empty() || !self.answered {
                        return End::Killed;
                    }
                    self.lines = None;
                    patience.as_mut().reset((Instant::now() + (self.longest * 2).clamp(PATIENCE, LONGEST)).into());
                }
                () = &mut patience, if !wanted => return End::Killed,
                read = output.read_buf(&mut buffer) => {
                    if !matches!(read, Ok(1..)) {
                        return if wanted || buffer.is_empty() { End::Closed } else { End::Talks };
                    }
                    let mut answers = Vec::new();
                    while let Some(at) = memchr::memchr(self.separator, &buffer[scanned..]) {
                        let mut line = buffer.split_to(scanned + at + 1);
                        scanned = 0;
                        line.truncate(line.len() - 1);
                        let Some(id) = self.pending.pop_front() else {
                            self.say(&answers).await;
                            return End::Talks;
                        };
                        answers.push(self.answer(id, line.freeze()));
                    }
                    scanned = buffer.len();
                    self.say(&answers).await;
                    if let Some(next) = self.pending.front() {
                        self.begins(*next).await;
                    }
                }
            }
        }
    }

    async fn values(&mut self, frame: Bytes) {
        let Ok(Binary::Values(values)) = Binary::decode(frame) else { return };
        for (id, value) in values {
            if memchr::memchr(self.separator, &value.bytes).is_some() {
                let message = "it holds a newline, and would be taken for two: separate values with NUL by -0".into();
                let failure = Failure { message, stack: None, kind: "framing".into() };
                self.say(&[Answer { loan: id, micros: 0, result: Err(failure) }]).await;
                continue;
            }
            if self.pending.is_empty() {
                self.since = Instant::now();
                self.begins(id).await;
            }
            self.pending.push_back(id);
            let _ = self.lines.as_ref().map(|lines| lines.send(line(&value, self.separator)));
        }
    }

    fn answer(&mut self, id: Loan, line: Bytes) -> Answer {
        let now = Instant::now();
        let time = now.saturating_duration_since(self.since);
        let micros = time.as_micros() as u64;
        self.longest = self.longest.max(time);
        self.since = now;
        self.answered = true;
        let result = match self.json.then(|| serde_json::from_slice::<serde::de::IgnoredAny>(&line)) {
            Some(Err(error)) => {
                Err(Failure { message: format!("its answer is not valid JSON: {error}"), stack: None, kind: "json".into() })
            }
            _ => Ok((Form::Bytes, line)),
        };
        Answer { loan: id, micros, result }
    }

    /// What it has been written before is answered.
    async fn begins(&self, id: Loan) {
        let _ = self.voice.send((self.id, FromCore::Message(Message::Started { id }))).await;
    }

    async fn say(&self, answers: &[Answer]) {
        if !answers.is_empty() {
            let _ = self.voice.send((self.id, FromCore::Results(protocol::encode_results(answers)))).await;
        }
    }
}

fn line(value: &Value, separator: u8) -> Bytes {
    let mut line = BytesMut::with_capacity(value.bytes.len() + 1);
    line.extend_from_slice(&value.bytes);
    line.extend_from_slice(&[separator]);
    line.freeze()
}
