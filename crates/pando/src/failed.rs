//! `--failed FILE`: keeps the items that failed for good, one JSON object per line, so that
//! `--only-failed FILE` computes them again.
//!
//! A thread of its own writes each object when its item fails ([`FailedItems`]), so that nobody
//! waits for a disk. [`read`] reads such a file. This module knows neither devices nor the lender.

mod input;
mod list;
mod object;

pub(crate) use input::FailedInput;
pub(crate) use list::{FailedAgain, FailedList, read};
pub(crate) use object::{FailedItem, error_in_place};

use crate::threads;
use anyhow::{Context, bail};
use std::{
    fmt,
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Write},
    mem,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread::JoinHandle,
};

/// Bytes of waiting inputs above which the output waits, and so in the end the whole run.
const MOST_WAITING: usize = 64 << 20;

/// The file of `--failed`, open for writing.
pub(crate) struct FailedItems {
    path: PathBuf,
    shared: Arc<SharedBacklog>,
    /// The file, until the thread begins.
    file: Mutex<Option<File>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct SharedBacklog {
    backlog: Mutex<FailedBacklog>,
    /// Signals that there is work for the thread.
    work: Condvar,
    /// Signals that the thread has finished some work.
    done: Condvar,
}

#[derive(Default)]
struct FailedBacklog {
    items: Vec<FailedItem>,
    /// Bytes of the items, including those that are being written.
    bytes: usize,
    closing: bool,
    /// Why the file cannot be written.
    failed: Option<String>,
}

impl FailedItems {
    /// Opens the file at `path`, or creates an empty one. The content of the file does not change
    /// until [`begin`](Self::begin).
    ///
    /// # Errors
    /// When the path is no file, cannot be written, or has content that is no list of failed items.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let named = || format!("--failed {}", path.display());
        let there = path.metadata().ok();
        if there.is_some_and(|about| !about.is_file()) {
            bail!("{}: this is not a file", named());
        }
        let mut options = OpenOptions::new();
        let file = options.read(true).append(true).create(true).open(path);
        let file = file.with_context(|| format!("{}: cannot be written", named()))?;
        if !is_list(&file).with_context(named)? {
            bail!(
                "{}: this file is not a list of failed items, and its content would be lost: name another file, which need not exist",
                named()
            );
        }
        let (file, thread) = (Mutex::new(Some(file)), Mutex::default());
        Ok(Self { path: path.into(), shared: Arc::default(), file, thread })
    }

    /// Empties the file, and starts to write.
    ///
    /// # Errors
    /// When the file cannot be written, or no thread can be started.
    pub(crate) fn begin(&self) -> anyhow::Result<()> {
        let Some(file) = self.file.lock().expect("nobody panics with it").take() else {
            return Ok(());
        };
        let name = format!("--failed {}", self.path.display());
        file.set_len(0).with_context(|| format!("{name}: cannot be written"))?;
        let (shared, mut writer) = (self.shared.clone(), ListWriter { file, length: 0 });
        let thread = threads::spawn("failed items", move || {
            if let Err(error) = shared.work_off(&mut writer) {
                shared.fail(format!("{name} cannot be written: {error}"));
            }
        })?;
        *self.thread.lock().expect("nobody panics with it") = Some(thread);
        Ok(())
    }

    /// Adds an item. Never waits for the disk.
    pub(crate) fn record(&self, item: FailedItem) {
        let mut backlog = self.shared.lock();
        if backlog.failed.is_none() {
            backlog.bytes += item.bytes();
            backlog.items.push(item);
            self.shared.work.notify_one();
        }
    }

    /// Waits while too many bytes are unwritten.
    pub(crate) fn keep_up(&self) {
        let mut backlog = self.shared.lock();
        while backlog.bytes > MOST_WAITING && backlog.failed.is_none() && !backlog.closing {
            backlog = self.shared.done.wait(backlog).expect("nobody panics with it");
        }
    }

    /// Why the file cannot be written, if that is so.
    pub(crate) fn failure(&self) -> Option<String> {
        self.shared.lock().failed.clone()
    }

    /// Waits until all items are written. Later items are not written.
    ///
    /// # Errors
    /// When an item could not be written: the reason.
    pub(crate) fn finish(&self) -> Result<(), String> {
        self.shared.lock().closing = true;
        self.shared.work.notify_one();
        let thread = self.thread.lock().expect("nobody panics with it").take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            return Err("the thread that writes the failed items died".into());
        }
        self.failure().map_or(Ok(()), Err)
    }
}

impl fmt::Debug for FailedItems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("FailedItems").field("path", &self.path).finish_non_exhaustive()
    }
}

impl SharedBacklog {
    fn lock(&self) -> MutexGuard<'_, FailedBacklog> {
        self.backlog.lock().expect("nobody panics with it")
    }

    fn fail(&self, why: String) {
        let mut backlog = self.lock();
        (backlog.bytes, backlog.failed) = (0, Some(why));
        backlog.items.clear();
        self.done.notify_all();
    }

    /// Writes items until the list is closed.
    fn work_off(&self, writer: &mut ListWriter) -> io::Result<()> {
        loop {
            let (items, bytes, last) = self.wait_for_work();
            if !items.is_empty() {
                writer.write(&items)?;
            }
            if last {
                return writer.file.sync_data();
            }
            self.lock().bytes -= bytes;
            self.done.notify_all();
        }
    }

    /// Waits for items. Returns them, their bytes, and whether no more items follow.
    fn wait_for_work(&self) -> (Vec<FailedItem>, usize, bool) {
        let mut backlog = self.lock();
        while backlog.items.is_empty() && !backlog.closing {
            backlog = self.work.wait(backlog).expect("nobody panics with it");
        }
        (mem::take(&mut backlog.items), backlog.bytes, backlog.closing)
    }
}

/// Appends to the file.
struct ListWriter {
    file: File,
    /// Length of the complete lines in the file.
    length: u64,
}

impl ListWriter {
    /// Appends `items`, or nothing of them.
    fn write(&mut self, items: &[FailedItem]) -> io::Result<()> {
        let mut lines = Vec::new();
        items.iter().for_each(|item| item.append_line_to(&mut lines));
        let written = self.file.write_all(&lines);
        match written {
            Ok(()) => self.length += lines.len() as u64,
            // Half a line would be damage.
            Err(_) => drop(self.file.set_len(self.length)),
        }
        written
    }
}

/// Whether a file is empty, or its first line is a failed item.
fn is_list(file: &File) -> io::Result<bool> {
    let mut source = BufReader::new(file);
    loop {
        let mut start = Vec::new();
        if source.read_until(b'\n', &mut start)? == 0 {
            break;
        }
        if !start.iter().all(u8::is_ascii_whitespace) {
            return Ok(object::parse(&start).is_ok());
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(number: u64, input: FailedInput) -> FailedItem {
        FailedItem {
            number,
            input,
            message: "no\u{202e}\n".into(),
            stack: None,
            device: Some("a \"phone\"".into()),
            attempts: 3,
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("failed");
        let inputs = [
            FailedInput::Text("a\nb \u{1f600}".into()),
            FailedInput::Json("{\"a\":\n 12345678901234567890123}".into()),
            FailedInput::Unusable("caf\u{fffd}".into()),
        ];
        let failed = FailedItems::open(&path).unwrap();
        failed.begin().unwrap();
        (1..).zip(inputs).for_each(|(number, input)| failed.record(item(number * 7, input)));
        failed.finish().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 3, "{text}");
        let list = read(&path, true).unwrap();
        let numbers: Vec<_> = list.items.iter().map(|item| item.number).collect();
        assert_eq!(numbers, [7, 14, 21]);
        assert_eq!(list.items[0].input, "\"a\\nb \u{1f600}\"");
        assert_eq!(list.items[1].input, "{\"a\":  12345678901234567890123}");
        assert_eq!(list.items[2].input, "caf\u{fffd}");
        assert_eq!(list.items[2].unusable.as_deref(), Some("no\u{202e}\n"));
        assert!(read(&path, false).unwrap_err().contains("line 2: its field \"input\" is no text"));
        // The next run begins the list anew, and no earlier than it must.
        let next = FailedItems::open(&path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        next.begin().unwrap();
        next.finish().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"");
    }

    #[test]
    fn a_file_that_is_something_else_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine");
        for content in ["hello\n", "\n\n{\"a\":1}\n", "{\"index\":0,\"input\":1}\n"] {
            std::fs::write(&path, content).unwrap();
            let Err(why) = FailedItems::open(&path) else { panic!("it is no list") };
            let why = why.to_string();
            assert!(why.contains("not a list of failed items"), "{why}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
        }
        assert!(FailedItems::open(folder.path()).is_err());
    }
}
