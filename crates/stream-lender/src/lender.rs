//! The state machine.

mod ends;
mod given;
mod returned;
mod slots;
mod tally;
#[cfg(test)]
mod tests;
mod view;
mod waiters;

use crate::{
    Ask, Index, Input, Lent, Loan, Order, Pull, Refused, SubStreamId, Window,
    sub_streams::{Borrower, SubStreams},
    window::Budget,
};
use returned::Returned;
use slots::Slots;
use waiters::Waiters;

/// Lends the values of one input to any number of sub-streams, and puts their results in the order
/// of the values (or leaves them in the order in which they come, see [`Order`]).
///
/// A lender does nothing by itself: a *driver* calls its methods and acts on the answers. There
/// are four kinds of methods:
///
/// - *borrowers come and go*: [`open`](Self::open), [`pause`](Self::pause),
///   [`close`](Self::close);
/// - *values go out*: [`ask`](Self::ask), [`lend_to`](Self::lend_to),
///   [`resume_loan`](Self::resume_loan), [`copy`](Self::copy);
/// - *values come back*: [`result`](Self::result), [`hand_back`](Self::hand_back),
///   [`fail`](Self::fail), [`withdraw`](Self::withdraw), [`add_failed`](Self::add_failed);
/// - *the two ends*: [`input_ready`](Self::input_ready), [`read_finished`](Self::read_finished)
///   and [`end_input`](Self::end_input) for the input, [`next_output`](Self::next_output),
///   [`truncate`](Self::truncate) and [`drop_output`](Self::drop_output) for the output.
///
/// After a call of any of these methods (also of [`ask`](Self::ask), which may have met the end of
/// the input) there may be results to output and sub-streams to wake. The driver calls
/// [`next_output`](Self::next_output) until there is no item, then [`next_wake`](Self::next_wake)
/// until the answer is `None`, and lets each sub-stream that was named [`ask`](Self::ask) again.
/// The driver may call both methods late or twice and loses nothing, because their answers follow
/// from the present state of the lender, not from past events.
///
/// Asking for a new value, giving a result and taking an output are O(1) (amortised), whatever the
/// number of values and sub-streams. Giving a value back and lending it again are O(log n).
pub struct Lender<T, R, E> {
    slots: Slots<T, R>,
    returned: Returned,
    sub_streams: SubStreams,
    waiters: Waiters,
    budget: Budget<T, R>,
    reading: Reading<E>,
    /// How many values have been read. After a [`Lender::truncate`], this is more than there are
    /// slots for.
    read: u64,
}

/// What the lender knows of the input.
enum Reading<E> {
    /// The input may have a value.
    Ready,
    /// The input had no value when it was last read.
    Pending,
    /// The input is not read any more.
    Ended,
    /// The input is not read any more, and the output has not yet given this error.
    Failed(E),
}

/// Borrowers come and go.
impl<T: Clone, R, E> Lender<T, R, E> {
    /// A lender whose window bounds only the number of values: values and results weigh nothing.
    pub fn new(window: Window) -> Self {
        Self::with_weights(window, |_| 0, |_| 0)
    }

    /// A lender whose window bounds the number of values and their bytes. A value counts with its
    /// own weight until the result is known; then the result counts until its output. The weights
    /// must depend on nothing but their argument.
    pub fn with_weights(
        window: Window,
        value_weight: fn(&T) -> u64,
        result_weight: fn(&R) -> u64,
    ) -> Self {
        Lender {
            slots: Slots::new(Order::OfInput),
            returned: Returned::default(),
            sub_streams: SubStreams::default(),
            waiters: Waiters::default(),
            budget: Budget::new(window, value_weight, result_weight),
            reading: Reading::Ready,
            read: 0,
        }
    }

    /// Sets the order of the output, before anything is read.
    ///
    /// # Panics
    /// When a value has been read.
    #[must_use]
    pub fn with_order(mut self, order: Order) -> Self {
        assert_eq!(self.read, 0, "the order of the output is set before anything is read");
        self.slots = Slots::new(order);
        self
    }

    /// Opens a sub-stream: one more borrower.
    pub fn open(&mut self) -> SubStreamId {
        self.sub_streams.open()
    }

    /// Says that a sub-stream will not ask for a while; its next [`ask`](Self::ask) ends the
    /// pause. The sub-stream keeps its values. Values failed by all other sub-streams do not wait
    /// for a paused sub-stream, whose own failures are forgotten.
    pub fn pause(&mut self, sub: SubStreamId) {
        self.unregister(sub);
        self.returned.forget_sub_stream(sub);
        self.sub_streams.set_paused(sub, true);
    }

    /// Closes a sub-stream, and returns the values that it held, in the order of lending. These
    /// values are to be lent again. Nothing happens if the sub-stream was closed before or never
    /// was open.
    pub fn close(&mut self, sub: SubStreamId) -> Vec<Index> {
        let Some(Borrower { mut held, ticket, .. }) = self.sub_streams.close(sub) else {
            return Vec::new();
        };
        if let Some(ticket) = ticket {
            self.waiters.remove(ticket);
        }
        self.returned.forget_sub_stream(sub);
        let indexes: Vec<Index> = self.slots.walk(Some(&held)).collect();
        for index in &indexes {
            self.slots.unlink(*index, &mut held);
            self.lend_again(*index);
        }
        indexes
    }
}

/// Values go out.
impl<T: Clone, R, E> Lender<T, R, E> {
    /// Lends a value to a sub-stream that can take one more (Algorithm 1 of the Pando paper). This
    /// is the oldest value that came back and may be lent to this sub-stream; otherwise a new
    /// value, if the input has one and the window has room. Without either, the sub-stream waits;
    /// once the input has ended and every value has a result, it is done.
    ///
    /// The input is read at most once. A sub-stream that is not open is answered [`Ask::Done`].
    pub fn ask<I>(&mut self, sub: SubStreamId, input: &mut I) -> Ask<T>
    where
        I: Input<Value = T, Error = E> + ?Sized,
    {
        let Some(borrower) = self.sub_streams.find_mut(sub) else {
            return Ask::Done;
        };
        let waiting = borrower.ticket.is_some();
        if borrower.paused {
            self.sub_streams.set_paused(sub, false);
        }
        let answer = self.answer(sub, input);
        match (waiting, matches!(answer, Ask::Wait)) {
            (false, true) => self.register(sub),
            (true, false) => self.unregister(sub),
            _ => {}
        }
        answer
    }

    #[inline]
    fn answer<I>(&mut self, sub: SubStreamId, input: &mut I) -> Ask<T>
    where
        I: Input<Value = T, Error = E> + ?Sized,
    {
        if self.returned.len() > 0
            && let Some(index) = self.returned.first_for(sub, self.sub_streams.asking())
        {
            self.returned.remove(index);
            return self.lend(sub, index, None).map_or(Ask::Done, Ask::Value);
        }
        if self.input_is_open() && !self.is_full() {
            match input.pull() {
                Pull::Value(value) => {
                    self.reading = Reading::Ready;
                    return self.lend_new(sub, value);
                }
                Pull::At(loan, value) => {
                    self.reading = Reading::Ready;
                    return self.lend_at(sub, loan, value);
                }
                Pull::Pending => self.reading = Reading::Pending,
                Pull::End => self.reading = Reading::Ended,
                Pull::Failed(error) => self.reading = Reading::Failed(error),
            }
        }
        if self.is_finished() { Ask::Done } else { Ask::Wait }
    }

    #[inline]
    fn lend_new(&mut self, sub: SubStreamId, value: T) -> Ask<T> {
        let Some(borrower) = self.sub_streams.find_mut(sub) else { return Ask::Done };
        self.budget.add_value(&value);
        self.read += 1;
        let lent = value.clone();
        let loan = self.slots.push_lent(value, sub, &mut borrower.held);
        Ask::Value(Lent { loan, value: lent })
    }

    /// Lends a value that is not lent to `sub`: under the loan of this number, or else under a new
    /// loan.
    #[inline]
    fn lend(&mut self, sub: SubStreamId, index: Index, number: Option<u32>) -> Option<Lent<T>> {
        let borrower = self.sub_streams.find_mut(sub)?;
        match self.slots.lend(index, number, sub, &mut borrower.held) {
            Some(Lent { loan, value }) => Some(Lent { loan, value: value.clone() }),
            None => unreachable!("what is lent has no result"),
        }
    }

    /// Lends the value at `index` to `sub`, if the value waits to be lent again. Whether `sub` has
    /// failed it before does not matter.
    pub fn lend_to(&mut self, sub: SubStreamId, index: Index) -> Option<Lent<T>> {
        self.lend_returned(sub, index, None)
    }

    /// Lends a value to `sub` under an earlier loan, if the value waits to be lent again. So a
    /// borrower that was away, or that has a [`copy`](Self::copy), goes on with its value. Whether
    /// `sub` has failed the value before does not matter.
    pub fn resume_loan(&mut self, sub: SubStreamId, loan: Loan) -> Option<Lent<T>> {
        if !self.slots.knows(loan) {
            return None;
        }
        self.lend_returned(sub, loan.index, Some(loan.number))
    }

    fn lend_returned(
        &mut self,
        sub: SubStreamId,
        index: Index,
        number: Option<u32>,
    ) -> Option<Lent<T>> {
        self.sub_streams.find(sub)?;
        if !self.returned.remove(index) {
            return None;
        }
        self.lend(sub, index, number)
    }

    /// Makes a copy of a value that has no result, for a second borrower to compute at the same
    /// time. The holder keeps the value. The copy has a loan of its own, under which nothing is
    /// accepted until a sub-stream [resumes it](Self::resume_loan).
    pub fn copy(&mut self, index: Index) -> Option<Lent<T>> {
        let Lent { loan, value } = self.slots.copy(index)?;
        Some(Lent { loan, value: value.clone() })
    }

    /// The next waiting sub-stream that should ask again. Each sub-stream is named once for every
    /// [`Ask::Wait`]; the longest waiting sub-streams come first.
    ///
    /// The answer follows from the present state: as long as waiting sub-streams can be served,
    /// they are named one after the other. If each asks before the next is named, no more are
    /// named than can be served. A call is O(log n), or O(1) if no sub-stream is to wake. After a
    /// failed value came back, a call also takes one step for each waiting sub-stream that may
    /// take none of the failed values, because it has failed all of them.
    pub fn next_wake(&mut self) -> Option<SubStreamId> {
        if self.waiters.is_empty() {
            return None;
        }
        let sub = if self.has_for_anyone() {
            self.waiters.pop()?
        } else if self.returned.has_failed() {
            let returned = &self.returned;
            self.waiters.pop_where(|sub| returned.has_failed_by_others(sub))?
        } else {
            return None;
        };
        if let Some(borrower) = self.sub_streams.find_mut(sub) {
            borrower.ticket = None;
        }
        Some(sub)
    }

    /// Whether asking makes sense for every sub-stream.
    fn has_for_anyone(&self) -> bool {
        self.is_finished()
            || self.returned.has_for_anyone(self.sub_streams.asking())
            || (matches!(self.reading, Reading::Ready) && !self.is_full())
    }

    fn register(&mut self, sub: SubStreamId) {
        let ticket = self.waiters.push(sub);
        if let Some(borrower) = self.sub_streams.find_mut(sub) {
            borrower.ticket = Some(ticket);
        }
    }

    fn unregister(&mut self, sub: SubStreamId) {
        if let Some(ticket) =
            self.sub_streams.find_mut(sub).and_then(|borrower| borrower.ticket.take())
        {
            self.waiters.remove(ticket);
        }
    }
}

/// Values come back.
impl<T: Clone, R, E> Lender<T, R, E> {
    /// Gives the result of a value that `sub` holds, and returns the value. A value that is failed
    /// for good also gets a result, which expresses the failure.
    ///
    /// # Errors
    /// The result is refused, and nothing changes, unless `sub` holds the value now, under this
    /// loan.
    pub fn result(&mut self, sub: SubStreamId, loan: Loan, result: R) -> Result<T, Refused> {
        let borrower = self.sub_streams.find_mut(sub).ok_or(Refused::UnknownSubStream)?;
        let weight = self.budget.weigh_result(&result);
        let value = self.slots.finish(sub, loan, &mut borrower.held, result);
        let value = value.ok_or(Refused::NotHeld)?;
        self.budget.add_result(weight);
        self.budget.remove_value(&value);
        self.returned.forget(loan.index);
        Ok(value)
    }

    /// Hands a value back, untried. The value is lent again, oldest first, to the next sub-stream
    /// that asks, `sub` included.
    ///
    /// # Errors
    /// As for [`result`](Self::result).
    pub fn hand_back(&mut self, sub: SubStreamId, loan: Loan) -> Result<(), Refused> {
        self.give_back(sub, loan)?;
        self.lend_again(loan.index);
        Ok(())
    }

    /// Says that `sub` tried a value in vain. The value is lent again, oldest first, to the next
    /// asker without a failure of this value; or to any asker, once all open sub-streams that are
    /// not paused have failed the value.
    ///
    /// # Errors
    /// As for [`result`](Self::result).
    pub fn fail(&mut self, sub: SubStreamId, loan: Loan) -> Result<(), Refused> {
        self.give_back(sub, loan)?;
        if self.sub_streams.find(sub).is_some_and(|borrower| !borrower.paused) {
            self.returned.blame(sub, loan.index);
        }
        self.lend_again(loan.index);
        Ok(())
    }

    /// Changes a value that has no result yet; later loans lend the new value. If the value has a
    /// result or was never read, nothing changes.
    pub fn replace_value(&mut self, index: Index, value: T) {
        if let Some(place) = self.slots.value_mut(index) {
            self.budget.remove_value(place);
            self.budget.add_value(&value);
            *place = value;
        }
    }

    #[inline]
    fn give_back(&mut self, sub: SubStreamId, loan: Loan) -> Result<(), Refused> {
        let borrower = self.sub_streams.find_mut(sub).ok_or(Refused::UnknownSubStream)?;
        if !self.slots.holds(sub, loan) {
            return Err(Refused::NotHeld);
        }
        self.slots.unlink(loan.index, &mut borrower.held);
        Ok(())
    }

    fn lend_again(&mut self, index: Index) {
        if self.returned.insert(index) {
            self.waiters.look_again();
        }
    }
}
