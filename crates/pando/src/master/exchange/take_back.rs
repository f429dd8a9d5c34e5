//! Values come back, with results or without.

use super::{Exchange, Told};
use crate::{
    master::{
        policy::{Attempt, RunContext, speculation, stand_back},
        registry::CallTimes,
    },
    protocol::Answer,
};
use serde_json::json;
use std::vec;
use stream_lender::Loan;
use tracing::debug;

/// What the answers of a frame come to.
#[derive(Default)]
struct AnswerTally {
    /// The calls with accepted results.
    calls: CallTimes,
    /// The time of all calls, in microseconds.
    micros: u64,
    /// Whether any answer had a present loan.
    worked: bool,
}

impl AnswerTally {
    /// Counts an answer with a present loan; `accepted`: the answer is an accepted result.
    fn add(&mut self, accepted: bool, micros: u64) {
        if accepted {
            self.calls.add(micros);
        }
        self.micros = self.micros.saturating_add(micros);
        self.worked = true;
    }
}

fn note_stale(device: &str, loan: Loan) {
    debug!(device, ?loan, "an answer has no present loan");
}

impl Exchange<'_> {
    /// Handles the answers of the session, of whose next result `parts` bytes have arrived. Returns
    /// whether the session may ask again at once, and the room.
    pub(in crate::master) fn accept(
        &mut self,
        answers: Vec<Answer>,
        parts: u64,
        told: &mut Told,
    ) -> (bool, usize) {
        let (sub, now, count) = (self.sub, self.context.now, answers.len());
        let Some(device) = self.context.registry.get_mut(sub) else { return (false, 0) };
        self.backpressure.set_parts(device, parts);
        let name = device.name().to_owned();
        told.number = device.number();
        let mut tally = AnswerTally::default();
        let mut answers = answers.into_iter();
        loop {
            if self.is_usual() {
                self.settle_usual(&mut answers, &name, told, &mut tally);
            }
            let Some(answer) = answers.next() else { break };
            self.settle_any(answer, &name, told, &mut tally);
        }
        let AnswerTally { calls, micros, worked } = tally;
        let RunContext { items, registry, job, .. } = &mut self.context;
        registry.statistics_mut().done(calls.count(), micros, now);
        if calls.count() > 0 {
            if !job.confirms {
                told.lines.extend(registry.succeeded(sub));
            }
            registry.responds(sub);
        }
        let lender = items.lender();
        let Some(device) = registry.get_mut(sub) else { return (false, 0) };
        device.computed(&calls, micros, now);
        if worked {
            device.worked(now);
        }
        device.loans_mut().end_calls_unless(|loan| lender.holds(sub, loan));
        device.loans_mut().answered(count, &calls, now);
        let asks = worked && device.end_wait() || device.loans().alone().is_some();
        (asks, device.loans().room())
    }

    /// Whether results of the session can only be for values that it holds.
    fn is_usual(&self) -> bool {
        let RunContext { registry, job, .. } = &self.context;
        !job.confirms
            && !job.gateway
            && registry.get(self.sub).is_some_and(|device| device.loans().is_plain())
    }

    /// Settles results up to the first failure, while [`is_usual`](Self::is_usual): for each, the
    /// lender is asked once.
    fn settle_usual(
        &mut self,
        answers: &mut vec::IntoIter<Answer>,
        device: &str,
        told: &mut Told,
        tally: &mut AnswerTally,
    ) {
        let Self { sub, context, retries, .. } = self;
        let heard = told.is_heard();
        let (mut count, mut bytes) = (0, 0);
        while answers.as_slice().first().is_some_and(|answer| answer.result.is_ok()) {
            let Some(Answer { loan, micros, result: Ok((form, result)) }) = answers.next() else {
                unreachable!("it was looked at")
            };
            let shown = if heard { told.to_show(loan, form, &result) } else { None };
            let result = context.items.keep(loan.index, result);
            let Some(length) = context.items.accept(*sub, loan, result) else {
                note_stale(device, loan);
                continue;
            };
            (count, bytes) = (count + 1, bytes + length);
            retries.computed(context, &[*sub], loan.index);
            if heard {
                told.result(loan, device, micros, shown);
            }
            tally.add(true, micros);
        }
        if let Some(device) = context.registry.get_mut(*sub) {
            device.loans_mut().remove_usual(count, bytes);
        }
    }

    /// Settles any answer.
    fn settle_any(
        &mut self,
        answer: Answer,
        device: &str,
        told: &mut Told,
        tally: &mut AnswerTally,
    ) {
        let Some(is_holder) = self.take_back(answer.loan) else {
            return note_stale(device, answer.loan);
        };
        tally.worked = true;
        let is_copy = !is_holder;
        if is_copy && self.trust.is_some() {
            let micros = answer.micros;
            tally.add(self.settle_shared(answer, device, told), micros);
            return;
        }
        if is_copy && (answer.result.is_err() || !self.overtake(answer.loan)) {
            return;
        }
        let micros = answer.micros;
        tally.add(self.settle(answer, device, told), micros);
    }

    /// Notes in the device's book that the session answered or returned `loan`. Returns whether the
    /// session holds the loan, or computes a copy under it; `None` for an answer that is late,
    /// doubled, forged or of an earlier loan: such an answer changes nothing.
    fn take_back(&mut self, loan: Loan) -> Option<bool> {
        let lender = self.context.items.lender();
        let loans = self.context.registry.get_mut(self.sub)?.loans_mut();
        let holds = lender.holds(self.sub, loan);
        let bytes = match holds {
            true => lender.value(loan.index).map_or(0, |value| value.bytes.len() as u64),
            false => loans.take_copy(loan)?,
        };
        loans.remove(loan, bytes);
        Some(holds)
    }

    fn overtake(&mut self, loan: Loan) -> bool {
        let RunContext { items, registry, .. } = &mut self.context;
        speculation::overtake(items, registry, self.retries, self.sub, loan)
    }

    /// Settles one answer of the session, which holds the loan. Returns whether the answer is an
    /// accepted result.
    pub(super) fn settle(&mut self, answer: Answer, device: &str, told: &mut Told) -> bool {
        let Answer { loan, micros, result } = answer;
        let Self { sub, context, retries, confirmations, .. } = self;
        let index = loan.index;
        match result {
            Ok((form, result)) => {
                let shown = told.to_show(loan, form, &result);
                if context.job.gateway {
                    retries.computed(context, &[*sub], index);
                    let accepted = context.items.pass_up(*sub, loan, micros, (form, result));
                    told.result(loan, device, micros, shown.filter(|_| accepted));
                    return accepted;
                }
                let result = context.items.keep(index, result);
                if context.job.confirms {
                    // People see the result once it is confirmed.
                    told.result(loan, device, micros, None);
                    return confirmations.hold(
                        context.items,
                        (*sub, loan),
                        (device, vec![*sub]),
                        (result, shown),
                    );
                }
                retries.computed(context, &[*sub], index);
                let accepted = context.items.accept(*sub, loan, result).is_some();
                told.result(loan, device, micros, shown.filter(|_| accepted));
                accepted
            }
            Err(failure) => {
                let device = &*failure.at(device);
                let attempt = Attempt { sub: *sub, loan, device, failure: &failure };
                told.lines.extend(retries.failed(context, &attempt));
                if let Some(device) = context.registry.get_mut(*sub) {
                    device.failed();
                }
                let (kind, message) = (&failure.kind, &failure.message);
                told.event("failed", || {
                    json!({"index": index + 1, "device": device, "kind": kind, "message": message})
                });
                false
            }
        }
    }

    /// Handles values which the session returns without results. Returns whether the session may
    /// ask now, and the room.
    pub(in crate::master) fn take_returned(
        &mut self,
        loans: &[Loan],
        careful: bool,
    ) -> (bool, usize) {
        let unasked = self.returns_unasked(loans);
        debug!(session = ?self.sub, count = loans.len(), careful, unasked, "values are returned");
        loans.iter().for_each(|loan| self.return_one(*loan, careful));
        if unasked {
            stand_back::gave_back_unasked(&mut self.context, self.sub);
        }
        let Some(device) = self.context.registry.get(self.sub) else { return (true, 0) };
        (!device.waits_after_recall(), device.loans().room())
    }

    fn return_one(&mut self, loan: Loan, careful: bool) {
        let taken = self.take_back(loan);
        if taken == Some(false) {
            self.return_shared(loan, careful);
        }
        let held = taken == Some(true);
        let shared = taken == Some(false) && self.trust.is_some();
        let Self { sub, context: RunContext { items, registry, now, .. }, .. } = self;
        let lender = items.lender_mut();
        if held && let Some(mut value) = lender.value(loan.index).cloned() {
            if careful {
                value.careful = true;
                lender.replace_value(loan.index, value);
            }
            let _ = lender.hand_back(*sub, loan);
        }
        let silence_limit = registry.silence_limit();
        let Some(device) = registry.get_mut(*sub) else { return };
        let held = held || shared;
        let all = held && lender.held(*sub) == 0 && !(shared && device.loans().has_copies());
        if device.gave_back(loan, held, all, silence_limit, *now) {
            lender.pause(*sub);
        }
    }

    /// Whether the session returns loans without a recall, and at least one of them unbegun, as far
    /// as the master knows.
    fn returns_unasked(&self, loans: &[Loan]) -> bool {
        let items = &*self.context.items;
        let Some(device) = self.context.registry.get(self.sub) else { return false };
        device.cores() > 0
            && !device.waits_after_recall()
            && loans.iter().any(|loan| {
                (items.lender().holds(self.sub, *loan)
                    || self.trust.is_some() && device.loans().is_copy(*loan))
                    && !device.loans().is_running(*loan)
                    && !items.is_cancelled(loan.index)
            })
    }
}
