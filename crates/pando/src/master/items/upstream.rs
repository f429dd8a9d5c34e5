//! The run of which a gateway shares the job (`pando join --share`): its values come with their
//! loans, and their answers go back at once.

use super::Items;
use crate::{
    protocol::{Answer, Failure, Form, ToMaster, Value},
    volunteer::PassedUp,
};
use bytes::Bytes;
use std::{collections::BTreeSet, mem};
use stream_lender::{Index, Loan, SubStreamId};

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Upstream {
    said: PassedUp,
    says: bool,
    /// Bytes of results in `said`.
    bytes: u64,
    /// The number of cores that was told last. The run may know one of an earlier job.
    cores: Option<u32>,
    /// The recalled values that devices have.
    recalled: BTreeSet<Index>,
    /// The number of the last loan of a value that has come again.
    again: u32,
}

/// The distance between the numbers of the loans under which values come again. The loans of a
/// gateway's devices are between these.
const LOANS: u32 = 1 << 10;

impl Upstream {
    /// Says `message`.
    pub(crate) fn say(&mut self, message: ToMaster) {
        self.said.messages.push(message);
        self.says = true;
    }

    /// Wakes the task that talks with the run.
    pub(crate) fn wake(&mut self) {
        self.says = true;
    }

    /// Whether anything is to be said.
    pub(super) fn has_said(&self) -> bool {
        self.says
    }

    /// Takes all that is to be said.
    pub(crate) fn take_said(&mut self) -> Option<PassedUp> {
        self.bytes = 0;
        mem::take(&mut self.says).then(|| mem::take(&mut self.said))
    }

    /// Bytes of results that wait.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    fn answer(&mut self, answer: Answer) {
        self.bytes += answer.result.as_ref().map_or(0, |(_, result)| result.len() as u64);
        self.said.answers.push(answer);
        self.says = true;
    }

    fn give_back(&mut self, index: Index) {
        self.recalled.remove(&index);
        self.said.returned.push(index);
        self.says = true;
    }

    /// The first loan of a value that the run has lent to this gateway under `loan`.
    fn first_loan(&mut self, loan: Loan) -> Loan {
        if loan.number == 0 {
            return loan;
        }
        // The gateway may have had the value before, so the loan needs a number of its own.
        self.again = self.again.wrapping_add(LOANS).max(LOANS);
        Loan { index: loan.index, number: self.again }
    }
}

/// Values come from the run, and go back there.
impl Items {
    /// Adds a value of the run. The sessions `failed_by` have failed it before.
    pub(crate) fn give(&mut self, loan: Loan, value: Value, failed_by: &[SubStreamId]) {
        let Some(upstream) = &mut self.upstream else { return };
        upstream.recalled.remove(&loan.index);
        self.lender.withdraw(loan.index);
        self.queue.take_given(loan.index);
        let first = upstream.first_loan(loan);
        match failed_by {
            [] => self.queue.give(first, value),
            _ => self.lender.add_failed(first, value, failed_by),
        }
    }

    /// Gives the value at `index` back if nobody has it. Otherwise returns the holder and its loan,
    /// and the value goes back as soon as the holder returns it.
    pub(crate) fn recall(&mut self, index: Index) -> Option<(SubStreamId, Loan)> {
        let upstream = self.upstream.as_mut()?;
        if let Some(holder) = self.lender.holder(index) {
            upstream.recalled.insert(index);
            return Some((holder, self.lender.loan(index)?));
        }
        let is_queued = self.queue.take_given(index);
        if is_queued || self.lender.withdraw(index).is_some() {
            upstream.give_back(index);
        }
        None
    }

    /// Gives back all values that nobody has, if `all`, or else those of them that the run has
    /// recalled.
    pub(crate) fn give_back_waiting(&mut self, all: bool) {
        let Some(upstream) = &mut self.upstream else { return };
        let recalled: Vec<Index> = upstream.recalled.iter().copied().collect();
        for index in recalled {
            if self.lender.holder(index).is_none() {
                match self.lender.withdraw(index) {
                    Some(_) => upstream.give_back(index),
                    // The value has an answer.
                    None => drop(upstream.recalled.remove(&index)),
                }
            }
        }
        if all {
            self.queue.take_all_given().for_each(|index| upstream.give_back(index));
            while let Some(index) = self.lender.oldest_returned() {
                self.lender.withdraw(index);
                upstream.give_back(index);
            }
        }
    }

    /// Drops the value at `index`, which nobody needs. Returns the holder, its loan and the length
    /// of the value in bytes, if a device has it.
    pub(crate) fn drop_given(&mut self, index: Index) -> Option<(SubStreamId, Loan, u64)> {
        self.upstream.as_mut()?.recalled.remove(&index);
        self.queue.take_given(index);
        let held = self.lender.holder(index).zip(self.lender.loan(index));
        let value = self.lender.withdraw(index)?;
        held.map(|(holder, loan)| (holder, loan, value.bytes.len() as u64))
    }

    /// Settles the value of `loan`, which `sub` holds, with a result for the run. Returns whether
    /// the result is accepted.
    pub(crate) fn pass_up(
        &mut self,
        sub: SubStreamId,
        loan: Loan,
        micros: u64,
        result: (Form, Bytes),
    ) -> bool {
        let accepted = self.lender.result(sub, loan, None).is_ok();
        if accepted {
            self.tell_upstream(Answer { loan, micros, result: Ok(result) });
        }
        accepted
    }

    /// Tells the run about an item that failed for good, if this is a gateway.
    pub(crate) fn pass_up_failure(&mut self, loan: Loan, failure: Failure) {
        self.tell_upstream(Answer { loan, micros: 0, result: Err(failure.into()) });
    }

    /// Whether the value at `index` of the run is here, and has no answer.
    #[cfg(test)]
    pub(crate) fn has_given(&self, index: Index) -> bool {
        self.queue.is_given(index) || self.lender.value(index).is_some()
    }

    /// How many values of the run are here, and have no answer.
    #[cfg(test)]
    pub(crate) fn given(&self) -> usize {
        self.queue.len() + self.lender.in_progress()
    }

    fn tell_upstream(&mut self, answer: Answer) {
        let Some(upstream) = &mut self.upstream else { return };
        if !upstream.recalled.is_empty() {
            upstream.recalled.remove(&answer.loan.index);
        }
        upstream.answer(answer);
        // The place of the value in the output is free at once.
        let _ = self.lender.next_output();
    }

    /// Notes the number of cores of all devices.
    pub(crate) fn note_cores(&mut self, cores: u32) {
        let Some(upstream) = &mut self.upstream else { return };
        if upstream.cores != Some(cores) {
            upstream.cores = Some(cores);
            (upstream.said.cores, upstream.says) = (Some(cores), true);
        }
        if cores == 0 || !upstream.recalled.is_empty() {
            self.give_back_waiting(cores == 0);
        }
    }
}
