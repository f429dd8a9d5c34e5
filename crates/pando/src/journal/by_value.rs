//! The results of a journal by their values, once the input is not as it was: 24 bytes of memory
//! per result.

use super::Digest;

/// Marks an entry at the start of its group: the number beside the mark is the place of the first
/// result of the group that has not been taken.
const MOVED: u64 = 1 << 63;

/// One result.
#[derive(Debug, Clone, Copy)]
pub(super) struct JournalPlace {
    /// The start of the hash of the value, see [`key`].
    key: u64,
    /// The index of the item when its result was written.
    index: u64,
    /// The position of the record in the journal.
    at: u64,
}

/// See the module. Each result is taken once.
#[derive(Debug)]
pub(super) struct ByValue {
    /// All results by value; results of the same value by index, the older record first.
    places: Vec<JournalPlace>,
    taken: u64,
}

impl JournalPlace {
    /// The result at position `at` of the journal, of item `index`.
    pub(super) fn new(key: u64, index: u64, at: u64) -> Self {
        Self { key, index, at }
    }
}

impl ByValue {
    /// The results at `places`, except those that were used: of each index below `next`, the record
    /// that was written last.
    pub(super) fn new(mut places: Vec<JournalPlace>, next: u64) -> Self {
        places.sort_unstable_by_key(|place| (place.index, place.at));
        let mut kept = 0;
        for at in 0..places.len() {
            let is_last = places.get(at + 1).is_none_or(|later| later.index != places[at].index);
            if !(is_last && places[at].index < next) {
                places[kept] = places[at];
                kept += 1;
            }
        }
        places.truncate(kept);
        places.sort_unstable_by_key(|place| (place.key, place.index, place.at));
        Self { places, taken: 0 }
    }

    /// How many results have not been taken.
    pub(super) fn left(&self) -> u64 {
        self.places.len() as u64 - self.taken
    }

    /// Takes the first result with this key that is left: the position of its record.
    pub(super) fn take_first(&mut self, key: u64) -> Option<u64> {
        let start = self.places.partition_point(|place| place.key < key);
        let head = self.places.get(start).filter(|head| head.key == key)?;
        let next = if head.at & MOVED == 0 { start } else { (head.at & !MOVED) as usize };
        let at = self.places.get(next).filter(|place| place.key == key)?.at;
        self.places[start].at = MOVED | (next as u64 + 1);
        self.taken += 1;
        Some(at)
    }

    /// Takes the result with this key that was written last, in place of all others with this key.
    pub(super) fn take_newest(&mut self, key: u64) -> Option<u64> {
        let mut newest = None;
        while let Some(at) = self.take_first(key) {
            newest = newest.max(Some(at));
        }
        newest
    }
}

/// The key of a value, whose result is in the file at `path`, if it is in a file.
pub(super) fn key(value: &Digest, path: Option<&[u8]>) -> u64 {
    let value = match path {
        None => *value,
        Some(path) => super::digest(&[value, path].concat()),
    };
    u128::from_le_bytes(value) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_result_is_taken_once_in_the_order_of_the_items() {
        let places = [(5, 7, 900), (5, 2, 800), (6, 1, 10), (5, 2, 300), (5, 9, 20), (4, 0, 1)];
        let places = places.map(|(key, index, at)| JournalPlace::new(key, index, at)).to_vec();
        let mut all = ByValue::new(places.clone(), 0);
        let taken: Vec<_> = std::iter::from_fn(|| all.take_first(5)).collect();
        assert_eq!((taken, all.left()), (vec![300, 800, 900, 20], 2));
        assert_eq!((all.take_first(5), all.take_first(7), all.take_first(3)), (None, None, None));
        assert_eq!((all.take_first(4), all.take_first(6)), (Some(1), Some(10)));
        assert_eq!((all.take_first(4), all.left()), (None, 0));
        // Of the items before the third one, the newest records have been used.
        let mut rest = ByValue::new(places.clone(), 3);
        let taken: Vec<_> = std::iter::from_fn(|| rest.take_first(5)).collect();
        assert_eq!((taken, rest.left()), (vec![300, 900, 20], 0));
        let mut newest = ByValue::new(places, 0);
        assert_eq!(
            (newest.take_newest(5), newest.take_newest(5), newest.left()),
            (Some(900), None, 2)
        );
    }

    #[test]
    fn many_results_of_one_value_take_no_more_time_than_others() {
        let places = (0..300_000).map(|index| JournalPlace::new(7, index, index * 40)).collect();
        let mut all = ByValue::new(places, 0);
        assert!((0..300_000).all(|index| all.take_first(7) == Some(index * 40)));
        assert_eq!(all.left(), 0);
    }

    #[test]
    fn a_result_takes_24_bytes() {
        assert_eq!(size_of::<JournalPlace>(), 24);
    }
}
