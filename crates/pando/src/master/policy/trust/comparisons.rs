//! Results that the command of `--verify-with` compares.

use super::answers::ItemAnswers;
use crate::master::registry::DeviceKey;
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};
use stream_lender::Index;

/// Two results of one item to compare.
#[derive(Debug, Clone)]
pub(crate) struct Comparison {
    pub(crate) index: Index,
    pub(crate) results: [Bytes; 2],
    /// The devices that gave the results.
    devices: [DeviceKey; 2],
}

/// The comparisons that wait or go on: at most one per item.
#[derive(Debug, Default)]
pub(super) struct Comparisons {
    waiting: VecDeque<Index>,
    open: BTreeMap<Index, Comparison>,
}

impl Comparisons {
    /// Queues the comparison of two answers, by their numbers, unless the item has one already.
    pub(super) fn queue(&mut self, index: Index, item: &ItemAnswers, one: usize, first: usize) {
        if self.open.contains_key(&index) {
            return;
        }
        let answers = [&item.given()[first], &item.given()[one]];
        let comparison = Comparison {
            index,
            results: answers.map(|answer| answer.result.clone()),
            devices: answers.map(|answer| answer.key.clone()),
        };
        self.open.insert(index, comparison);
        self.waiting.push_back(index);
    }

    /// Takes the next comparison. Items that were closed meanwhile are passed over.
    pub(super) fn take_next(&mut self) -> Option<Comparison> {
        while let Some(index) = self.waiting.pop_front() {
            if let Some(comparison) = self.open.get(&index) {
                return Some(comparison.clone());
            }
        }
        None
    }

    /// Whether the answers to this item are compared.
    pub(super) fn concerns(&self, index: Index) -> bool {
        self.open.contains_key(&index)
    }

    pub(super) fn has_next(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Notes that a comparison has ended. Returns the numbers of the two answers, the later one
    /// first, if both are still among those of `item`.
    pub(super) fn end(
        &mut self,
        comparison: &Comparison,
        item: Option<&ItemAnswers>,
    ) -> Option<(usize, usize)> {
        let open = self.open.get(&comparison.index)?;
        if open.devices != comparison.devices {
            return None;
        }
        self.open.remove(&comparison.index);
        let given = item?.given();
        let number = |at: usize| {
            given.iter().position(|answer| {
                answer.key == comparison.devices[at] && answer.result == comparison.results[at]
            })
        };
        Some((number(1)?, number(0)?))
    }

    /// Forgets the comparison of an item.
    pub(super) fn forget(&mut self, index: Index) {
        self.open.remove(&index);
    }
}
