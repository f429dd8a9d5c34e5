//! Items with a postponed final failure: all connected devices have failed the item, but another
//! device may come and compute it. Meanwhile a sub-stream holds these items, so that no device is
//! lent one.

use super::{Core, Job};
use crate::protocol::Failure;
use std::{collections::BTreeMap, time::Instant};
use stream_lender::{Index, Loan, SubStreamId};

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct PostponedFailures {
    /// The sub-stream holding the items, while there are any.
    sub: Option<SubStreamId>,
    cases: BTreeMap<Index, PostponedFailure>,
}

/// An item whose final failure is postponed.
#[derive(Debug)]
pub(super) struct PostponedFailure {
    /// The line for people about the last failure.
    pub(super) what: String,
    pub(super) failure: Failure,
    /// When the item fails for good; `None` for an item that waits for a browser.
    pub(super) until: Option<Instant>,
}

impl PostponedFailures {
    /// The oldest of these items.
    pub(super) fn first(&self) -> Option<Index> {
        self.cases.keys().next().copied()
    }

    /// The number of sub-streams open for these items.
    #[cfg(test)]
    pub(crate) fn sub_streams(&self) -> usize {
        usize::from(self.sub.is_some())
    }
}

impl Core {
    /// Takes the value of `loan`, which `sub` has failed, and postpones its final failure.
    pub(super) fn postpone(&mut self, sub: SubStreamId, loan: Loan, case: PostponedFailure) {
        let _ = self.lender.fail(sub, loan);
        let lender = &mut self.lender;
        let court = *self.court.sub.get_or_insert_with(|| {
            let court = lender.open();
            lender.pause(court);
            court
        });
        if lender.lend_to(court, loan.index).is_some() {
            self.court.cases.insert(loan.index, case);
        }
    }

    /// Makes `index` lendable again if its failure is postponed. Returns whether this was so.
    pub(super) fn release(&mut self, index: Index) -> bool {
        let case = self.court.cases.remove(&index);
        let held = self.held_by_court(index).filter(|_| case.is_some());
        let dismissed =
            held.is_some_and(|(court, loan)| self.lender.hand_back(court, loan).is_ok());
        self.close_court();
        dismissed
    }

    /// The sub-stream and the loan under which `index` is held here, if any.
    fn held_by_court(&self, index: Index) -> Option<(SubStreamId, Loan)> {
        let court = self.court.sub.filter(|court| self.lender.holder(index) == Some(*court))?;
        Some((court, self.lender.loan(index)?))
    }

    /// Closes the sub-stream when no item is left.
    fn close_court(&mut self) {
        if self.court.cases.is_empty()
            && let Some(court) = self.court.sub.take()
        {
            self.lender.close(court);
        }
    }

    /// Makes items lendable again if a connected device has not failed them, and fails the items
    /// whose time has come. Returns lines for people.
    pub(super) fn settle_due(&mut self, job: &Job, now: Instant) -> Vec<String> {
        if self.court.sub.is_none() {
            return Vec::new();
        }
        let (mut able, mut doubtful) = self.who_may_try();
        // A shortcut, because many items may wait for a browser.
        let all_wait = self.court.cases.values().all(|case| case.until.is_none());
        if all_wait && able.iter().all(|who| who.local) && self.sync.is_none() && !self.interrupted
        {
            return Vec::new();
        }
        let mut lines = Vec::new();
        for index in self.court.cases.keys().copied().collect::<Vec<_>>() {
            let until = self.court.cases.get(&index).and_then(|case| case.until);
            let held = self.held_by_court(index);
            let is_cut_off = held.is_none_or(|(court, loan)| self.forgets(court, loan));
            // Before an item fails for good, devices that stand back may try it as well.
            let others = able.iter().chain(doubtful.iter().filter(|_| until.is_some()));
            let is_due = self.interrupted || until.is_some_and(|until| now >= until);
            let is_untried = others.into_iter().any(|who| !self.failures.has_failed(index, who));
            if !(is_cut_off || is_untried || is_due) {
                continue;
            }
            let Some(PostponedFailure { what, failure, .. }) = self.court.cases.remove(&index)
            else {
                continue;
            };
            let Some((court, loan)) = held else { continue };
            if is_cut_off || is_untried {
                let _ = self.lender.hand_back(court, loan);
            } else {
                lines.extend(self.fail_for_good(court, loan, what, &failure, job));
                // The final failure may lift doubts about devices.
                (able, doubtful) = self.who_may_try();
            }
        }
        self.close_court();
        lines
    }
}
