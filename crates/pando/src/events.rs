//! `--events FILE`: everything that happens, one JSON object per line, written by a thread of its own.

use crate::console::Console;
use anyhow::Context;
use serde_json::{Value, json};
use std::{
    fs::{File, OpenOptions},
    io::{self, ErrorKind, Write},
    path::Path,
    sync::mpsc::{self, RecvTimeoutError, SyncSender},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Events that wait to be written, at most; then the run waits for the file.
const QUEUE: usize = 65_536;

/// Bytes written at a time, about.
const BLOCK: usize = 64 * 1024;

/// Where events go, if anywhere.
#[derive(Clone, Default)]
pub struct Events(Option<SyncSender<Message>>);

enum Message {
    /// One line: an eighth of what the value would take in memory.
    Event(String),
    Finish(mpsc::Sender<()>),
}

impl Events {
    /// Appends to `path`. When that cannot be written any more, it is said on `console`, and nothing more is written.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(path: &Path, console: Console) -> anyhow::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path);
        let file = file.with_context(|| format!("--events {}: cannot be written", path.display()))?;
        let (queue, messages) = mpsc::sync_channel(QUEUE);
        let name = path.display().to_string();
        std::thread::spawn(move || write(Lines::new(file), &messages, &name, &console));
        Ok(Self(Some(queue)))
    }

    /// Whether anybody asked for events.
    pub fn wanted(&self) -> bool {
        self.0.is_some()
    }

    /// Writes `{"time":…,"event":kind, …fields}`; `fields` is an object. Times are seconds since 1970.
    pub fn write(&self, kind: &str, mut fields: Value) {
        let Some(queue) = &self.0 else { return };
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as f64 / 1000.0;
        fields["time"] = json!(time);
        fields["event"] = json!(kind);
        let _ = queue.send(Message::Event(fields.to_string()));
    }

    /// Waits until all is written.
    pub fn finish(&self) {
        let Some(queue) = &self.0 else { return };
        let (done, wait) = mpsc::channel();
        if queue.send(Message::Finish(done)).is_ok() {
            let _ = wait.recv_timeout(Duration::from_secs(5));
        }
    }
}

fn write(mut lines: Lines, messages: &mpsc::Receiver<Message>, name: &str, console: &Console) {
    loop {
        let (due, done) = match messages.recv_timeout(Duration::from_millis(100)) {
            Ok(Message::Event(event)) => (lines.push(&event), None),
            Ok(Message::Finish(done)) => (true, Some(done)),
            Err(RecvTimeoutError::Timeout) => (true, None),
            Err(RecvTimeoutError::Disconnected) => return,
        };
        if due && let Err(error) = lines.flush() {
            console.say(format!(
                "--events {name} cannot be written any more ({error}): what happens from now on is not in it; the run goes on"
            ));
        }
        if let Some(done) = done {
            let _ = done.send(());
        }
    }
}

/// Lines on their way to the file, into which only whole ones go.
struct Lines {
    /// None once it could not be written.
    file: Option<File>,
    buffer: Vec<u8>,
}

impl Lines {
    fn new(file: File) -> Self {
        Self { file: Some(file), buffer: Vec::new() }
    }

    /// Adds one; gives whether it is time to write.
    fn push(&mut self, event: &str) -> bool {
        if self.file.is_some() {
            self.buffer.extend_from_slice(event.as_bytes());
            self.buffer.push(b'\n');
        }
        self.buffer.len() >= BLOCK
    }

    /// Writes what there is. After an error nothing more is written.
    fn flush(&mut self) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let mut written = 0;
        while written < self.buffer.len() {
            match file.write(&self.buffer[written..]) {
                Ok(count) => written += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    let whole = memchr::memrchr(b'\n', &self.buffer[..written]).map_or(0, |end| end + 1);
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
