//! What the thread does that writes the journal: records are added, written and synced, and files
//! of results are moved to their places.

use super::{BLOCK, Commit, Entry, Store, Unwritten};
use crate::journal::{Record, ResultRecord, Writer, digest};
use std::{
    io, mem,
    path::{Path, PathBuf},
    time::Instant,
};

/// What the thread works with.
pub(super) struct JournalThread {
    pub(super) writer: Writer,
    /// The journal's name.
    pub(super) name: String,
    pub(super) store: Option<Store>,
    /// Stored files that must still be moved to their places: the value's position, the path, and
    /// the move.
    pub(super) files: Vec<(u64, PathBuf, Commit)>,
}

impl JournalThread {
    /// Adds a result; a result for a file is only stored beside its target. With `only_file`,
    /// nothing is added to the journal.
    pub(super) fn add(&mut self, entry: &Entry, only_file: bool) -> Result<(), Unwritten> {
        let Entry { index, value, result, target, only_by } = entry;
        let in_file = target.as_ref().map(|_| digest(result));
        let bytes = match (target, &self.store) {
            (Some(target), Some(store)) => {
                let commit =
                    store(target, result).map_err(|error| cannot_write(*index, target, &error))?;
                self.files.push((*index, target.clone(), commit));
                target.as_os_str().as_encoded_bytes()
            }
            _ => result,
        };
        if only_file {
            return Ok(());
        }
        self.writer.push(&Record::Result(ResultRecord {
            index: *index,
            input: digest(value),
            in_file,
            only_by: *only_by,
            bytes,
        }));
        if self.writer.pending() >= BLOCK {
            self.write().map_err(|unwritten| unwritten.or(*index))?;
        }
        Ok(())
    }

    /// Writes the added records, and syncs them with `sync`. Files are moved to their places only
    /// after the journal on disk names them. So whatever happens, a file in the place of a target
    /// is known as a result of this job.
    pub(super) fn settle(&mut self, sync: bool) -> Result<(), Unwritten> {
        self.write()?;
        if sync || !self.files.is_empty() {
            self.sync()?;
        }
        let mut files = mem::take(&mut self.files).into_iter();
        while let Some((index, target, commit)) = files.next() {
            if let Err(error) = commit() {
                return Err(files
                    .map(|(index, ..)| index)
                    .fold(cannot_write(index, &target, &error), Unwritten::or));
            }
        }
        Ok(())
    }

    fn write(&mut self) -> Result<(), Unwritten> {
        let written = self.writer.write(Instant::now());
        written.map_err(|error| self.failed(&error))
    }

    pub(super) fn sync(&mut self) -> Result<(), Unwritten> {
        let synced = self.writer.sync();
        synced.map_err(|error| self.failed(&error))
    }

    /// The error when the journal cannot be written. Files that the journal may not name are
    /// removed.
    fn failed(&mut self, error: &io::Error) -> Unwritten {
        let why = format!(
            "the journal {} cannot be written: {error}. \
             What is in it stays usable: make room or mend it, then give the same command again",
            self.name
        );
        self.files
            .drain(..)
            .map(|(index, ..)| index)
            .fold(Unwritten { first: u64::MAX, why }, Unwritten::or)
    }
}

fn cannot_write(index: u64, target: &Path, error: &io::Error) -> Unwritten {
    Unwritten { first: index, why: format!("{} cannot be written: {error}", target.display()) }
}
