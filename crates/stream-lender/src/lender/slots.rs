//! The values that have been read and not yet output.

mod as_they_come;

use std::{collections::VecDeque, mem};

use crate::{
    Index, Lent, Loan, Order, SubStreamId,
    sub_streams::{Held, NONE},
};
use as_they_come::AsTheyCome;

/// A ring buffer with one slot for each value that has been read and not yet output, the oldest in
/// front. The values that one sub-stream holds form a doubly linked list through their slots, in
/// the order of lending.
pub(super) struct Slots<T, R> {
    ring: VecDeque<Slot<T, R>>,
    /// The index of the front slot.
    base: Index,
    /// The first index without a result: all results before it can be output.
    ready: Index,
    unfinished: usize,
    /// Present if results are output as they come.
    as_they_come: Option<AsTheyCome<T, R>>,
}

pub(super) enum Slot<T, R> {
    Unfinished(T, Place),
    Finished(R),
    /// The value's result is in [`AsTheyCome`], or was output from there.
    Gone,
}

/// The holder of a value, and the value's neighbours among the values of that holder.
pub(super) struct Place {
    holder: Option<SubStreamId>,
    previous: Index,
    next: Index,
    /// The number of the value's present loan.
    number: u32,
    /// How many loans of the value there have been.
    loans: u32,
}

impl<T, R> Slots<T, R> {
    pub(super) fn new(order: Order) -> Self {
        let as_they_come = match order {
            Order::OfInput => None,
            Order::OfResults => Some(AsTheyCome::default()),
        };
        Slots { ring: VecDeque::new(), base: 0, ready: 0, unfinished: 0, as_they_come }
    }

    /// Whether the output has the order of the input, so that each value has its place.
    pub(super) fn keeps_order(&self) -> bool {
        self.as_they_come.is_none()
    }

    /// How many results have been output.
    pub(super) fn output(&self) -> u64 {
        self.as_they_come.as_ref().map_or(self.base, AsTheyCome::output)
    }

    pub(super) fn end(&self) -> Index {
        self.base + self.ring.len() as Index
    }

    /// How many values have been read and are not yet output.
    pub(super) fn len(&self) -> usize {
        match &self.as_they_come {
            None => self.ring.len(),
            Some(come) => self.unfinished + come.results(),
        }
    }

    pub(super) fn unfinished(&self) -> usize {
        self.unfinished
    }

    /// Whether a result can be output.
    pub(super) fn has_ready(&self) -> bool {
        match &self.as_they_come {
            None => self.base < self.ready,
            Some(come) => come.results() > 0,
        }
    }

    /// The oldest value without a result.
    pub(super) fn oldest(&self) -> Option<Index> {
        let late = self.as_they_come.as_ref().and_then(AsTheyCome::oldest);
        late.or_else(|| (self.ready < self.end()).then_some(self.ready))
    }

    #[inline]
    fn unfinished_at(&self, index: Index) -> Option<(&T, &Place)> {
        let Some(position) = self.position(index) else {
            return self.as_they_come.as_ref()?.late(index);
        };
        match self.ring.get(position)? {
            Slot::Unfinished(value, place) => Some((value, place)),
            Slot::Finished(_) | Slot::Gone => None,
        }
    }

    /// A value without a result.
    pub(super) fn value(&self, index: Index) -> Option<&T> {
        self.unfinished_at(index).map(|(value, _)| value)
    }

    pub(super) fn value_mut(&mut self, index: Index) -> Option<&mut T> {
        self.unfinished_mut(index).map(|(value, _)| value)
    }

    pub(super) fn holder(&self, index: Index) -> Option<SubStreamId> {
        self.unfinished_at(index)?.1.holder
    }

    /// The present loan of a value that a sub-stream holds.
    pub(super) fn loan(&self, index: Index) -> Option<Loan> {
        let (_, place) = self.unfinished_at(index)?;
        place.holder.map(|_| Loan { index, number: place.number })
    }

    /// Whether `sub` holds a value under this loan.
    #[inline]
    pub(super) fn holds(&self, sub: SubStreamId, loan: Loan) -> bool {
        let place = self.unfinished_at(loan.index).map(|(_, place)| place);
        place.is_some_and(|place| place.is_held(sub, loan))
    }

    /// Whether this loan has ever been made, and its value still has no result.
    pub(super) fn knows(&self, loan: Loan) -> bool {
        self.unfinished_at(loan.index).is_some_and(|(_, place)| loan.number < place.loans)
    }

    /// The values of one holder's list, in the order of lending.
    pub(super) fn walk(&self, held: Option<&Held>) -> impl Iterator<Item = Index> {
        let first = held.map(|held| held.first).filter(|first| *first != NONE);
        std::iter::successors(first, |index| {
            Some(self.unfinished_at(*index)?.1.next).filter(|next| *next != NONE)
        })
    }

    /// Adds a value, lent to `sub` for the first time.
    #[inline]
    pub(super) fn push_lent(&mut self, value: T, sub: SubStreamId, held: &mut Held) -> Loan {
        let loan = Loan::first(self.end());
        let previous = self.append(loan.index, held);
        let holder = Some(sub);
        let place = Place { holder, previous, next: NONE, number: loan.number, loans: 1 };
        self.ring.push_back(Slot::Unfinished(value, place));
        self.unfinished += 1;
        loan
    }

    /// Adds a result whose value is lent to no sub-stream.
    pub(super) fn push_finished(&mut self, result: R) -> Index {
        let index = self.end();
        match &mut self.as_they_come {
            None => self.ring.push_back(Slot::Finished(result)),
            Some(come) => {
                come.push(index, result);
                self.ring.push_back(Slot::Gone);
            }
        }
        self.pass_finished();
        index
    }

    /// Appends a value that is not lent to the list of `sub`: under the loan of this number, or
    /// else under a new loan.
    pub(super) fn lend(
        &mut self,
        index: Index,
        number: Option<u32>,
        sub: SubStreamId,
        held: &mut Held,
    ) -> Option<Lent<&T>> {
        let previous = self.append(index, held);
        let (value, place) = self.unfinished_mut(index)?;
        let number = number.unwrap_or_else(|| place.next_number());
        *place = Place { holder: Some(sub), previous, next: NONE, number, loans: place.loans };
        Some(Lent { loan: Loan { index, number }, value })
    }

    /// Makes `index` the last of a holder's list, and returns the one before.
    #[inline]
    fn append(&mut self, index: Index, held: &mut Held) -> Index {
        match self.unfinished_mut(held.last) {
            Some((_, last)) => last.next = index,
            None => held.first = index,
        }
        held.len += 1;
        mem::replace(&mut held.last, index)
    }

    /// Makes a new loan of a value without a change of its holder.
    pub(super) fn copy(&mut self, index: Index) -> Option<Lent<&T>> {
        let (value, place) = self.unfinished_mut(index)?;
        Some(Lent { loan: Loan { index, number: place.next_number() }, value })
    }

    /// Takes a value out of the list of its holder.
    pub(super) fn unlink(&mut self, index: Index, held: &mut Held) {
        let Some((_, place)) = self.unfinished_mut(index) else {
            return;
        };
        place.holder = None;
        let (previous, next) =
            (mem::replace(&mut place.previous, NONE), mem::replace(&mut place.next, NONE));
        self.join(previous, next, held);
    }

    /// Makes `previous` and `next` neighbours in a holder's list, without the one between them.
    #[inline]
    fn join(&mut self, previous: Index, next: Index, held: &mut Held) {
        match self.unfinished_mut(previous) {
            Some((_, place)) => place.next = next,
            None => held.first = next,
        }
        match self.unfinished_mut(next) {
            Some((_, place)) => place.previous = previous,
            None => held.last = previous,
        }
        held.len -= 1;
    }

    /// Replaces a value that `sub` holds under `loan` with the result, and returns the value.
    /// Otherwise nothing changes.
    #[inline]
    pub(super) fn finish(
        &mut self,
        sub: SubStreamId,
        loan: Loan,
        held: &mut Held,
        result: R,
    ) -> Option<T> {
        if self.as_they_come.is_some() {
            return self.finish_as_they_come(sub, loan, held, result);
        }
        let position = self.position(loan.index)?;
        let slot = self.ring.get_mut(position)?;
        let Slot::Unfinished(_, place) = slot else { return None };
        if !place.is_held(sub, loan) {
            return None;
        }
        let (previous, next) = (place.previous, place.next);
        let Slot::Unfinished(value, _) = mem::replace(slot, Slot::Finished(result)) else {
            unreachable!("it was looked at")
        };
        self.join(previous, next, held);
        self.unfinished -= 1;
        if loan.index == self.ready {
            self.pass_finished();
        }
        Some(value)
    }

    fn pass_finished(&mut self) {
        if self.as_they_come.is_some() {
            return self.shrink();
        }
        while let Some(Slot::Finished(_)) =
            self.position(self.ready).and_then(|position| self.ring.get(position))
        {
            self.ready += 1;
        }
    }

    /// Takes the next result, if there is any.
    pub(super) fn pop_front(&mut self) -> Option<(Index, R)> {
        if let Some(come) = &mut self.as_they_come {
            return come.pop();
        }
        if !self.has_ready() {
            return None;
        }
        let index = self.base;
        match self.ring.pop_front() {
            Some(Slot::Finished(result)) => {
                self.base += 1;
                Some((index, result))
            }
            _ => unreachable!("all before the first without a result are finished"),
        }
    }

    /// The index of the newest slot, if it is not before `from`.
    pub(super) fn newest_from(&self, from: Index) -> Option<Index> {
        let late = || self.as_they_come.as_ref().and_then(AsTheyCome::newest);
        let newest = if self.ring.is_empty() { late() } else { Some(self.end() - 1) };
        newest.filter(|newest| *newest >= from)
    }

    /// Forgets the newest slot, whose value is no longer held.
    pub(super) fn pop_back(&mut self) -> Option<Slot<T, R>> {
        let slot = match self.ring.pop_back() {
            Some(slot) => slot,
            None => self.as_they_come.as_mut()?.pop_newest()?,
        };
        if let Slot::Unfinished(..) = slot {
            self.unfinished -= 1;
        }
        self.ready = self.ready.min(self.end());
        Some(slot)
    }

    /// Takes all results that would be output as they came.
    pub(super) fn take_results(&mut self) -> impl Iterator<Item = R> {
        self.as_they_come.iter_mut().flat_map(AsTheyCome::take_all)
    }

    #[inline]
    fn unfinished_mut(&mut self, index: Index) -> Option<(&mut T, &mut Place)> {
        let Some(position) = self.position(index) else {
            return self.as_they_come.as_mut()?.late_mut(index);
        };
        match self.ring.get_mut(position)? {
            Slot::Unfinished(value, place) => Some((value, place)),
            Slot::Finished(_) | Slot::Gone => None,
        }
    }

    #[inline]
    fn position(&self, index: Index) -> Option<usize> {
        usize::try_from(index.checked_sub(self.base)?).ok()
    }
}

impl Place {
    /// Whether `sub` holds the value under this loan.
    #[inline]
    fn is_held(&self, sub: SubStreamId, loan: Loan) -> bool {
        self.holder == Some(sub) && self.number == loan.number
    }

    /// The number for one more loan. Numbers repeat only after four thousand million loans of one
    /// value.
    fn next_number(&mut self) -> u32 {
        let number = self.loans;
        self.loans = number.saturating_add(1);
        number
    }
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn counting_the_loans_costs_no_memory() {
        assert_eq!(size_of::<Place>(), 4 * size_of::<u64>());
    }
}
