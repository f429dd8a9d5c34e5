//! The lender's two ends: the input, and the output.

use super::{Lender, Reading, slots::Slot};
use crate::{Index, Output};

/// The two ends.
impl<T: Clone, R, E> Lender<T, R, E> {
    /// Says that an input that answered [`Pull::Pending`](crate::Pull::Pending) may have more, or has ended or failed.
    pub fn input_ready(&mut self) {
        if let Reading::Pending = self.reading {
            self.reading = Reading::Ready;
        }
    }

    /// Whether reading is worthwhile now: somebody waits, the window has room and the input has not ended.
    pub fn wants_input(&self) -> bool {
        !self.waiters.is_empty() && self.input_is_open() && !self.is_full()
    }

    /// Whether one more value may be read: the window has room and the input has not ended.
    pub fn has_room(&self) -> bool {
        self.input_is_open() && !self.is_full()
    }

    /// Reads a value whose `result` is known already: it takes its place in the order, and is lent to nobody. For a driver whose input
    /// has such a value next; asks that meet it there are answered [`Pull::Pending`](crate::Pull::Pending) by that input.
    ///
    /// # Errors
    /// When nothing may be read ([`has_room`](Self::has_room)), the result comes back, and nothing has changed.
    pub fn read_finished(&mut self, result: R) -> Result<Index, R> {
        if !self.has_room() {
            return Err(result);
        }
        self.budget.add_result(&result);
        self.read += 1;
        Ok(self.slots.push_finished(result))
    }

    /// Stops reading now. What has been read is finished.
    pub fn end_input(&mut self) {
        if self.input_is_open() {
            self.reading = Reading::Ended;
        }
    }

    /// The next result in the order of the input, which frees its place in the window.
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

    /// Whether [`next_output`](Self::next_output) has something else to say than [`Output::Pending`].
    pub fn has_output(&self) -> bool {
        self.slots.has_ready() || (self.slots.len() == 0 && !self.input_is_open())
    }

    /// Ends the output before `end`: values from there on are forgotten and never lent again, their results refused, and
    /// the input is not read any more; if it has failed, the output does not say so, unless `end` lies beyond the failure. What is
    /// already output stays so. O(k log n) for the k values forgotten.
    pub fn truncate(&mut self, end: Index) {
        self.end_input();
        if end <= self.read {
            self.reading = Reading::Ended;
        }
        while self.slots.end() > end.max(self.slots.base()) {
            self.forget_newest();
        }
    }

    /// Says that the consumer left: every ask is answered [`Ask::Done`](crate::Ask::Done), and what has not been output is forgotten,
    /// as by [`truncate`](Self::truncate).
    pub fn drop_output(&mut self) {
        self.truncate(self.slots.base());
    }

    fn forget_newest(&mut self) {
        let index = self.slots.end() - 1;
        self.again.forget(index);
        let holder = self.slots.holder(index);
        if let Some(sub_stream) = holder.and_then(|sub| self.sub_streams.find_mut(sub)) {
            self.slots.unlink(index, &mut sub_stream.held);
        }
        match self.slots.pop_back() {
            Some(Slot::Unfinished(value, _)) => self.budget.remove_value(&value),
            Some(Slot::Finished(result)) => self.budget.remove_result(&result),
            None => {}
        }
    }

    /// Whether the input may be read further: it is not known to have ended or failed, and was not ended here.
    pub fn input_is_open(&self) -> bool {
        matches!(self.reading, Reading::Ready | Reading::Pending)
    }

    /// Whether the input has ended and every value has its result: there is nothing more to lend.
    pub(super) fn is_finished(&self) -> bool {
        !self.input_is_open() && self.slots.unfinished() == 0
    }
}
