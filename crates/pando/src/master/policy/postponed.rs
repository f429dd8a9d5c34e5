//! Items with a postponed final failure: all connected devices have failed the item, but another
//! device may come and compute it. Meanwhile a sub-stream holds these items, so that no device is
//! lent one.

use crate::{master::items::Items, protocol::Failure};
use std::{collections::BTreeMap, time::Instant};
use stream_lender::{Index, Loan, SubStreamId};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct PostponedFailures {
    /// The sub-stream holding the items, while there are any.
    sub: Option<SubStreamId>,
    failures: BTreeMap<Index, PostponedFailure>,
}

/// An item whose final failure is postponed.
#[derive(Debug)]
pub(super) struct PostponedFailure {
    /// The line for people about the last failure.
    pub(super) what: String,
    /// The name of the device of the last failure.
    pub(super) device: String,
    pub(super) failure: Failure,
    /// When the item fails for good; `None` for an item that waits for a browser.
    pub(super) until: Option<Instant>,
}

impl PostponedFailures {
    /// The oldest item here.
    pub(super) fn first(&self) -> Option<Index> {
        self.failures.keys().next().copied()
    }

    /// The indexes of all items here.
    pub(super) fn indexes(&self) -> Vec<Index> {
        self.failures.keys().copied().collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sub.is_none()
    }

    /// Whether every item waits for a browser.
    pub(super) fn all_wait_for_browsers(&self) -> bool {
        self.failures.values().all(|postponed| postponed.until.is_none())
    }

    pub(super) fn get(&self, index: Index) -> Option<&PostponedFailure> {
        self.failures.get(&index)
    }

    pub(super) fn take(&mut self, index: Index) -> Option<PostponedFailure> {
        self.failures.remove(&index)
    }

    /// Takes the value of `loan`, which `sub` has failed, and postpones its final failure.
    pub(super) fn postpone(
        &mut self,
        items: &mut Items,
        sub: SubStreamId,
        loan: Loan,
        postponed: PostponedFailure,
    ) {
        let _ = items.lender_mut().fail(sub, loan);
        let holder = *self.sub.get_or_insert_with(|| items.open_paused());
        if items.lender_mut().lend_to(holder, loan.index).is_some() {
            self.failures.insert(loan.index, postponed);
        }
    }

    /// Makes `index` lendable again if its failure is postponed. Returns whether this was so.
    pub(super) fn release(&mut self, items: &mut Items, index: Index) -> bool {
        let postponed = self.failures.remove(&index);
        let held = self.held(items, index).filter(|_| postponed.is_some());
        let released =
            held.is_some_and(|(holder, loan)| items.lender_mut().hand_back(holder, loan).is_ok());
        self.close_if_empty(items);
        released
    }

    /// The sub-stream and the loan under which `index` is held here, if any.
    pub(super) fn held(&self, items: &Items, index: Index) -> Option<(SubStreamId, Loan)> {
        let lender = items.lender();
        let holder = self.sub.filter(|holder| lender.holder(index) == Some(*holder))?;
        Some((holder, lender.loan(index)?))
    }

    /// Closes the sub-stream when no item is left.
    pub(super) fn close_if_empty(&mut self, items: &mut Items) {
        if self.failures.is_empty()
            && let Some(holder) = self.sub.take()
        {
            items.lender_mut().close(holder);
        }
    }
}
