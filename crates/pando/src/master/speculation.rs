//! `--speculate`: when no other values are left to lend, an idle device gets a copy of the oldest
//! value in a long call. The first result counts.
//!
//! For the lender, the value stays with the first device, and the copy has a loan of its own. When
//! the copy finishes first, its device takes up the value and answers it at once.

use super::{Core, stragglers::Load};
use std::time::{Duration, Instant};
use stream_lender::{Index, Loan, SubStreamId};

impl Core {
    /// Lends copies of values in long calls, the oldest first, to idle devices.
    pub(super) fn speculate(&mut self, silence_limit: Duration, now: Instant) {
        if self.has_some_to_lend() {
            return;
        }
        self.speculated = self.speculated.split_off(&self.lender.output());
        let mut idle: Vec<_> =
            self.loads(silence_limit, now).into_iter().filter(Load::is_idle).collect();
        idle.sort_by_key(|load| load.each);
        for load in idle {
            let Some(index) = self.oldest_running(load.sub) else { continue };
            let Some(copy) = self.lender.copy(index) else { return };
            self.speculated.insert(index);
            if let Some(seat) = self.seats.get_mut(&load.sub) {
                seat.copies_in_flight.insert(copy.loan, copy.value.bytes.len() as u64);
                seat.progress.lent(1, load.held == 0, now);
                seat.copies.push(copy);
                seat.wake.notify_one();
            }
        }
    }

    /// The oldest value in a long call which one device computes, other than `idle`. Excludes
    /// values that are careful, or that may make devices vanish.
    fn oldest_running(&self, idle: SubStreamId) -> Option<Index> {
        let running = self
            .seats
            .iter()
            .flat_map(|(sub, seat)| seat.running.keys().map(move |loan| (*loan, *sub)));
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

    /// Handles an answer of `sub` to a loan that it does not hold. Removes the stray and returns
    /// its bytes, if the device was to compute the value.
    pub(super) fn stray(&mut self, sub: SubStreamId, loan: Loan) -> Option<u64> {
        self.seats.get_mut(&sub)?.copies_in_flight.remove(&loan)
    }

    /// Removes a copy of `loan` which still waits to be sent, because the device has answered or
    /// returned the loan already. Returns whether there was one.
    pub(super) fn unsends(&mut self, sub: SubStreamId, loan: Loan) -> bool {
        let Some(seat) = self.seats.get_mut(&sub) else { return false };
        let copy = seat.copies.iter().position(|copy| copy.loan == loan);
        if let Some(at) = copy {
            seat.copies.remove(at);
            seat.progress.not_lent();
        }
        copy.is_some()
    }

    /// Makes `sub`, which has a result of its copy `loan`, the holder of the value. Returns false
    /// if the result comes too late.
    pub(super) fn overtakes(&mut self, sub: SubStreamId, loan: Loan) -> bool {
        let Some(bytes) = self.lender.value(loan.index).map(|value| value.bytes.len() as u64)
        else {
            return false;
        };
        let held_by = self.lender.holder(loan.index).filter(|_| !self.release(loan.index));
        if let (Some(holder), Some(held)) = (held_by, self.lender.loan(loan.index)) {
            // A result that is being confirmed was earlier.
            let Some(seat) = self.seats.get_mut(&holder) else { return false };
            seat.copies_in_flight.insert(held, bytes);
            let _ = self.lender.hand_back(holder, held);
        }
        self.lender.take_up(sub, loan).is_some()
    }

    /// Whether `sub`, which was just lent `loan`, computes a copy of the same value. Then the copy
    /// becomes the loan.
    pub(super) fn has_copy(&mut self, sub: SubStreamId, loan: Loan) -> bool {
        if self.speculated.is_empty() || !self.has_stray(sub, loan.index) {
            return false;
        }
        let _ = self.lender.hand_back(sub, loan);
        self.takes_up_stray(sub, loan.index)
    }

    /// Makes a stray of `sub` with this index the loan under which `sub` holds the value. Returns
    /// whether there was such a stray.
    pub(super) fn takes_up_stray(&mut self, sub: SubStreamId, index: Index) -> bool {
        let Some(seat) = self.seats.get_mut(&sub) else { return false };
        let Some(stray) = seat.copies_in_flight.keys().find(|loan| loan.index == index).copied()
        else {
            return false;
        };
        seat.copies_in_flight.remove(&stray);
        self.lender.take_up(sub, stray).is_some()
    }

    /// Whether `sub` computes `index` without holding the loan.
    fn has_stray(&self, sub: SubStreamId, index: Index) -> bool {
        self.seats
            .get(&sub)
            .is_some_and(|seat| seat.copies_in_flight.keys().any(|loan| loan.index == index))
    }

    /// Whether `sub` is to compute `loan`, as the holder or as a stray.
    pub(super) fn computes(&self, sub: SubStreamId, loan: Loan) -> bool {
        self.lender.holds(sub, loan)
            || self.seats.get(&sub).is_some_and(|seat| seat.copies_in_flight.contains_key(&loan))
    }

    /// Notes that `sub` leaves: its copies may be lent again.
    pub(super) fn forget_copies(&mut self, sub: SubStreamId) {
        for loan in self.seats.get(&sub).into_iter().flat_map(|seat| seat.copies_in_flight.keys()) {
            self.speculated.remove(&loan.index);
        }
    }
}
