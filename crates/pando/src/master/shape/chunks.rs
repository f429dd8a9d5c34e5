//! `--chunk`: items that are lists of values.

use bytes::Bytes;
use std::{
    collections::BTreeMap,
    ops::RangeInclusive,
    sync::{Mutex, MutexGuard},
};
use stream_lender::Index;

/// A place in a chunk without a value, because the input is unusable there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::master) struct Hole {
    /// The place in the chunk, from 0.
    pub(in crate::master) place: u64,
    /// The output in the place of a result, if there is one.
    pub(in crate::master) report: Option<Bytes>,
}

/// The chunks of a run. All have the same number of values, except the last one. The reader notes
/// what is special about a chunk before anybody gets the chunk.
#[derive(Debug)]
pub(crate) struct Chunks {
    size: u64,
    special: Mutex<Special>,
}

#[derive(Debug, Default)]
struct Special {
    /// The last chunk, and the number of its places.
    last: Option<(Index, u64)>,
    /// The holes of chunks that are not yet output.
    holes: BTreeMap<Index, Vec<Hole>>,
}

impl Chunks {
    /// Chunks of this many values.
    pub(crate) fn new(size: u64) -> Self {
        Self { size, special: Mutex::default() }
    }

    /// The number of values in each chunk.
    pub(in crate::master) fn size(&self) -> u64 {
        self.size
    }

    /// Notes that `index` is the last chunk, and the number of its places.
    pub(in crate::master) fn end(&self, index: Index, places: u64) {
        self.special().last = Some((index, places));
    }

    /// Notes the holes of a chunk.
    pub(in crate::master) fn note_holes(&self, index: Index, holes: Vec<Hole>) {
        if !holes.is_empty() {
            self.special().holes.insert(index, holes);
        }
    }

    /// Takes the holes of a chunk, which is output now.
    pub(in crate::master) fn take_holes(&self, index: Index) -> Vec<Hole> {
        self.special().holes.remove(&index).unwrap_or_default()
    }

    /// The number of values that the function gets in a chunk.
    pub(in crate::master) fn values(&self, index: Index) -> u64 {
        let special = self.special();
        let holes = special.holes.get(&index).map_or(0, Vec::len);
        self.places(&special, index) - holes as u64
    }

    /// The place of a chunk's first value in the input, from 0.
    pub(in crate::master) fn first(&self, index: Index) -> u64 {
        index.saturating_mul(self.size)
    }

    /// The numbers of a chunk's values in the input, from 1, apart from the holes.
    pub(in crate::master) fn numbers_of_values(&self, index: Index) -> Vec<u64> {
        let special = self.special();
        let holes = special.holes.get(&index).map(Vec::as_slice).unwrap_or_default();
        let first = self.first(index);
        let is_value = |place: &u64| !holes.iter().any(|hole| hole.place == *place);
        (0..self.places(&special, index)).filter(is_value).map(|place| first + place + 1).collect()
    }

    /// The numbers of all places of a chunk in the input, from 1.
    pub(in crate::master) fn numbers(&self, index: Index) -> RangeInclusive<u64> {
        let before = self.first(index);
        before + 1..=before.saturating_add(self.places(&self.special(), index))
    }

    /// The name of a chunk for people, by the numbers of its values.
    pub(in crate::master) fn name(&self, index: Index) -> String {
        let numbers = self.numbers(index);
        match numbers.end() - numbers.start() {
            0 => format!("item {}", numbers.start()),
            _ => format!("items {}-{}", numbers.start(), numbers.end()),
        }
    }

    fn places(&self, special: &Special, index: Index) -> u64 {
        special.last.filter(|(last, _)| *last == index).map_or(self.size, |(_, places)| places)
    }

    fn special(&self) -> MutexGuard<'_, Special> {
        self.special.lock().expect("nobody panics with it")
    }
}
