//! `--speculate`: when there is nothing else to compute, an idle device gets the oldest value that another is still at. The first result counts.
//!
//! For the lender the value stays with who has it; only when the other is faster does it change hands, and is finished in the same moment.

use super::{Core, stragglers::Load};
use std::time::{Duration, Instant};
use stream_lender::{Index, Lent, SubStreamId};

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
            let Some(value) = self.lender.value(index).cloned() else { return };
            self.speculated.insert(index);
            if let Some(seat) = self.seats.get_mut(&load.sub) {
                seat.strays.insert(index, value.bytes.len() as u64);
                seat.progress.lent(1, load.held == 0, now);
                seat.copies.push(Lent { index, value });
                seat.wake.notify_one();
            }
        }
    }

    /// The oldest value of a long call that only one device is at, and not `idle`. What may be what made devices vanish goes to no second one.
    fn oldest_running(&self, idle: SubStreamId) -> Option<Index> {
        let running = self.seats.iter().flat_map(|(sub, seat)| seat.running.keys().map(move |index| (*index, *sub)));
        running
            .filter(|(index, sub)| {
                *sub != idle
                    && self.lender.holder(*index) == Some(*sub)
                    && !self.speculated.contains(index)
                    && !self.failures.goes_alone(*index)
                    && self.lender.value(*index).is_some_and(|value| !value.careful)
            })
            .map(|(index, _)| index)
            .min()
    }

    /// `sub` answered `index`, which it does not hold: gives its bytes if it was to compute it all the same.
    pub(super) fn stray(&mut self, sub: SubStreamId, index: Index) -> Option<u64> {
        self.seats.get_mut(&sub)?.strays.remove(&index)
    }

    /// Whether `sub` was still to be sent `index` unasked: it is not any more, since it has it from before.
    pub(super) fn unsends(&mut self, sub: SubStreamId, index: Index) -> bool {
        let Some(seat) = self.seats.get_mut(&sub) else { return false };
        let copy = seat.copies.iter().position(|copy| copy.index == index);
        if let Some(at) = copy {
            seat.copies.remove(at);
            seat.progress.not_lent();
        }
        copy.is_some()
    }

    /// `sub` has the result of `index` before who holds that: from now on it holds it itself. False when it comes too late.
    pub(super) fn overtakes(&mut self, sub: SubStreamId, index: Index) -> bool {
        let Some(bytes) = self.lender.value(index).map(|value| value.bytes.len() as u64) else { return false };
        if let Some(holder) = self.lender.holder(index).filter(|_| !self.dismiss(index)) {
            // A result that is being confirmed was there first.
            let Some(seat) = self.seats.get_mut(&holder) else { return false };
            seat.strays.insert(index, bytes);
            let _ = self.lender.hand_back(holder, index);
        }
        self.lender.take_up(sub, index).is_some()
    }

    /// Whether `sub` has been sent `index` already, which is lent to it now: then it is a loan like others from here on.
    pub(super) fn has_copy(&mut self, sub: SubStreamId, index: Index) -> bool {
        !self.speculated.is_empty() && self.stray(sub, index).is_some()
    }

    /// Whether `sub` may be at `index`, which it holds or is to compute all the same.
    pub(super) fn computes(&self, sub: SubStreamId, index: Index) -> bool {
        self.lender.holder(index) == Some(sub) || self.seats.get(&sub).is_some_and(|seat| seat.strays.contains_key(&index))
    }

    /// `sub` leaves: what it was to compute besides may be lent a second time again.
    pub(super) fn forget_copies(&mut self, sub: SubStreamId) {
        for index in self.seats.get(&sub).into_iter().flat_map(|seat| seat.strays.keys()) {
            self.speculated.remove(index);
        }
    }
}
