//! Decides on the answers to a value: more devices are asked, a result counts, the item fails, or
//! the run ends because its function gives different results.

use super::{
    Comparison, Trust,
    answers::{Finding, GivenAnswer},
    records::STRIKES,
    words,
};
use crate::{
    master::{
        policy::{Confirmations, Retries, RunContext, stand_back},
        registry::DeviceKey,
    },
    protocol::Form,
};
use bytes::Bytes;
use stream_lender::{Index, Loan, SubStreamId};

/// On so many values all devices must differ, while none have ever agreed, before the function is
/// taken for one that gives different results.
const DIFFERENCES: usize = 3;
/// The number of different answers to a value that counts as such a difference.
const ALL_DIFFER: usize = 3;

/// The machines around a decision.
pub(crate) struct Around<'a, 'c> {
    pub(crate) context: &'a mut RunContext<'c>,
    pub(crate) retries: &'a mut Retries,
    pub(crate) confirmations: &'a mut Confirmations,
}

/// A result of one device.
pub(crate) struct Answered<'a> {
    pub(crate) sub: SubStreamId,
    pub(crate) index: Index,
    /// The name of the device.
    pub(crate) device: &'a str,
    pub(crate) form: Form,
    pub(crate) result: Bytes,
}

impl Trust {
    /// Takes the result of a device that computes a copy. Returns lines for people.
    pub(crate) fn answered(&mut self, around: &mut Around, answered: Answered) -> Vec<String> {
        self.now = around.context.now;
        let Answered { sub, index, device, form, result } = answered;
        let key = around.context.registry.get(sub).map(|device| device.key().clone());
        let (Some(item), Some(key)) = (self.open.get_mut(&index), key) else { return Vec::new() };
        if !item.end(sub) {
            self.open_again(index);
            return Vec::new();
        }
        self.bytes += result.len() as u64;
        item.add(GivenAnswer::new((sub, key), device.to_owned(), (form, result)));
        self.decide(around, index)
    }

    /// Notes the outcome of a comparison by the command of `--verify-with`. Returns lines for
    /// people.
    pub(crate) fn compared(
        &mut self,
        around: &mut Around,
        comparison: &Comparison,
        equal: bool,
    ) -> Vec<String> {
        let index = comparison.index;
        let numbers = self.comparisons.end(comparison, self.open.get(&index));
        if let (Some((one, first)), Some(item)) = (numbers, self.open.get_mut(&index)) {
            item.compared(one, first, equal);
        }
        self.decide(around, index)
    }

    /// Decides on `index`, and on all values that are concerned then.
    fn decide(&mut self, around: &mut Around, index: Index) -> Vec<String> {
        let mut lines = Vec::new();
        self.undecided.insert(index);
        while let Some(index) = self.undecided.pop_first() {
            self.decide_one(around, index, &mut lines);
        }
        lines
    }

    fn decide_one(&mut self, around: &mut Around, index: Index, lines: &mut Vec<String>) {
        if around.context.items.lender().value(index).is_none() {
            self.close(index);
            return;
        }
        let Some(item) = self.open.get_mut(&index) else { return };
        let finding = item.judge(self.rule, self.compares);
        if item.different() >= ALL_DIFFER && item.note_difference() && self.agreements == 0 {
            self.differences.push(words::difference(&around.context.job.item(index), item.given()));
            if self.differences.len() >= DIFFERENCES {
                return self.end_run(around);
            }
        }
        match finding {
            Finding::Compare(one, first) => self.comparisons.queue(index, item, one, first),
            Finding::Wants(wanted) => {
                item.set_wanted(wanted);
                self.provisional.remove(&index);
                self.open_again(index);
            }
            Finding::Provisional => drop(self.provisional.insert(index)),
            Finding::AllGiven => {
                let given = item.given();
                let result = match around.context.job.shape.chunks {
                    Some(_) => words::copies_of_chunk(given),
                    None => words::copies(given),
                };
                self.give(around, index, result, None);
            }
            Finding::Settled { group, by_owner } => {
                self.settle(around, index, (group, by_owner), lines);
            }
            Finding::Hopeless => {
                let message = words::hopeless(item.given());
                let names: Vec<&str> = item.given().iter().map(|answer| &*answer.name).collect();
                let names = names.join(", ");
                if let Some(held) = self.hold(around, index) {
                    self.close(index);
                    lines.extend(around.retries.differs(around.context, held, (message, names)));
                }
            }
        }
    }

    /// Counts the answers of a group as the result, and draws the consequences for the devices.
    fn settle(
        &mut self,
        around: &mut Around,
        index: Index,
        (group, by_owner): (usize, bool),
        lines: &mut Vec<String>,
    ) {
        let Some(item) = self.open.get(&index) else { return };
        let (right, wrong) = item.split(group);
        let right: Vec<GivenAnswer> = right.into_iter().cloned().collect();
        let wrong: Vec<GivenAnswer> = wrong.into_iter().cloned().collect();
        if right.len() > 1 {
            self.agreements += 1;
            right.iter().for_each(|answer| self.records.agreed(&answer.key));
        }
        self.give(around, index, right[0].result.clone(), None);
        for answer in wrong {
            self.disagreed(around, index, &answer, (&right, by_owner), lines);
        }
    }

    /// Draws the consequences for a device whose answer was refuted.
    fn disagreed(
        &mut self,
        around: &mut Around,
        index: Index,
        answer: &GivenAnswer,
        (right, by_owner): (&[GivenAnswer], bool),
        lines: &mut Vec<String>,
    ) {
        let (key, name) = (&answer.key, around.context.job.item(index));
        let times = self.records.disagreed(key);
        if key.local {
            // The owner's own machine is not sent away.
            if self.records.tell(key) {
                lines.push(words::own_cores_differ(&name, answer, right));
            }
            return;
        }
        // While no two devices have ever agreed, the function may give another result each time.
        if by_owner && self.agreements == 0 {
            if self.differences.len() < DIFFERENCES {
                let answers = [right[0].clone(), answer.clone()];
                self.differences.push(words::difference(&name, &answers));
            }
            if times < u64::from(STRIKES) {
                return;
            }
            if self.records.caught() > 0 {
                return self.end_run(around);
            }
        }
        if self.records.is_caught(key) {
            return;
        }
        self.catch(around, answer, lines, |again| words::caught(&name, answer, right, again));
    }

    /// Ends the trust in the device of `answer`: its answers that count nowhere yet are computed
    /// again. `line` describes this, given their number.
    fn catch(
        &mut self,
        around: &mut Around,
        answer: &GivenAnswer,
        lines: &mut Vec<String>,
        line: impl FnOnce(usize) -> String,
    ) {
        let key = &answer.key;
        let job = around.context.job;
        let doubt = self.records.catch(key, &answer.name, |index| job.values_of(index));
        if let (Some(_), Some(journal)) = (&doubt, around.context.items.journal()) {
            journal.distrust(self.records.mark(key));
        }
        let mut again = 0;
        for (index, item) in &mut self.open {
            let given = item.given().len();
            if let Some(bytes) = item.forget(key) {
                self.bytes -= bytes;
                again += given - item.given().len();
                if self.provisional.remove(index) {
                    item.set_wanted(1);
                }
                self.comparisons.forget(*index);
                self.undecided.insert(*index);
            }
        }
        lines.push(line(again));
        lines.extend(doubt.as_ref().map(words::doubt));
        self.doubts.extend(doubt);
        stand_back::distrust(around.context, key);
    }

    /// Ends the run, because the function gives different results.
    fn end_run(&mut self, around: &mut Around) {
        let why = words::nondeterministic(&self.differences);
        around.retries.mistrust(around.context.items, why);
        self.drop_settled(around.context.items.lender());
    }
}

/// Results.
impl Trust {
    /// Gives the result, which several devices have answered, or the device `only_by` alone. If
    /// there is a command of `--confirm`, it confirms the result first.
    fn give(
        &mut self,
        around: &mut Around,
        index: Index,
        result: Bytes,
        only_by: Option<&DeviceKey>,
    ) {
        let Some((keeper, loan)) = self.hold(around, index) else { return };
        let Some(item) = self.close(index) else { return };
        let Around { context, retries, confirmations } = around;
        context.items.note_only_by(index, only_by.map(|key| self.records.mark(key)));
        for sub in item.computing() {
            if let Some(device) = context.registry.get_mut(sub)
                && let Some(copy) = device.loans().copy_of(index)
            {
                device.recall_cancelled(copy);
            }
        }
        let by: Vec<SubStreamId> = item.given().iter().map(|answer| answer.sub).collect();
        if context.job.confirms {
            let names: Vec<&str> = item.given().iter().map(|answer| &*answer.name).collect();
            let by = (&*names.join(", "), by);
            confirmations.hold(context.items, (keeper, loan), by, (result, None));
            return;
        }
        retries.computed(context, &by, index);
        let result = context.items.keep(index, result);
        context.items.accept(keeper, loan, result);
    }

    /// Makes the keeper the holder of a value, whose failure may be postponed. Returns the keeper
    /// and its loan.
    fn hold(&mut self, around: &mut Around, index: Index) -> Option<(SubStreamId, Loan)> {
        let items = &mut *around.context.items;
        let keeper = self.keeper(items);
        if items.lender().holder(index).is_some_and(|holder| holder != keeper) {
            around.retries.release(items, index);
        }
        let lender = items.lender_mut();
        if lender.holder(index).is_none() {
            lender.lend_to(keeper, index);
        }
        let loan = lender.loan(index).filter(|loan| lender.holds(keeper, *loan))?;
        Some((keeper, loan))
    }

    /// Gives the results on the word of one device whose turn in the output has come.
    pub(crate) fn give_provisional(&mut self, around: &mut Around) {
        while let Some(index) = self.provisional.first().copied() {
            let lender = around.context.items.lender();
            let oldest = lender.oldest().map(|(index, _)| index);
            if oldest.is_some_and(|oldest| oldest < index) {
                return;
            }
            let answer = self.open.get(&index).and_then(|item| item.given().first()).cloned();
            let Some(answer) = answer.filter(|_| oldest == Some(index)) else {
                self.provisional.remove(&index);
                continue;
            };
            self.provisional.remove(&index);
            let values = around.context.job.values_in(index);
            self.records.counts_unchecked(&answer.key, index, values);
            self.give(around, index, answer.result, Some(&answer.key));
        }
    }

    /// How the output is in doubt at the end, in words; `None` if it is not.
    pub(crate) fn doubts(&self) -> Option<String> {
        (!self.doubts.is_empty()).then(|| words::doubts(&self.doubts))
    }
}
