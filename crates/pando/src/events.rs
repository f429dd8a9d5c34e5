//! `--events FILE`: writes every event of the run as a JSON object on its own line, in a thread of
//! its own.

use crate::{
    console::{Console, is_unseen, printable},
    threads,
};
use anyhow::Context;
use serde_json::{Value, json};
use std::{
    fmt::Display,
    fs::{File, OpenOptions},
    io::{self, ErrorKind, Write},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, RecvTimeoutError, SyncSender, TrySendError},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Most events that wait to be written. When there are more, the run waits for the file for a
/// while.
const QUEUE: usize = 65_536;

/// How long the run waits for the file.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long opening the file may take before a message says so.
const SOON: Duration = Duration::from_millis(500);

/// Approximate number of bytes written at a time.
const BLOCK: usize = 64 * 1024;

/// The log of events, if there is one.
#[derive(Clone, Default)]
pub(crate) struct Events(Option<Queue>);

/// The connection to the writing thread.
#[derive(Clone)]
struct Queue {
    messages: SyncSender<EventMessage>,
    /// Whether events are no longer taken, because the file has taken nothing for too long.
    given_up: Arc<AtomicBool>,
    path: Arc<str>,
    console: Console,
}

enum EventMessage {
    /// One line; a JSON value would take eight times as much memory.
    Event(String),
    Finish(mpsc::Sender<()>),
}

/// Whether a file that begins with `start` is a log of events.
pub(crate) fn is_log(start: &[u8]) -> bool {
    let line = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    line.starts_with(b"{") && memchr::memmem::find(line, b"\"event\":").is_some()
}

impl Events {
    /// Appends events to `path`. When the file cannot be written any more, a message on `console`
    /// says so, and nothing more is written.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub(crate) fn open(path: &Path, console: Console) -> anyhow::Result<Self> {
        let file = open(path, &console)
            .with_context(|| format!("--events {}: cannot be written", path.display()))?;
        let (sender, messages) = mpsc::sync_channel(QUEUE);
        let path: Arc<str> = path.display().to_string().into();
        let queue = Queue {
            messages: sender,
            given_up: Arc::default(),
            path: path.clone(),
            console: console.clone(),
        };
        threads::spawn("events", move || write(EventLines::new(file), &messages, &path, &console))?;
        Ok(Self(Some(queue)))
    }

    /// Whether the user asked for events.
    pub(crate) fn wanted(&self) -> bool {
        self.0.is_some()
    }

    /// Writes `{"time":…,"event":kind, …fields}`; `fields` is an object. Times are seconds since
    /// 1970.
    pub(crate) fn write(&self, kind: &str, mut fields: Value) {
        let Some(queue) = &self.0 else { return };
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()
            as f64
            / 1000.0;
        fields["time"] = json!(time);
        fields["event"] = json!(kind);
        queue.send(EventMessage::Event(legible(fields.to_string())));
    }

    /// Waits until all events are written.
    pub(crate) fn finish(&self) {
        let Some(queue) = &self.0 else { return };
        let (done, wait) = mpsc::channel();
        queue.send(EventMessage::Finish(done));
        let _ = wait.recv_timeout(Duration::from_secs(5));
    }
}

impl Queue {
    /// Sends a message to the thread, and waits while the queue is full, up to a time limit.
    fn send(&self, mut message: EventMessage) {
        let begun = Instant::now();
        while !self.given_up.load(Ordering::Relaxed) {
            message = match self.messages.try_send(message) {
                Err(TrySendError::Full(message)) => message,
                _ => return,
            };
            if begun.elapsed() >= PATIENCE && !self.given_up.swap(true, Ordering::Relaxed) {
                self.console.say(cannot(&self.path, &"it has taken nothing for ten seconds"));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Opens the file. A pipe can only be opened once it has a reader; this is awaited for a while,
/// with a message.
fn open(path: &Path, console: &Console) -> io::Result<File> {
    let (opened, wait) = mpsc::channel();
    let owned = path.to_owned();
    std::thread::spawn(move || {
        opened.send(OpenOptions::new().create(true).append(true).open(owned))
    });
    wait.recv_timeout(SOON).unwrap_or_else(|_| {
        console.say(printable(&format!(
            "--events {}: waiting for somebody to read this pipe",
            path.display()
        )));
        wait.recv_timeout(PATIENCE).unwrap_or_else(|_| {
            Err(io::Error::new(
                ErrorKind::TimedOut,
                format!("nobody has opened this pipe for reading in {PATIENCE:?}"),
            ))
        })
    })
}

fn cannot(name: &str, why: &dyn Display) -> String {
    let what = "later events are missing from it; the run goes on";
    printable(&format!("--events {name} cannot be written any more ({why}): {what}"))
}

/// The same JSON, with characters that could control a terminal replaced by escapes.
fn legible(json: String) -> String {
    if json.bytes().all(|byte| byte < 0x7f) {
        return json;
    }
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if !is_unseen(c) {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            out.push_str(&format!("\\u{unit:04x}"));
        }
    }
    out
}

fn write(
    mut lines: EventLines,
    messages: &mpsc::Receiver<EventMessage>,
    name: &str,
    console: &Console,
) {
    loop {
        let (due, done) = match messages.recv_timeout(Duration::from_millis(100)) {
            Ok(EventMessage::Event(event)) => (lines.push(&event), None),
            Ok(EventMessage::Finish(done)) => (true, Some(done)),
            Err(RecvTimeoutError::Timeout) => (true, None),
            Err(RecvTimeoutError::Disconnected) => return,
        };
        if due && let Err(error) = lines.flush() {
            console.say(cannot(name, &error));
        }
        if let Some(done) = done {
            let _ = done.send(());
        }
    }
}

/// Lines that wait to be written. Only complete lines remain in the file.
struct EventLines {
    /// The file, until writing fails.
    file: Option<File>,
    buffer: Vec<u8>,
}

impl EventLines {
    fn new(file: File) -> Self {
        Self { file: Some(file), buffer: Vec::new() }
    }

    /// Adds a line; returns whether it is time to write.
    fn push(&mut self, event: &str) -> bool {
        if self.file.is_some() {
            self.buffer.extend_from_slice(event.as_bytes());
            self.buffer.push(b'\n');
        }
        self.buffer.len() >= BLOCK
    }

    /// Writes all lines. After an error nothing more is written.
    fn flush(&mut self) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let mut written = 0;
        while written < self.buffer.len() {
            match file.write(&self.buffer[written..]) {
                Ok(count) => written += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    let whole =
                        memchr::memrchr(b'\n', &self.buffer[..written]).map_or(0, |end| end + 1);
                    if written > whole
                        && let Ok(about) = file.metadata()
                    {
                        let _ = file.set_len(about.len().saturating_sub((written - whole) as u64));
                    }
                    (self.file, self.buffer) = (None, Vec::new());
                    return Err(error);
                }
            }
        }
        self.buffer.clear();
        Ok(())
    }
}
