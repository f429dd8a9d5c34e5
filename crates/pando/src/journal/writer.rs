//! The end of a journal, where records are added. Pure except for the file: time is an argument.

use super::{Record, at::At, format::Format};
use std::{
    fs::File,
    io::{self, Write},
    sync::Arc,
    time::{Duration, Instant},
};

/// How soon written bytes are synced, so that they are on disk within a second.
const SYNC: Duration = Duration::from_millis(500);
/// Longest buffer that is kept after a write, in bytes.
const LARGE: usize = 1 << 20;

/// Appends to a journal; see the module.
#[derive(Debug)]
pub(crate) struct Writer {
    file: Arc<File>,
    format: Format,
    /// Length of the complete records in the file.
    length: u64,
    /// Records that are not yet written.
    buffer: Vec<u8>,
    /// The time since which the file has bytes that are not synced.
    unsynced: Option<Instant>,
}

impl Writer {
    /// A writer at the end of a journal of `length` bytes.
    pub(super) fn new(file: Arc<File>, format: Format, length: u64) -> Self {
        Self { file, format, length, buffer: Vec::new(), unsynced: None }
    }

    pub(super) fn push_bytes(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Adds a record to the next write.
    pub(crate) fn push(&mut self, record: &Record) {
        self.format.append(record, &mut self.buffer);
    }

    /// How many bytes wait to be written.
    pub(crate) fn pending(&self) -> usize {
        self.buffer.len()
    }

    /// How many bytes are written.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Writes the added records.
    ///
    /// # Errors
    /// When writing fails. None of the added records are in the journal then.
    pub(crate) fn write(&mut self, now: Instant) -> io::Result<()> {
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

    /// The time of the next sync, if one is needed.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.unsynced.map(|since| since + SYNC)
    }

    /// Waits until all written bytes are on the disk.
    ///
    /// # Errors
    /// When syncing fails. Bytes written since the last sync may then be lost.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        if self.unsynced.take().is_some() {
            self.file.sync_data()?;
        }
        Ok(())
    }

    /// Whether the file has no name any more.
    pub(crate) fn is_deleted(&self) -> bool {
        #[cfg(unix)]
        return self
            .file
            .metadata()
            .is_ok_and(|about| std::os::unix::fs::MetadataExt::nlink(&about) == 0);
        #[cfg(not(unix))]
        return false;
    }

    /// Cuts the journal off at `length`, if possible. Bytes that cannot be cut off remain in the
    /// file.
    pub(crate) fn cut_back(&mut self, length: u64) {
        self.buffer.clear();
        if self.file.set_len(length).is_ok() {
            self.length = length;
        }
    }
}
