//! The master dies at a random moment, and is started again with its journal.

use super::{
    link::Down,
    model::Model,
    world::{World, start_master},
};
use crate::journal::{HEADER, Record};
use bytes::Bytes;
use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::PathBuf,
};
use stream_lender::Index;
use tempfile::TempDir;

/// The folder of the journal: in memory, if possible.
pub(super) struct JournalFolder {
    folder: TempDir,
}

impl JournalFolder {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        Self { folder: folder.expect("there is room for a journal") }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.folder.path().join("journal")
    }

    /// The results that are complete in the journal.
    fn results(&self) -> BTreeMap<Index, Bytes> {
        let bytes = fs::read(self.path()).expect("it can be read");
        let mut rest = bytes.strip_prefix(HEADER).unwrap_or_default();
        let mut results = BTreeMap::new();
        while let Some((record, length)) = Record::first(rest) {
            rest = &rest[length..];
            if let Record::Result(item) = record {
                results.insert(item.index, Bytes::copy_from_slice(item.bytes));
            }
        }
        results
    }

    /// Loses a part at the end of the journal, as after a crash of the machine. Returns whether
    /// anything was lost.
    fn lose(&self, random: f64) -> bool {
        let file = File::options().write(true).open(self.path()).expect("it can be written");
        let length = file.metadata().expect("it is a file").len();
        let kept = (length as f64 * random) as u64;
        file.set_len(kept).expect("it can be cut");
        kept < length
    }
}

impl World {
    /// Kills the master and starts another one, which must not compute the results in the journal
    /// again.
    pub(super) fn restart_master(&mut self) {
        let Some(journal) = &self.journal else { return };
        say!(self, "the master dies");
        self.seen.note("master died");
        self.master_ends.clear();
        self.waiting.clear();
        self.confirming.clear();
        self.master.finish_journal().expect("it can be written");
        // The old master holds the journal open.
        self.master = start_master(&self.plan.job, None);
        assert_eq!(journal.results(), self.model.results(), "in the journal");
        if self.rng.bool() && journal.lose(self.rng.f64()) {
            self.seen.note("journal cut in the middle");
        }
        let known = journal.results();
        self.seen.note_if(!known.is_empty(), "from the journal");
        say!(self, "and comes back with the results of {:?}", known.keys());
        self.plan.job.id.push('+');
        self.master = start_master(&self.plan.job, Some(journal));
        self.model = Model::new(self.plan.job.clone(), &self.plan.items, &known);
        for number in 0..self.links.len() {
            if !std::mem::replace(&mut self.links[number].left, true) {
                self.links[number].down.clear();
                self.push_down(number, Down::Close);
            }
        }
        self.begin_ends();
    }
}
