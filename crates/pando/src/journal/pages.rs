//! Notes roughly where the results of a journal lie, with a few numbers of memory per some
//! thousand results.

use std::{collections::BTreeMap, ops::Range};

/// Results on a page.
pub(super) const PAGE: u64 = 4096;
/// Longest gap between results of a page, in bytes, over which an extent extends. Reading a short
/// gap again is better than noting another extent.
const GAP: u64 = 256 << 10;

/// For each page of [`PAGE`] consecutive values, the extents of the journal with their results.
/// Results that one run wrote lie near each other; results that a later run added form another
/// extent.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    extents: BTreeMap<u64, Vec<Range<u64>>>,
    end: u64,
    count: u64,
    /// The end of the last damage: no extent reaches over it.
    damage: u64,
}

impl Pages {
    /// Notes that the result of `index` lies at `place`, behind all places noted before.
    pub(super) fn add(&mut self, index: u64, place: Range<u64>) {
        self.end = self.end.max(index.saturating_add(1));
        self.count += 1;
        let extents = self.extents.entry(index / PAGE).or_default();
        match extents.last_mut() {
            Some(last) if last.end >= self.damage && place.start - last.end <= GAP => {
                last.end = place.end;
            }
            _ => extents.push(place),
        }
    }

    /// Notes that no records lie in `place`, behind all places noted before.
    pub(super) fn pass_over(&mut self, place: &Range<u64>) {
        self.damage = place.end;
    }

    /// The extents of a page, in the order of writing.
    pub(super) fn extents(&self, page: u64) -> &[Range<u64>] {
        self.extents.get(&page).map(Vec::as_slice).unwrap_or_default()
    }

    /// One more than the last index that has a result.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// How many results the journal has.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_results_in_some_disorder_take_little() {
        let mut pages = Pages::default();
        let mut at = 16;
        for index in 0..1_000_000 {
            let place = at..at + 40;
            at = place.end;
            // One of every ten results comes a thousand later.
            pages.add(if index % 10 == 0 { index + 1000 } else { index }, place);
        }
        assert_eq!((pages.count(), pages.end()), (1_000_000, 1_000_991));
        assert!(pages.extents.values().map(Vec::len).sum::<usize>() <= 250);
        assert_eq!(pages.extents(0).len(), 1);
    }

    #[test]
    fn what_was_added_much_later_is_a_stretch_of_its_own() {
        let mut pages = Pages::default();
        pages.add(1, 16..50);
        pages.add(0, 1_000_000..1_000_040);
        assert_eq!(pages.extents(0), [16..50, 1_000_000..1_000_040]);
        pages.add(u64::MAX, 2_000_000..2_000_040);
        assert_eq!(pages.end(), u64::MAX);
    }

    #[test]
    fn no_extent_reaches_over_damaged_bytes() {
        let mut pages = Pages::default();
        pages.add(0, 16..50);
        pages.pass_over(&(50..70));
        pages.add(1, 70..100);
        pages.add(2, 100..130);
        assert_eq!(pages.extents(0), [16..50, 70..130]);
    }
}
