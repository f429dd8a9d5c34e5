//! `--speculate`: when there is nothing else to compute, an idle device gets the oldest value that another is still at. The first result counts.
//!
//! For the lender the value stays with who has it, and the copy has a loan of its own; only when that one is faster does the value change
//! hands, and is finished in the same moment.

use super::{Core, stragglers::Load};
use std::time::{Duration, Instant};
use stream_lender::{Index, Loan, SubStreamId};

impl Core {
    /// Lends long calls' values a second time, the oldest first, to devices that have nothing to do.
    pub(super) fn speculate(&mut self, patience: Duration, now: Instant) {
        if self.has_some_to_lend() {
            return;
        }
        self.speculated = self.speculated.split_off(&self.lender.output());
        let mut idle: Vec<_> = self.loads(patience, now).into_iter().filter(Load::is_idle).collect();
        idle.sort_by_key(|load| load.each);
        for load in idle {
            let Some(index) = self.oldest_running(load.sub) else { continue };
            let Some(copy) = self.lender.copy(index) else { return };
            self.speculated.insert(index);
            if let Some(seat) = self.seats.get_mut(&load.sub) {
                seat.strays.insert(copy.loan, copy.value.bytes.len() as u64);
                seat.progress.lent(1, load.held == 0, now);
                seat.copies.push(copy);
                seat.wake.notify_one();
            }
        }
    }

    /// The oldest value of a long call that only one device is at, and not `idle`. What may be what made devices vanish goes to no second one.
    fn oldest_running(&self, idle: SubStreamId) -> Option<Index> {
        let running = self.seats.iter().flat_map(|(sub, seat)| seat.running.keys().map(move |loan| (*loan, *sub)));
        running
            .filter(|(loan, sub)| {
                *sub != idle
                    && self.lender.holds(*sub, *loan)
                    && !self.has_stray(idle, loan.index)
                    && !self.speculated.contains(&loan.index)
                    && !self.failures.goes_alone(loan.index)
                    && self.lender.value(loan.index).is_some_and(|value| !value.careful)
            })
            .map(|(loan, _)| loan.index)
            .min()
    }

    /// `sub` answered `loan`, under which it does not hold the value: gives its bytes if it was to compute it all the same.
    pub(super) fn stray(&mut self, sub: SubStreamId, loan: Loan) -> Option<u64> {
        self.seats.get_mut(&sub)?.strays.remove(&loan)
    }

    /// Whether `sub` was still to be sent this unasked: it is not any more, since it has said what it would only then know of.
    pub(super) fn unsends(&mut self, sub: SubStreamId, loan: Loan) -> bool {
        let Some(seat) = self.seats.get_mut(&sub) else { return false };
        let copy = seat.copies.iter().position(|copy| copy.loan == loan);
        if let Some(at) = copy {
            seat.copies.remove(at);
            seat.progress.not_lent();
        }
        copy.is_some()
    }

    /// `sub` has the result of `loan`, a copy, before who holds the value: from now on it holds that itself. False when it comes too late.
    pub(super) fn overtakes(&mut self, sub: SubStreamId, loan: Loan) -> bool {
        let Some(bytes) = self.lender.value(loan.index).map(|value| value.bytes.len() as u64) else { return false };
        let held_by = self.lender.holder(loan.index).filter(|_| !self.dismiss(loan.index));
        if let (Some(holder), Some(held)) = (held_by, self.lender.loan(loan.index)) {
            // A result that is being confirmed was there first.
            let Some(seat) = self.seats.get_mut(&holder) else { return false };
            seat.strays.insert(held, bytes);
            let _ = self.lender.hand_back(holder, held);
        }
        self.lender.take_up(sub, loan).is_some()
    }

    /// Whether `sub` has been sent the value of `loan` already, which is lent to it now: then it goes on with what it has.
    pub(super) fn has_copy(&mut self, sub: SubStreamId, loan: Loan) -> bool {
        if self.speculated.is_empty() || !self.has_stray(sub, loan.index) {
            return false;
        }
        let _ = self.lender.hand_back(sub, loan);
        self.takes_up_stray(sub, loan.index)
    }

    /// Whether `sub` is at `index` without holding it, and holds it from now on: under the loan that it knows, and like others.
    pub(super) fn takes_up_stray(&mut self, sub: SubStreamId, index: Index) -> bool {
        let Some(seat) = self.seats.get_mut(&sub) else { return false };
        let Some(stray) = seat.strays.keys().find(|loan| loan.index == index).copied() else { return false };
        seat.strays.remove(&stray);
        self.lender.take_up(sub, stray).is_some()
    }

    /// Whether `sub` is at `index` without holding it.
    fn has_stray(&self, sub: SubStreamId, index: Index) -> bool {
        self.seats.get(&sub).is_some_and(|seat| seat.strays.keys().any(|loan| loan.index == index))
    }

    /// Whether `sub` may be at what it holds under `loan` or is to compute all the same.
    pub(super) fn computes(&self, sub: SubStreamId, loan: Loan) -> bool {
        self.lender.holds(sub, loan) || self.seats.get(&sub).is_some_and(|seat| seat.strays.contains_key(&loan))
    }

    /// `sub` leaves: what it was to compute besides may be lent a second time again.
    pub(super) fn forget_copies(&mut self, sub: SubStreamId) {
        for loan in self.seats.get(&sub).into_iter().flat_map(|seat| seat.strays.keys()) {
            self.speculated.remove(&loan.index);
        }
    }
}
