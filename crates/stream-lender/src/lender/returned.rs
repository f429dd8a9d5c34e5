//! The values that wait to be lent again, and the failures of sub-streams.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::tally::Tally;
use crate::{Index, SubStreamId, sub_streams::Mixed};

/// The values that wait to be lent again, the oldest first. A value that an open sub-stream has
/// failed is lent to another one, as long as there is another one. Every step is O(log n) in the
/// number of waiting values, times the number of open sub-streams that have failed the value in
/// question. This number is usually zero, and at most the number of attempts that the driver
/// allows.
#[derive(Default)]
pub(super) struct Returned {
    /// Waiting values that no open sub-stream has failed.
    clean: BTreeSet<Index>,
    /// Waiting values that some open sub-stream has failed: *tainted* values.
    tainted: Tally,
    /// The tainted values, by the number of open sub-streams with a failure. A value failed by all
    /// open sub-streams goes to any sub-stream.
    by_failers: BTreeMap<usize, BTreeSet<Index>>,
    /// The open sub-streams that have failed a value without a result, whether the value waits or
    /// is lent.
    failers: BTreeMap<Index, Vec<SubStreamId>>,
    /// The same failures, by sub-stream.
    failures: HashMap<SubStreamId, FailedValues, Mixed>,
}

/// The values failed by one open sub-stream.
#[derive(Default)]
struct FailedValues {
    /// The failed values that have no result yet.
    unfinished: BTreeSet<Index>,
    /// The failed values that wait to be lent again: a subset of the tainted values.
    waiting: Tally,
}

impl Returned {
    /// The oldest value that may be lent to the open sub-stream `sub`, when `open` sub-streams are
    /// open and not paused.
    pub(super) fn first_for(&self, sub: SubStreamId, open: usize) -> Option<Index> {
        let clean = self.clean.first().copied();
        if self.tainted.total() == 0 {
            return clean;
        }
        let tainted = match self.failures.get(&sub) {
            Some(failures) => self.tainted.first_outside(&failures.waiting),
            None => self.tainted.first_outside(&Tally::default()),
        };
        [clean, tainted, self.first_failed_by_all(open)].into_iter().flatten().min()
    }

    /// Whether some value may be lent to any of the `open` sub-streams.
    pub(super) fn has_for_anyone(&self, open: usize) -> bool {
        !self.clean.is_empty() || self.first_failed_by_all(open).is_some()
    }

    /// How many values wait.
    pub(super) fn len(&self) -> usize {
        self.clean.len() + self.tainted.total()
    }

    /// The oldest value that waits.
    pub(super) fn oldest(&self) -> Option<Index> {
        let tainted = self.tainted.first_outside(&Tally::default());
        self.clean.first().copied().into_iter().chain(tainted).min()
    }

    /// Whether some value is tainted.
    pub(super) fn has_failed(&self) -> bool {
        self.tainted.total() > 0
    }

    /// Whether some value is tainted, but not by `sub`.
    pub(super) fn has_failed_by_others(&self, sub: SubStreamId) -> bool {
        self.tainted.total()
            > self.failures.get(&sub).map_or(0, |failures| failures.waiting.total())
    }

    /// Puts a value among the waiting values, and returns whether it is tainted.
    pub(super) fn insert(&mut self, index: Index) -> bool {
        let Some(failers) = self.failers.get(&index) else {
            self.clean.insert(index);
            return false;
        };
        self.tainted.add(index);
        self.by_failers.entry(failers.len()).or_default().insert(index);
        for sub in failers {
            self.failures.entry(*sub).or_default().waiting.add(index);
        }
        true
    }

    /// Takes a value out of the waiting values, and returns whether it was there.
    pub(super) fn remove(&mut self, index: Index) -> bool {
        let Some(failers) = self.failers.get(&index) else {
            return self.clean.remove(&index);
        };
        let count = failers.len();
        let Some(peers) = self.by_failers.get_mut(&count) else {
            return false;
        };
        if !peers.remove(&index) {
            return false;
        }
        if peers.is_empty() {
            self.by_failers.remove(&count);
        }
        self.tainted.remove(index);
        for sub in failers {
            self.failures.entry(*sub).or_default().waiting.remove(index);
        }
        true
    }

    /// Notes that the open sub-stream `sub` has failed a value, which does not wait.
    pub(super) fn blame(&mut self, sub: SubStreamId, index: Index) {
        let failures = self.failures.entry(sub).or_default();
        if failures.unfinished.insert(index) {
            self.failers.entry(index).or_default().push(sub);
        }
    }

    /// Forgets a value with a result, or a value that is cut off.
    #[inline]
    pub(super) fn forget(&mut self, index: Index) {
        if !self.clean.is_empty() || !self.failers.is_empty() {
            self.forget_waiting(index);
        }
    }

    fn forget_waiting(&mut self, index: Index) {
        self.remove(index);
        for sub in self.failers.remove(&index).into_iter().flatten() {
            if let Some(failures) = self.failures.get_mut(&sub) {
                failures.unfinished.remove(&index);
            }
        }
    }

    /// Forgets the failures of a closing or pausing sub-stream; some values may then be no longer
    /// tainted.
    pub(super) fn forget_sub_stream(&mut self, sub: SubStreamId) {
        let Some(failures) = self.failures.get_mut(&sub) else {
            return;
        };
        for index in std::mem::take(&mut failures.unfinished) {
            let waited = self.remove(index);
            if let Some(failers) = self.failers.get_mut(&index) {
                failers.retain(|failer| *failer != sub);
                if failers.is_empty() {
                    self.failers.remove(&index);
                }
            }
            if waited {
                self.insert(index);
            }
        }
        self.failures.remove(&sub);
    }

    /// Whether nothing is kept of any value.
    #[cfg(test)]
    pub(super) fn is_clear(&self) -> bool {
        let waiting = self.clean.len() + self.tainted.total() + self.by_failers.len();
        let kept = |failures: &FailedValues| failures.unfinished.len() + failures.waiting.total();
        waiting + self.failers.len() + self.failures.values().map(kept).sum::<usize>() == 0
    }

    fn first_failed_by_all(&self, open: usize) -> Option<Index> {
        self.by_failers.get(&open).and_then(|values| values.first().copied())
    }
}
