//! Asking: a session asks for one value more.

use super::{Items, Loop};
use crate::protocol::Value;
use stream_lender::{Ask, Loan, SubStreamId};

impl Items {
    /// Asks the lender for a value for `sub`. Finished items before this value take their places
    /// on the way, and values cancelled by the program are settled.
    pub(crate) fn ask(&mut self, sub: SubStreamId) -> Ask<Value> {
        loop {
            match self.lender.ask(sub, &mut self.queue) {
                Ask::Wait if self.take_finished() => {}
                Ask::Value(lent) if self.settle_cancelled(sub, lent.loan) => {}
                answer => return answer,
            }
        }
    }

    /// Settles the value of `loan`, which `sub` holds, if the program has cancelled the value.
    /// Returns whether this was so.
    pub(crate) fn settle_cancelled(&mut self, sub: SubStreamId, loan: Loan) -> bool {
        let Some(program) = &mut self.program else { return false };
        let cancelled = program.take_cancelled(loan.index);
        if cancelled {
            let _ = self.lender.result(sub, loan, None);
        }
        cancelled
    }

    /// Asks the program for one value per free core, minus the values on their way. `free` counts
    /// the free cores' calls, given the lender and the calls per core.
    pub(crate) fn ask_program(&mut self, free: impl FnOnce(&super::Lender, u64) -> u64) {
        let Some(program) = &mut self.program else { return };
        if self.lender.input_is_open() {
            let free = free(&self.lender, program.per_core());
            program.ask(free, (self.queue.len() + self.lender.returned()) as u64);
        }
    }

    /// Cancels the value at `index`, on behalf of the program. Returns the present loan of the
    /// value and its holder, if the value is lent.
    pub(crate) fn cancel(&mut self, index: u64) -> Option<(SubStreamId, Loan)> {
        let is_settled = self.lender.is_settled(index);
        if is_settled || !self.program.as_mut().is_some_and(|program| program.cancel(index)) {
            return None;
        }
        Some((self.lender.holder(index)?, self.lender.loan(index)?))
    }

    /// Whether the program has cancelled the value at `index`, which is not settled.
    pub(crate) fn is_cancelled(&self, index: u64) -> bool {
        self.program.as_ref().is_some_and(|program: &Loop| program.has_cancelled(index))
    }
}
