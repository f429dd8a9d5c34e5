//! Results that are output in the order in which they come.

use std::{
    collections::{BTreeMap, VecDeque},
    mem,
};

use super::{Place, Slot, Slots};
use crate::{
    Index, Loan, SubStreamId,
    sub_streams::{Held, NONE},
};

/// The ring may have this many slots more than twice its values without a result.
const SPARE: usize = 4;

/// What the slots keep beside their ring when results are output as they come.
pub(super) struct AsTheyCome<T, R> {
    /// The results that are not yet output, in the order in which they came.
    results: VecDeque<(Index, R)>,
    /// Values without a result that are older than the ring. They have left the ring because nearly
    /// all newer values have their results: so the ring stays as short as its values are few.
    late: BTreeMap<Index, (T, Place)>,
    /// How many results have been output.
    output: u64,
}

impl<T, R> Default for AsTheyCome<T, R> {
    fn default() -> Self {
        AsTheyCome { results: VecDeque::new(), late: BTreeMap::new(), output: 0 }
    }
}

/// Results.
impl<T, R> AsTheyCome<T, R> {
    /// How many results have been output.
    pub(super) fn output(&self) -> u64 {
        self.output
    }

    /// How many results are not yet output.
    pub(super) fn results(&self) -> usize {
        self.results.len()
    }

    /// Adds a result.
    pub(super) fn push(&mut self, index: Index, result: R) {
        self.results.push_back((index, result));
    }

    /// Takes the next result for the output.
    pub(super) fn pop(&mut self) -> Option<(Index, R)> {
        let next = self.results.pop_front()?;
        self.output += 1;
        Some(next)
    }

    /// Takes all results, which will not be output.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = R> {
        self.results.drain(..).map(|(_, result)| result)
    }
}

/// Values without a result that are older than the ring.
impl<T, R> AsTheyCome<T, R> {
    pub(super) fn oldest(&self) -> Option<Index> {
        self.late.first_key_value().map(|(index, _)| *index)
    }

    pub(super) fn newest(&self) -> Option<Index> {
        self.late.last_key_value().map(|(index, _)| *index)
    }

    pub(super) fn late(&self, index: Index) -> Option<(&T, &Place)> {
        self.late.get(&index).map(|(value, place)| (value, place))
    }

    pub(super) fn late_mut(&mut self, index: Index) -> Option<(&mut T, &mut Place)> {
        self.late.get_mut(&index).map(|(value, place)| (value, place))
    }

    pub(super) fn take_late(&mut self, index: Index) -> Option<Slot<T, R>> {
        self.late.remove(&index).map(|(value, place)| Slot::Unfinished(value, place))
    }

    pub(super) fn pop_newest(&mut self) -> Option<Slot<T, R>> {
        self.late.pop_last().map(|(_, (value, place))| Slot::Unfinished(value, place))
    }
}

impl<T, R> Slots<T, R> {
    /// As [`finish`](Self::finish). The result is output next.
    pub(super) fn finish_as_they_come(
        &mut self,
        sub: SubStreamId,
        loan: Loan,
        held: &mut Held,
        result: R,
    ) -> Option<T> {
        if !self.holds(sub, loan) {
            return None;
        }
        self.unlink(loan.index, held);
        let value = self.take(loan.index)?;
        self.as_they_come.as_mut()?.push(loan.index, result);
        Some(value)
    }

    /// Adds a value that comes with its `loan`, lent to `sub`. Such values are not contiguous, so
    /// the ring stays empty.
    pub(in crate::lender) fn push_lent_at(
        &mut self,
        loan: Loan,
        value: T,
        sub: SubStreamId,
        held: &mut Held,
    ) {
        let previous = self.append(loan.index, held);
        let loans = loan.number.saturating_add(1);
        let place = Place { holder: Some(sub), previous, next: NONE, number: loan.number, loans };
        self.push_place(loan.index, value, place);
    }

    /// Adds a value that nobody holds. Its next loan is `loan`.
    pub(in crate::lender) fn push_at(&mut self, loan: Loan, value: T) {
        let Loan { index, number } = loan;
        let place = Place { holder: None, previous: NONE, next: NONE, number, loans: number };
        self.push_place(index, value, place);
    }

    fn push_place(&mut self, index: Index, value: T, place: Place) {
        debug_assert!(self.ring.is_empty(), "all values come with their loans");
        self.base = self.base.max(index + 1);
        self.ready = self.base;
        let Some(come) = &mut self.as_they_come else { panic!("the output has an order") };
        come.late.insert(index, (value, place));
        self.unfinished += 1;
    }

    /// Takes a value without a result, which nobody holds, out of the slots.
    pub(in crate::lender) fn take(&mut self, index: Index) -> Option<T> {
        let position = self.position(index);
        let come = self.as_they_come.as_mut()?;
        let slot = match position {
            None => come.take_late(index)?,
            Some(position) => mem::replace(self.ring.get_mut(position)?, Slot::Gone),
        };
        self.unfinished -= 1;
        self.shrink();
        match slot {
            Slot::Unfinished(value, _) => Some(value),
            Slot::Finished(_) | Slot::Gone => None,
        }
    }

    /// Takes slots without a value from the front of the ring. A value without a result leaves the
    /// front as well, while the ring is sparse. Each slot leaves the front once, so this is
    /// O(log n) per value (amortised), and O(1) if results come nearly in the order of the input.
    pub(super) fn shrink(&mut self) {
        let Some(come) = &mut self.as_they_come else { return };
        loop {
            let values = self.unfinished - come.late.len();
            match self.ring.front() {
                Some(Slot::Gone) => drop(self.ring.pop_front()),
                Some(Slot::Unfinished(..)) if self.ring.len() > 2 * values + SPARE => {
                    if let Some(Slot::Unfinished(value, place)) = self.ring.pop_front() {
                        come.late.insert(self.base, (value, place));
                    }
                }
                _ => break,
            }
            self.base += 1;
        }
        self.ready = self.base;
    }
}

#[cfg(test)]
mod tests {
    use super::SPARE;
    use crate::{Ask, Lender, Order, Output, Pull, Window};

    /// Memory stays constant however long a value waits for its result.
    #[test]
    fn a_slow_value_keeps_no_slots_of_newer_ones() {
        let mut lender: Lender<u64, u64, ()> =
            Lender::new(Window::default()).with_order(Order::OfResults);
        let (slow, fast) = (lender.open(), lender.open());
        let mut input = || Pull::Value(7);
        let Ask::Value(first) = lender.ask(slow, &mut input) else { panic!("there is one") };
        for index in 1..10_000 {
            let Ask::Value(lent) = lender.ask(fast, &mut input) else { panic!("there is one") };
            lender.result(fast, lent.loan, index).unwrap();
            assert_eq!(lender.next_output(), Output::Item(index, index));
            assert!(lender.slots.ring.len() <= SPARE + 2, "{} slots", lender.slots.ring.len());
        }
        assert_eq!((lender.in_progress(), lender.oldest()), (1, Some((0, Some(slow)))));
        lender.result(slow, first.loan, 0).unwrap();
        assert_eq!(lender.next_output(), Output::Item(0, 0));
        assert_eq!(lender.in_progress(), 0);
    }
}
