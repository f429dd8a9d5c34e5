//! Values of another stream, which come with their loans, and may be taken back.

use super::Lender;
use crate::{Ask, Index, Lent, Loan, SubStreamId};

impl<T: Clone, R, E> Lender<T, R, E> {
    /// Lends a value that comes with its loan.
    pub(super) fn lend_at(&mut self, sub: SubStreamId, loan: Loan, value: T) -> Ask<T> {
        let Some(borrower) = self.sub_streams.find_mut(sub) else { return Ask::Done };
        self.budget.add_value(&value);
        self.read += 1;
        let lent = value.clone();
        self.slots.push_lent_at(loan, value, sub, &mut borrower.held);
        Ask::Value(Lent { loan, value: lent })
    }

    /// Adds a value that comes with its next loan, and waits to be lent. The sub-streams
    /// `failed_by` have tried it in vain before, as by [`fail`](Self::fail). As for
    /// [`Pull::At`](crate::Pull::At), no value of the same index is in the lender, and the number
    /// of the loan is new.
    ///
    /// # Panics
    /// When the order of the output is not [`Order::OfResults`].
    pub fn add_failed(&mut self, loan: Loan, value: T, failed_by: &[SubStreamId]) {
        self.budget.add_value(&value);
        self.read += 1;
        self.slots.push_at(loan, value);
        for sub in failed_by {
            if self.sub_streams.find(*sub).is_some_and(|borrower| !borrower.paused) {
                self.returned.blame(*sub, loan.index);
            }
        }
        self.lend_again(loan.index);
    }

    /// Takes a value that has no result out of the lender, whoever holds it, and returns the value.
    /// The value has no output. Returns `None` if there is no such value, or if the order of the
    /// output is [`Order::OfInput`], where each value has its place.
    pub fn withdraw(&mut self, index: Index) -> Option<T> {
        if self.slots.keeps_order() || self.slots.value(index).is_none() {
            return None;
        }
        self.returned.forget(index);
        let holder = self.slots.holder(index);
        if let Some(borrower) = holder.and_then(|sub| self.sub_streams.find_mut(sub)) {
            self.slots.unlink(index, &mut borrower.held);
        }
        let value = self.slots.take(index)?;
        self.budget.remove_value(&value);
        Some(value)
    }
}
