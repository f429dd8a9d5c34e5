//! The lender's two ends: the input, and the output.

use super::{Lender, Reading, slots::Slot};
use crate::{Index, Output};

/// The two ends: input and output.
impl<T: Clone, R, E> Lender<T, R, E> {
    /// Says that an input may have more values, or has ended or failed, after an answer
    /// [`Pull::Pending`](crate::Pull::Pending).
    pub fn input_ready(&mut self) {
        if let Reading::Pending = self.reading {
            self.reading = Reading::Ready;
        }
    }

    /// Whether reading is worthwhile now: some sub-stream waits, the window has room and the input
    /// has not ended.
    pub fn wants_input(&self) -> bool {
        !self.waiters.is_empty() && self.input_is_open() && !self.is_full()
    }

    /// Whether one more value may be read: the window has room and the input has not ended.
    pub fn has_room(&self) -> bool {
        self.input_is_open() && !self.is_full()
    }

    /// Reads a value whose `result` is already known. The result takes its place in the order, and
    /// the value is lent to no sub-stream. A driver calls this method when the next value of the
    /// input has a result; for an ask in the meantime, its input answers
    /// [`Pull::Pending`](crate::Pull::Pending).
    ///
    /// # Errors
    /// The result comes back, and nothing has changed, when no value may be read (see
    /// [`has_room`](Self::has_room)).
    pub fn read_finished(&mut self, result: R) -> Result<Index, R> {
        if !self.has_room() {
            return Err(result);
        }
        self.budget.add_result(self.budget.weigh_result(&result));
        self.read += 1;
        Ok(self.slots.push_finished(result))
    }

    /// Stops reading now. Values that were read before still get their results.
    pub fn end_input(&mut self) {
        if self.input_is_open() {
            self.reading = Reading::Ended;
        }
    }

    /// The next result in the order of the input, or as results come (see [`Order`](crate::Order));
    /// taking it frees its place in the window.
    pub fn next_output(&mut self) -> Output<R, E> {
        if let Some((index, result)) = self.slots.pop_front() {
            self.budget.remove_result(&result);
            return Output::Item(index, result);
        }
        if self.slots.len() > 0 || self.input_is_open() {
            return Output::Pending;
        }
        match std::mem::replace(&mut self.reading, Reading::Ended) {
            Reading::Failed(error) => Output::Failed(error),
            _ => Output::Done,
        }
    }

    /// Whether [`next_output`](Self::next_output) would answer something other than
    /// [`Output::Pending`].
    pub fn has_output(&self) -> bool {
        self.slots.has_ready() || (self.slots.len() == 0 && !self.input_is_open())
    }

    /// Ends the output before `end`. The values from `end` on are forgotten and never lent again,
    /// their results are refused, and the input is not read any more. If the input has failed, the
    /// output gives the error only if `end` is more than the number of values read. Results that
    /// are already output stay so. With [`Order::OfResults`](crate::Order::OfResults), only values
    /// without a result are forgotten. O(k log n) for the k values forgotten.
    pub fn truncate(&mut self, end: Index) {
        self.end_input();
        if end <= self.read {
            self.reading = Reading::Ended;
        }
        while let Some(index) = self.slots.newest_from(end) {
            self.forget_newest(index);
        }
    }

    /// Says that the consumer left: every ask is answered [`Ask::Done`](crate::Ask::Done), and
    /// values that are not yet output are forgotten, as by [`truncate`](Self::truncate), and so are
    /// their results.
    pub fn drop_output(&mut self) {
        self.truncate(0);
        for result in self.slots.take_results() {
            self.budget.remove_result(&result);
        }
    }

    /// Forgets the value at `index`, the newest.
    fn forget_newest(&mut self, index: Index) {
        self.returned.forget(index);
        let holder = self.slots.holder(index);
        if let Some(borrower) = holder.and_then(|sub| self.sub_streams.find_mut(sub)) {
            self.slots.unlink(index, &mut borrower.held);
        }
        match self.slots.pop_back() {
            Some(Slot::Unfinished(value, _)) => self.budget.remove_value(&value),
            Some(Slot::Finished(result)) => self.budget.remove_result(&result),
            Some(Slot::Gone) | None => {}
        }
    }

    /// Whether the input may be read further: it has not ended or failed as far as the lender
    /// knows, and the driver has not ended it.
    pub fn input_is_open(&self) -> bool {
        matches!(self.reading, Reading::Ready | Reading::Pending)
    }

    /// Whether the input has ended and every value has its result, so that nothing more is lent.
    pub(super) fn is_finished(&self) -> bool {
        !self.input_is_open() && self.slots.unfinished() == 0
    }
}
