//! The values that have been read and not yet output.

use std::{collections::VecDeque, mem};

use crate::{
    Index, SubStreamId,
    sub_streams::{Held, NONE},
};

/// A ring buffer with one slot for each value that has been read and not yet output, the oldest in front. Within it, the values
/// that one sub-stream holds are a doubly linked list in the order of lending.
pub(super) struct Slots<T, R> {
    ring: VecDeque<Slot<T, R>>,
    /// The index of the front.
    base: Index,
    /// The first index without a result: all before it can be output.
    ready: Index,
    unfinished: usize,
}

pub(super) enum Slot<T, R> {
    Unfinished(T, Loan),
    Finished(R),
}

/// Who holds a value, and its neighbours among the values that this sub-stream holds.
pub(super) struct Loan {
    pub(super) holder: Option<SubStreamId>,
    previous: Index,
    next: Index,
}

impl<T, R> Slots<T, R> {
    pub(super) fn new() -> Self {
        Slots { ring: VecDeque::new(), base: 0, ready: 0, unfinished: 0 }
    }

    pub(super) fn base(&self) -> Index {
        self.base
    }

    pub(super) fn end(&self) -> Index {
        self.base + self.ring.len() as Index
    }

    pub(super) fn len(&self) -> usize {
        self.ring.len()
    }

    pub(super) fn unfinished(&self) -> usize {
        self.unfinished
    }

    /// Whether the oldest value has its result.
    pub(super) fn has_ready(&self) -> bool {
        self.base < self.ready
    }

    /// The oldest value without a result.
    pub(super) fn oldest(&self) -> Option<Index> {
        (self.ready < self.end()).then_some(self.ready)
    }

    pub(super) fn loan(&self, index: Index) -> Option<(&T, &Loan)> {
        match self.ring.get(self.position(index)?)? {
            Slot::Unfinished(value, loan) => Some((value, loan)),
            Slot::Finished(_) => None,
        }
    }

    pub(super) fn value_mut(&mut self, index: Index) -> Option<&mut T> {
        self.unfinished_mut(index).map(|(value, _)| value)
    }

    pub(super) fn holder(&self, index: Index) -> Option<SubStreamId> {
        self.loan(index)?.1.holder
    }

    /// The values of a list, in the order of lending.
    pub(super) fn walk(&self, held: Option<&Held>) -> impl Iterator<Item = Index> {
        let first = held.map(|held| held.first).filter(|first| *first != NONE);
        std::iter::successors(first, |index| Some(self.loan(*index)?.1.next).filter(|next| *next != NONE))
    }

    /// Adds a value that nobody holds yet.
    pub(super) fn push(&mut self, value: T) -> Index {
        let index = self.end();
        self.ring.push_back(Slot::Unfinished(value, Loan { holder: None, previous: NONE, next: NONE }));
        self.unfinished += 1;
        index
    }

    /// Adds a result whose value nobody needs to hold.
    pub(super) fn push_finished(&mut self, result: R) -> Index {
        let index = self.end();
        self.ring.push_back(Slot::Finished(result));
        self.pass_finished();
        index
    }

    /// Appends a value that nobody holds to the list of `sub`.
    pub(super) fn lend(&mut self, index: Index, sub: SubStreamId, held: &mut Held) -> Option<&T> {
        if let Some((_, last)) = self.unfinished_mut(held.last) {
            last.next = index;
        }
        let previous = mem::replace(&mut held.last, index);
        if held.first == NONE {
            held.first = index;
        }
        held.len += 1;
        let (value, loan) = self.unfinished_mut(index)?;
        *loan = Loan { holder: Some(sub), previous, next: NONE };
        Some(value)
    }

    /// Takes a value out of the list of its holder.
    pub(super) fn unlink(&mut self, index: Index, held: &mut Held) {
        let Some((_, loan)) = self.unfinished_mut(index) else {
            return;
        };
        let Loan { previous, next, .. } = mem::replace(loan, Loan { holder: None, previous: NONE, next: NONE });
        match self.unfinished_mut(previous) {
            Some((_, loan)) => loan.next = next,
            None => held.first = next,
        }
        match self.unfinished_mut(next) {
            Some((_, loan)) => loan.previous = previous,
            None => held.last = previous,
        }
        held.len -= 1;
    }

    /// Puts the result in the place of a value that nobody holds any more.
    pub(super) fn finish(&mut self, index: Index, result: R) -> Option<Slot<T, R>> {
        let position = self.position(index)?;
        let slot = mem::replace(self.ring.get_mut(position)?, Slot::Finished(result));
        self.unfinished -= 1;
        self.pass_finished();
        Some(slot)
    }

    fn pass_finished(&mut self) {
        while let Some(Slot::Finished(_)) = self.position(self.ready).and_then(|position| self.ring.get(position)) {
            self.ready += 1;
        }
    }

    /// Takes the oldest value's result, if it has one.
    pub(super) fn pop_front(&mut self) -> Option<(Index, R)> {
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

    /// Forgets the newest value, which nobody holds any more.
    pub(super) fn pop_back(&mut self) -> Option<Slot<T, R>> {
        let slot = self.ring.pop_back()?;
        if let Slot::Unfinished(..) = slot {
            self.unfinished -= 1;
        }
        self.ready = self.ready.min(self.end());
        Some(slot)
    }

    fn unfinished_mut(&mut self, index: Index) -> Option<(&mut T, &mut Loan)> {
        let position = self.position(index)?;
        match self.ring.get_mut(position)? {
            Slot::Unfinished(value, loan) => Some((value, loan)),
            Slot::Finished(_) => None,
        }
    }

    fn position(&self, index: Index) -> Option<usize> {
        usize::try_from(index.checked_sub(self.base)?).ok()
    }
}
