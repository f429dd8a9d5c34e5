//! Items that have failed for good as far as the devices that are here can tell, and whose verdict waits: another device may come that
//! can compute them. Meanwhile a sub-stream of its own holds them, so that nobody is lent them.

use super::{Core, Job};
use crate::protocol::Failure;
use std::{collections::BTreeMap, time::Instant};
use stream_lender::{Index, Loan, SubStreamId};

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Court {
    /// It holds the items, as long as there are any.
    sub: Option<SubStreamId>,
    cases: BTreeMap<Index, Case>,
}

/// An item whose verdict waits.
#[derive(Debug)]
pub(super) struct Case {
    /// The line about its last failure.
    pub(super) what: String,
    pub(super) failure: Failure,
    /// The verdict falls then; never, if it is for other devices to compute.
    pub(super) until: Option<Instant>,
}

impl Court {
    /// The oldest of the items.
    pub(super) fn first(&self) -> Option<Index> {
        self.cases.keys().next().copied()
    }

    /// The sub-streams that it has open.
    #[cfg(test)]
    pub(crate) fn sub_streams(&self) -> usize {
        usize::from(self.sub.is_some())
    }
}

impl Core {
    /// `sub` has failed the value of `loan`: the verdict waits.
    pub(super) fn adjourn(&mut self, sub: SubStreamId, loan: Loan, case: Case) {
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

    /// The verdict on `index` does not wait any more, if it did: it may be lent again. Gives whether it did.
    pub(super) fn dismiss(&mut self, index: Index) -> bool {
        let case = self.court.cases.remove(&index);
        let held = self.held_by_court(index).filter(|_| case.is_some());
        let dismissed = held.is_some_and(|(court, loan)| self.lender.hand_back(court, loan).is_ok());
        self.close_court();
        dismissed
    }

    /// The court's sub-stream, and the loan under which it holds `index`, if it does.
    fn held_by_court(&self, index: Index) -> Option<(SubStreamId, Loan)> {
        let court = self.court.sub.filter(|court| self.lender.holder(index) == Some(*court))?;
        Some((court, self.lender.loan(index)?))
    }

    /// Nothing waits for a verdict any more, if that is so.
    fn close_court(&mut self) {
        if self.court.cases.is_empty()
            && let Some(court) = self.court.sub.take()
        {
            self.lender.close(court);
        }
    }

    /// Lends out again what a device that is here now has not failed, and passes the verdicts that are due. Gives lines to say.
    pub(super) fn sit_in_court(&mut self, job: &Job, now: Instant) -> Vec<String> {
        if self.court.sub.is_none() {
            return Vec::new();
        }
        let (mut able, mut doubtful) = self.who_may_try();
        // Many may wait for a browser, and nothing else has to be looked for.
        let all_wait = self.court.cases.values().all(|case| case.until.is_none());
        if all_wait && able.iter().all(|who| who.local) && self.sync.is_none() && !self.interrupted {
            return Vec::new();
        }
        let mut lines = Vec::new();
        for index in self.court.cases.keys().copied().collect::<Vec<_>>() {
            let until = self.court.cases.get(&index).and_then(|case| case.until);
            let held = self.held_by_court(index);
            let is_cut_off = held.is_none_or(|(court, loan)| self.forgets(court, loan));
            // Before the verdict, those that stand back are asked as well.
            let others = able.iter().chain(doubtful.iter().filter(|_| until.is_some()));
            let is_due = self.interrupted || until.is_some_and(|until| now >= until);
            let is_untried = others.into_iter().any(|who| !self.failures.has_failed(index, who));
            if !(is_cut_off || is_untried || is_due) {
                continue;
            }
            let Some(Case { what, failure, .. }) = self.court.cases.remove(&index) else { continue };
            let Some((court, loan)) = held else { continue };
            if is_cut_off || is_untried {
                let _ = self.lender.hand_back(court, loan);
            } else {
                lines.extend(self.pass_verdict(court, loan, what, &failure, job));
                // It may acquit some.
                (able, doubtful) = self.who_may_try();
            }
        }
        self.close_court();
        lines
    }
}
