//! The master dies at a random moment, and is started again with its journal.

use super::{
    clock::MS,
    link::Down,
    model::Model,
    plan::{Item, Nature},
    world::{World, start_master},
};
use crate::journal::{self, Digest, Format, digest};
use bytes::Bytes;
use fastrand::Rng;
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

    /// The results that are complete in the journal, by the hashes of their values; of several
    /// results of a value, the newest one.
    pub(super) fn results(&self) -> BTreeMap<Digest, Bytes> {
        let bytes = fs::read(self.path()).expect("it can be read");
        let results = journal::results(&bytes).into_iter();
        results.map(|(value, result)| (value, result.into())).collect()
    }

    /// Damages a byte somewhere after the header. Returns whether there was any.
    fn damage(&self, random: f64) -> bool {
        let mut bytes = fs::read(self.path()).expect("it can be read");
        let header = Format::of(&bytes).map_or(bytes.len(), |format| format.header_length());
        let at = header + ((bytes.len() - header) as f64 * random) as usize;
        let Some(byte) = bytes.get_mut(at) else { return false };
        *byte ^= 0x5a;
        fs::write(self.path(), bytes).expect("it can be written");
        true
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
        self.master_ends.retain(|end| self.links[end.link].gateway.is_some());
        self.waiting.retain(|link| self.links[*link].gateway.is_some());
        self.confirming.clear();
        self.master.finish_journal().expect("it can be written");
        let is_caught = self.is_liar_caught();
        // The old master holds the journal open.
        self.master = start_master(&self.plan.job, None);
        let value = |index: Index| digest(&self.plan.items[index as usize].text);
        let mut kept = journal.results();
        kept.retain(|kept, _| self.plan.items.iter().any(|item| digest(&item.text) == *kept));
        match self.model.shared() {
            Some(shared) => shared.check_kept(&kept, is_caught, &mut self.seen),
            None => {
                let results = self.model.results().into_iter();
                let results: BTreeMap<_, _> =
                    results.map(|(index, result)| (value(index), result)).collect();
                assert_eq!(kept, results, "in the journal");
            }
        }
        match self.rng.u32(0..4) {
            0 if journal.lose(self.rng.f64()) => self.seen.note("journal cut in the middle"),
            1 if journal.damage(self.rng.f64()) => self.seen.note("journal damaged"),
            _ => {}
        }
        let kept = journal.results();
        if self.rng.bool() {
            edit(&mut self.rng, &mut self.plan.items);
            self.vanished.resize(self.plan.items.len(), 0);
            self.edited = true;
            self.seen.note("input edited");
        }
        // Each value is there once, so it has its own result, wherever it is now.
        let result = |(index, item): (usize, &Item)| {
            Some((index as Index, kept.get(&digest(&item.text))?.clone()))
        };
        let known: BTreeMap<_, _> = self.plan.items.iter().enumerate().filter_map(result).collect();
        self.seen.note_if(!known.is_empty(), "from the journal");
        say!(self, "and comes back with the results of {:?}", known.keys());
        self.plan.job.id.push('+');
        self.plan.job.trust.iter_mut().for_each(|trust| trust.seed += 1);
        self.master = start_master(&self.plan.job, Some(journal));
        self.model = Model::new(self.plan.job.clone(), &self.plan.items, &known, self.sleeps);
        for number in 0..self.links.len() {
            if self.links[number].gateway.is_none()
                && !std::mem::replace(&mut self.links[number].left, true)
            {
                self.links[number].down.clear();
                self.push_down(number, Down::Close);
            }
        }
        self.begin_ends();
    }
}

/// Inserts, replaces and moves items. The number of items grows, because devices may still compute
/// old ones.
fn edit(rng: &mut Rng, items: &mut Vec<Item>) {
    for _ in 0..rng.usize(1..4) {
        let micros = items.get(rng.usize(0..items.len().max(1))).map_or(MS, |item| item.micros);
        let text = format!("new {}", rng.u64(..)).into();
        let new = Item { text, nature: Nature::Good, micros };
        let count = items.len();
        match rng.u32(0..4) {
            0 if count > 0 => items[rng.usize(0..count)] = new,
            1 if count > 0 => items.swap(rng.usize(0..count), rng.usize(0..count)),
            2 if count > 0 => items.rotate_left(rng.usize(0..count)),
            _ => items.insert(rng.usize(0..=count), new),
        }
    }
}
