//! `--events FILE`: everything that happens, one JSON object per line, written by a thread of its own.

use anyhow::Context;
use serde_json::{Value, json};
use std::{
    fs::OpenOptions,
    io::{BufWriter, Write},
    path::Path,
    sync::mpsc::{self, RecvTimeoutError, SyncSender},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Events that wait to be written, at most; then the run waits for the file.
const QUEUE: usize = 65_536;

/// Where events go, if anywhere.
#[derive(Clone, Default)]
pub struct Events(Option<SyncSender<Message>>);

enum Message {
    Event(Value),
    Finish(mpsc::Sender<()>),
}

impl Events {
    /// Appends to `path`.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path);
        let file = file.with_context(|| format!("--events {}: cannot be written", path.display()))?;
        let (queue, messages) = mpsc::sync_channel(QUEUE);
        std::thread::spawn(move || write(BufWriter::new(file), &messages));
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
        let _ = queue.send(Message::Event(fields));
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

fn write(mut file: BufWriter<std::fs::File>, messages: &mpsc::Receiver<Message>) {
    loop {
        match messages.recv_timeout(Duration::from_millis(100)) {
            Ok(Message::Event(event)) => {
                let _ = writeln!(file, "{event}");
            }
            Ok(Message::Finish(done)) => {
                let _ = file.flush();
                let _ = done.send(());
            }
            Err(RecvTimeoutError::Timeout) => {
                let _ = file.flush();
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}
