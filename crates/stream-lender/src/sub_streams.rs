//! The sub-streams that are open.

use std::{
    collections::{BTreeSet, HashMap},
    hash::{BuildHasherDefault, Hasher},
};

use crate::Index;

/// Names a sub-stream. Ids of one lender are given out in the order of opening and never used again.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Ord, PartialOrd, Debug)]
pub struct SubStreamId(u64);

/// No index: the end of a list.
pub(crate) const NONE: Index = Index::MAX;

/// The ends of the list of values that a sub-stream holds; the links are in the values' slots.
pub(crate) struct Held {
    pub(crate) first: Index,
    pub(crate) last: Index,
    pub(crate) len: usize,
}

pub(crate) struct SubStream {
    pub(crate) held: Held,
    /// Its place among those that wait for an answer.
    pub(crate) ticket: Option<u64>,
    /// It does not ask for a while; meanwhile, what it has failed is kept here.
    pub(crate) paused: Option<BTreeSet<Index>>,
}

/// The open sub-streams, found by id in O(1).
#[derive(Default)]
pub(crate) struct SubStreams {
    open: HashMap<SubStreamId, SubStream, Mixed>,
    opened: u64,
    paused: usize,
}

impl SubStreams {
    pub(crate) fn open(&mut self) -> SubStreamId {
        let id = SubStreamId(self.opened);
        self.opened += 1;
        let held = Held { first: NONE, last: NONE, len: 0 };
        self.open.insert(id, SubStream { held, ticket: None, paused: None });
        id
    }

    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }

    /// How many are open and not paused.
    pub(crate) fn active(&self) -> usize {
        self.open.len() - self.paused
    }

    /// Pauses one; what it `failed` until now is kept for it.
    pub(crate) fn pause(&mut self, id: SubStreamId, failed: BTreeSet<Index>) {
        if let Some(sub_stream) = self.open.get_mut(&id) {
            self.paused += usize::from(sub_stream.paused.replace(failed).is_none());
        }
    }

    /// Ends a pause; gives what was failed before it and in it.
    pub(crate) fn resume(&mut self, id: SubStreamId) -> BTreeSet<Index> {
        let failed = self.open.get_mut(&id).and_then(|sub_stream| sub_stream.paused.take());
        self.paused -= usize::from(failed.is_some());
        failed.unwrap_or_default()
    }

    pub(crate) fn find(&self, id: SubStreamId) -> Option<&SubStream> {
        self.open.get(&id)
    }

    pub(crate) fn find_mut(&mut self, id: SubStreamId) -> Option<&mut SubStream> {
        self.open.get_mut(&id)
    }

    pub(crate) fn close(&mut self, id: SubStreamId) -> Option<SubStream> {
        let closed = self.open.remove(&id)?;
        self.paused -= usize::from(closed.paused.is_some());
        Some(closed)
    }
}

/// Hashes ids, which count upwards and which nobody outside chooses, with one multiplication.
pub(crate) type Mixed = BuildHasherDefault<Mixer>;

#[derive(Default)]
pub(crate) struct Mixer(u64);

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
