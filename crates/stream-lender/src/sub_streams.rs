//! The open sub-streams.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    num::NonZeroU64,
};

use crate::Index;

/// The name of a sub-stream. A lender gives ids in the order of opening and never uses an id
/// again.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Ord, PartialOrd, Debug)]
pub struct SubStreamId(NonZeroU64);

/// No index: the end of a list.
pub(crate) const NONE: Index = Index::MAX;

/// The ends of the list of values that a sub-stream holds. The links are in the slots of the
/// values.
pub(crate) struct Held {
    pub(crate) first: Index,
    pub(crate) last: Index,
    pub(crate) len: usize,
}

pub(crate) struct Borrower {
    pub(crate) held: Held,
    /// The place of this sub-stream among the waiting sub-streams.
    pub(crate) ticket: Option<u64>,
    /// Whether the sub-stream will not ask for a while.
    pub(crate) paused: bool,
}

/// The open sub-streams, found by id in O(1).
#[derive(Default)]
pub(crate) struct SubStreams {
    open: HashMap<SubStreamId, Borrower, Mixed>,
    opened: u64,
    paused: usize,
}

impl SubStreams {
    pub(crate) fn open(&mut self) -> SubStreamId {
        let id = SubStreamId(NonZeroU64::MIN.saturating_add(self.opened));
        self.opened += 1;
        let held = Held { first: NONE, last: NONE, len: 0 };
        self.open.insert(id, Borrower { held, ticket: None, paused: false });
        id
    }

    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }

    /// How many sub-streams may ask: all open ones that are not paused.
    pub(crate) fn asking(&self) -> usize {
        self.open.len() - self.paused
    }

    /// Notes whether a sub-stream is paused.
    pub(crate) fn set_paused(&mut self, id: SubStreamId, paused: bool) {
        if let Some(borrower) = self.open.get_mut(&id).filter(|borrower| borrower.paused != paused)
        {
            borrower.paused = paused;
            if paused {
                self.paused += 1;
            } else {
                self.paused -= 1;
            }
        }
    }

    #[inline]
    pub(crate) fn find(&self, id: SubStreamId) -> Option<&Borrower> {
        self.open.get(&id)
    }

    #[inline]
    pub(crate) fn find_mut(&mut self, id: SubStreamId) -> Option<&mut Borrower> {
        self.open.get_mut(&id)
    }

    pub(crate) fn close(&mut self, id: SubStreamId) -> Option<Borrower> {
        self.set_paused(id, false);
        self.open.remove(&id)
    }
}

/// Hashes ids with a single multiplication, which is enough because ids count upwards and are not
/// chosen by outsiders.
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
