//! The end of a journal, where records are added. Time is an argument.

use super::{Record, file::At};
use std::{
    fs::File,
    io::{self, Write},
    sync::Arc,
    time::{Duration, Instant},
};

/// What was written is synced within this time, and that within a second.
const SYNC: Duration = Duration::from_millis(500);
/// A buffer that was needed for something long is not kept.
const LARGE: usize = 1 << 20;

/// See the module.
#[derive(Debug)]
pub struct Writer {
    file: Arc<File>,
    /// Length of the whole records in the file.
    length: u64,
    /// Records on their way to the file.
    buffer: Vec<u8>,
    /// Since when there is something in the file that is not synced.
    unsynced: Option<Instant>,
}

impl Writer {
    /// At the end of a journal of `length` bytes.
    pub(super) fn new(file: Arc<File>, length: u64) -> Self {
        Self { file, length, buffer: Vec::new(), unsynced: None }
    }

    pub(super) fn push_bytes(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Adds a record, to be written with the next.
    pub fn push(&mut self, record: &Record) {
        record.append_to(&mut self.buffer);
    }

    /// Bytes that are to be written.
    pub fn pending(&self) -> usize {
        self.buffer.len()
    }

    /// Length of what is written.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Writes what was added.
    ///
    /// # Errors
    /// When that fails, nothing of it is in the journal.
    pub fn write(&mut self, now: Instant) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let written = At::new(self.file.clone(), self.length).write_all(&self.buffer);
        if written.is_ok() {
            self.length += self.buffer.len() as u64;
            self.unsynced.get_or_insert(now);
        } else {
            self.cut_back(self.length);
        }
        self.buffer.clear();
        if self.buffer.capacity() > LARGE {
            self.buffer = Vec::new();
        }
        written
    }

    /// When the journal has to be synced next, if it has.
    pub fn due(&self) -> Option<Instant> {
        self.unsynced.map(|since| since + SYNC)
    }

    /// Waits until all that is written is on the disk.
    ///
    /// # Errors
    /// When that fails, what was written since the last time may be lost.
    pub fn sync(&mut self) -> io::Result<()> {
        if self.unsynced.take().is_some() {
            self.file.sync_data()?;
        }
        Ok(())
    }

    /// Whether no name leads to the file any more.
    pub fn is_deleted(&self) -> bool {
        #[cfg(unix)]
        return self.file.metadata().is_ok_and(|about| std::os::unix::fs::MetadataExt::nlink(&about) == 0);
        #[cfg(not(unix))]
        return false;
    }

    /// Cuts the journal off at `length`. What cannot be cut is a torn tail, or counts on.
    pub fn cut_back(&mut self, length: u64) {
        self.buffer.clear();
        if self.file.set_len(length).is_ok() {
            self.length = length;
        }
    }
}
