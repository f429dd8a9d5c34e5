//! Questions about the state of a lender.

use std::fmt;

use super::{Lender, Reading};
use crate::{Index, Loan, SubStreamId};

/// The state of the lender, in O(1).
impl<T: Clone, R, E> Lender<T, R, E> {
    /// Whether everything has been output, including an error of the input.
    pub fn is_done(&self) -> bool {
        self.slots.len() == 0 && matches!(self.reading, Reading::Ended)
    }

    /// Whether the window has no room for one more value.
    pub fn is_full(&self) -> bool {
        !self.budget.has_room(self.slots.len())
    }

    /// How many values have been read and not yet output.
    pub fn in_progress(&self) -> usize {
        self.slots.len()
    }

    /// How many values have been read and have no result yet.
    pub fn unfinished(&self) -> usize {
        self.slots.unfinished()
    }

    /// How many bytes of the window are taken, by the weights of
    /// [`with_weights`](Self::with_weights).
    pub fn bytes_in_progress(&self) -> u64 {
        self.budget.bytes()
    }

    /// How many of the bytes in progress belong to results that are not yet output.
    pub fn result_bytes(&self) -> u64 {
        self.budget.result_bytes()
    }

    /// How many values have been read so far.
    pub fn values_read(&self) -> u64 {
        self.read
    }

    /// How many results have been output so far. In the order of the input, this is also the index
    /// of the next result.
    pub fn results_output(&self) -> u64 {
        self.slots.output()
    }

    /// The index after the newest value that has been read and was not cut off.
    pub fn end(&self) -> Index {
        self.slots.end()
    }

    /// How many sub-streams are open.
    pub fn sub_streams(&self) -> usize {
        self.sub_streams.len()
    }

    /// The oldest value without a result, and its holder.
    pub fn oldest(&self) -> Option<(Index, Option<SubStreamId>)> {
        let index = self.slots.oldest()?;
        Some((index, self.slots.holder(index)))
    }

    /// How many values `sub` holds.
    pub fn held(&self, sub: SubStreamId) -> usize {
        self.sub_streams.find(sub).map_or(0, |borrower| borrower.held.len)
    }

    /// How many values came back without a result and wait to be lent again.
    pub fn returned(&self) -> usize {
        self.returned.len()
    }

    /// The oldest of the returned values, which waits to be lent again.
    pub fn oldest_returned(&self) -> Option<Index> {
        self.returned.oldest()
    }

    /// The sub-stream that holds a value.
    pub fn holder(&self, index: Index) -> Option<SubStreamId> {
        self.slots.holder(index)
    }

    /// The present loan of a value that a sub-stream holds.
    pub fn loan(&self, index: Index) -> Option<Loan> {
        self.slots.loan(index)
    }

    /// Whether `sub` holds a value under this loan.
    pub fn holds(&self, sub: SubStreamId, loan: Loan) -> bool {
        self.slots.holds(sub, loan)
    }

    /// Whether this loan has been made at any time, and its value has no result.
    pub fn knows(&self, loan: Loan) -> bool {
        self.slots.knows(loan)
    }

    /// Whether a value has been read and has a result, or was cut off after the reading.
    pub fn is_settled(&self, index: Index) -> bool {
        index < self.read && self.slots.value(index).is_none()
    }

    /// A value that has been read and has no result yet.
    pub fn value(&self, index: Index) -> Option<&T> {
        self.slots.value(index)
    }

    /// The loans that `sub` holds, in the order of lending.
    pub fn outstanding(&self, sub: SubStreamId) -> impl Iterator<Item = Loan> {
        let indexes = self.slots.walk(self.sub_streams.find(sub).map(|borrower| &borrower.held));
        indexes.filter_map(|index| self.slots.loan(index))
    }
}

impl<T: Clone, R, E> fmt::Debug for Lender<T, R, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lender")
            .field("sub_streams", &self.sub_streams.len())
            .field("read", &self.read)
            .field("output", &self.slots.output())
            .field("unfinished", &self.slots.unfinished())
            .field("oldest", &self.oldest())
            .finish_non_exhaustive()
    }
}
