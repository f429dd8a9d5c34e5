//! Failed attempts and their consequences: an item is lent again, postponed, left out, or ends the
//! run.

mod for_good;
mod gateway;
mod listed;
#[cfg(test)]
mod simulated;
mod told;

use super::{
    MissingFeature, RunContext,
    account::excerpt,
    blame::{self, Verdict},
    failure_kinds::{FailureKinds, on_one_line},
    failures::{Failures, SUSPICIOUS},
    notices::Notices,
    postponed::{PostponedFailure, PostponedFailures},
    stand_back,
    workload::computed_by,
};
use crate::{
    master::{
        items::{Ending, Items},
        said::{FailedAttempt, FailedAttempts, no_attempts},
    },
    protocol::Failure,
};
use std::collections::HashMap;
use stream_lender::{Index, Loan, SubStreamId};
use tracing::debug;

/// The most items that are named as failed when the run is over.
const MOST_NAMED: usize = 100;
/// The most characters of the input of a failed attempt.
const LONGEST_INPUT: usize = 200;

/// See the module.
#[derive(Debug)]
pub(crate) struct Retries {
    failures: Failures,
    /// Items whose final failure waits until other devices have had a chance.
    postponed: PostponedFailures,
    notices: Notices,
    kinds: FailureKinds,
    /// The item that ends the run, and the message about its failure.
    fatal: Option<(Index, String)>,
    /// Messages about items failed for good, for output in place of results.
    told: HashMap<Index, String>,
    /// Items which failed for good without ending the run.
    left_out: u64,
    /// The number of the last unusable input.
    read_to: u64,
    /// Items which failed for good and ended the run. If an item before the first one fails as
    /// well, there are several.
    fatal_items: u64,
    /// The places of the first values which failed for good.
    failed_items: Vec<u64>,
    /// Failed attempts so far.
    failed_attempts: u64,
    newest: FailedAttempts,
    cannot_run: Option<String>,
    /// Why the journal or a file of results cannot be written.
    output_failed: Option<String>,
}

/// One failed attempt.
pub(crate) struct Attempt<'a> {
    pub(crate) sub: SubStreamId,
    pub(crate) loan: Loan,
    /// The name of the device.
    pub(crate) device: &'a str,
    pub(crate) failure: &'a Failure,
}

/// Attempts fail.
impl Retries {
    /// Nothing has failed yet.
    pub(crate) fn new() -> Self {
        Self {
            failures: Failures::default(),
            postponed: PostponedFailures::default(),
            notices: Notices::default(),
            kinds: FailureKinds::default(),
            fatal: None,
            told: HashMap::new(),
            left_out: 0,
            read_to: 0,
            fatal_items: 0,
            failed_items: Vec::new(),
            failed_attempts: 0,
            newest: no_attempts(),
            cannot_run: None,
            output_failed: None,
        }
    }

    /// Handles a failed attempt. Returns a line for people.
    pub(crate) fn failed(&mut self, context: &mut RunContext, attempt: &Attempt) -> Option<String> {
        let Attempt { sub, loan, device, failure } = *attempt;
        if !context.items.lender().holds(sub, loan) || context.items.settle_cancelled(sub, loan) {
            return None;
        }
        let index = loan.index;
        self.failed_attempts += 1;
        self.remember(context, attempt);
        let missing = blame::missing_feature(context.job, failure);
        let hint = blame::hint(context.registry, sub, missing.as_ref(), context.job);
        let (item, message) = (context.job.item(index), on_one_line(&failure.message));
        let what = format!("{item} failed on {device}: {message}{hint}");
        let verdict =
            blame::judge(&mut self.failures, context, (sub, index), failure, missing.as_ref());
        debug!(item = index + 1, device, kind = failure.kind, ?verdict, "an attempt has failed");
        let lender = context.items.lender_mut();
        if let Some(mut value) = lender.value(index).cloned() {
            // At a gateway, a value may come with failures of other devices.
            value.attempt = self.failures.count_failure(index).max(value.attempt + 1);
            lender.replace_value(index, value);
        }
        let line = self.follow(context, attempt, verdict, what, missing);
        stand_back::stand_back_if_due(context, sub);
        line
    }

    /// Keeps a failed attempt for people who look at the run.
    fn remember(&mut self, context: &RunContext, attempt: &Attempt) {
        let Attempt { loan, device, failure, .. } = *attempt;
        let value = context.items.lender().value(loan.index);
        let failed = FailedAttempt {
            at: context.now,
            item: loan.index,
            input: value.map(|value| excerpt(&value.bytes, LONGEST_INPUT)).unwrap_or_default(),
            device: device.to_owned(),
            message: failure.message.clone(),
            stack: failure.stack.clone().unwrap_or_default(),
        };
        self.newest.push(failed.shortened());
    }

    /// Does what follows from `verdict`; `what` describes the failure.
    fn follow(
        &mut self,
        context: &mut RunContext,
        attempt: &Attempt,
        verdict: Verdict,
        what: String,
        missing: Option<MissingFeature>,
    ) -> Option<String> {
        let Attempt { sub, loan, device, failure } = *attempt;
        let postponed = |what, until| PostponedFailure {
            what,
            device: device.to_owned(),
            failure: failure.clone(),
            until,
        };
        match verdict {
            Verdict::NoAttempt => {
                let _ = context.items.lender_mut().fail(sub, loan);
                self.note_no_attempt(context, sub, format!("{what} (this device has computed nothing yet, and others may: it is no attempt)"));
                None
            }
            Verdict::NoneHere => {
                let _ = context.items.lender_mut().fail(sub, loan);
                context.items.recall(loan.index);
                None
            }
            Verdict::ForBrowsers => {
                self.postponed.postpone(context.items, sub, loan, postponed(what, None));
                let why = missing?.in_words(&attempt.failure.message);
                self.tell_of_browsers(context, sub, loan.index, &why)
            }
            Verdict::Attempt { number, .. } if number <= context.job.retries => {
                let _ = context.items.lender_mut().fail(sub, loan);
                let is_told = self.kinds.count_attempt(failure) || context.job.explains;
                is_told.then(|| {
                    format!(
                        "{what} (attempt {number} of {}; it will be tried again)",
                        u64::from(context.job.retries) + 1
                    )
                })
            }
            Verdict::Attempt { certain: true, .. } => {
                self.fail_for_good(context, (sub, loan), &postponed(what, None))
            }
            Verdict::Attempt { certain: false, .. } => {
                let line =
                    format!("{what} (it has failed, unless another device joins in a moment)");
                let until = Some(context.registry.others_until());
                self.postponed.postpone(context.items, sub, loan, postponed(what, until));
                self.kinds.count_attempt(failure).then_some(line)
            }
        }
    }

    /// Queues the message `line` about a failure of `sub` which is no attempt.
    fn note_no_attempt(&mut self, context: &mut RunContext, sub: SubStreamId, line: String) {
        let Some(key) = context.registry.get(sub).map(|device| device.key().clone()) else {
            return;
        };
        if context.registry.evidence_mut().fitness_or_new(&key).note_first_failure() {
            self.notices.queue(key, line, context.now);
        }
    }

    /// Returns the message about an item for browsers only, once per run.
    fn tell_of_browsers(
        &mut self,
        context: &RunContext,
        sub: SubStreamId,
        index: Index,
        why: &str,
    ) -> Option<String> {
        let registry = &*context.registry;
        if !self.notices.tell_of_browsers() {
            return None;
        }
        let is_fit = registry
            .get(sub)
            .is_some_and(|device| registry.evidence().standing(device.key()).is_good());
        let what = if is_fit { context.job.item(index) } else { "it".into() };
        Some(self.notices.cannot_compute(&what, why))
    }

    /// Notes that the device of `sub` vanished, with the values in computation, as far as the
    /// master knows. Returns lines for people.
    ///
    /// A device that vanishes has failed nothing, except a value which was lent alone.
    pub(crate) fn vanished(&mut self, context: &mut RunContext, sub: SubStreamId) -> Vec<String> {
        let Some(device) = context.registry.get(sub) else { return Vec::new() };
        // The reported long calls, and the values lent first, one per core.
        let lender = context.items.lender();
        let shares = context.job.trust.is_some();
        let mut computing = match shares {
            true => {
                let mut loans = computed_by(lender, sub, device);
                loans.retain(|loan| lender.value(loan.index).is_some());
                loans
            }
            false => lender.outstanding(sub).collect(),
        };
        computing.truncate(device.cores() as usize);
        let running = device.loans().running().map(|(loan, _)| loan);
        computing.extend(running.filter(|loan| {
            lender.holds(sub, *loan) || shares && lender.value(loan.index).is_some()
        }));
        computing.sort_unstable();
        computing.dedup();
        let (id, name) = (device.key().device.clone(), device.name().to_owned());
        let mut lines = Vec::new();
        for loan in computing {
            if self.failures.goes_alone(loan.index) {
                let message = "it vanished while it was computing this item and no other";
                let failure = Failure::new(message, "vanished");
                let attempt = Attempt { sub, loan, device: &name, failure: &failure };
                lines.extend(self.failed(context, &attempt));
            } else if self.failures.vanished(loan.index, &id) == SUSPICIOUS {
                lines.push(format!(
                    "{} was being computed on {SUSPICIOUS} devices that all vanished: it is lent alone now",
                    context.job.item(loan.index)
                ));
            }
        }
        lines
    }

    /// Notes that `device` came back with `index`: only its link had vanished.
    pub(crate) fn came_back(&mut self, index: Index, device: &str) {
        self.failures.came_back(index, device);
    }

    /// Notes that the sessions `by` have computed `index`. The failures of other devices at this
    /// item were their own fault.
    #[inline]
    pub(crate) fn computed(&mut self, context: &mut RunContext, by: &[SubStreamId], index: Index) {
        if !self.failures.is_clear() {
            self.computed_after_failures(context, by, index);
        }
    }

    fn computed_after_failures(
        &mut self,
        context: &mut RunContext,
        by: &[SubStreamId],
        index: Index,
    ) {
        let silence_limit = context.registry.silence_limit();
        for key in self.failures.forget(index) {
            let other = context.registry.iter().find(|(_, device)| *device.key() == key);
            let other = other.map(|(other, _)| other);
            if other.is_none_or(|other| !by.contains(&other))
                && let Some(fitness) = context.registry.evidence_mut().fitness_mut(&key)
            {
                fitness.doubt_confirmed(silence_limit, context.now);
                other.into_iter().for_each(|other| stand_back::stand_back_if_due(context, other));
            }
        }
    }
}

/// How the run ends.
impl Retries {
    /// How the run ends because of failures, if there are any.
    pub(crate) fn ending(&self) -> Option<Ending> {
        if let Some(why) = &self.cannot_run {
            return Some(Ending::CannotRun(why.clone()));
        }
        if let Some(why) = &self.output_failed {
            return Some(Ending::OutputFailed(why.clone()));
        }
        let fatal =
            self.fatal.as_ref().map(|(index, text)| Ending::ItemFailed(*index, text.clone()));
        fatal.or_else(|| (self.left_out > 0).then_some(Ending::SomeFailed(self.left_out)))
    }

    /// Takes the message to output in place of the result of `index`.
    pub(crate) fn take_told(&mut self, index: Index) -> Option<String> {
        self.told.remove(&index)
    }

    /// The places of the first values that failed for good, up to [`MOST_NAMED`], in the order of
    /// their failures.
    pub(crate) fn failed_items(&self) -> &[u64] {
        &self.failed_items
    }

    /// Items that failed for good, and failed attempts.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.left_out + self.fatal_items, self.failed_attempts)
    }

    /// The newest failed attempts.
    pub(crate) fn newest(&self) -> &FailedAttempts {
        &self.newest
    }

    /// Whether an item that failed for good ends the run.
    pub(crate) fn ends_run(&self) -> bool {
        self.fatal.is_some()
    }

    /// Whether any final failure is postponed.
    pub(crate) fn has_postponed(&self) -> bool {
        !self.postponed.is_empty()
    }

    /// Counts an item left out because of an unusable input.
    pub(crate) fn left_out_input(&mut self) {
        self.left_out += 1;
    }

    /// Ends the output with `index`, whose result has no place there; `text` tells why.
    pub(crate) fn end_output_with(&mut self, items: &mut Items, index: Index, text: String) {
        self.fatal = Some((index, text));
        items.lender_mut().drop_output();
    }

    /// Ends the output, because no device can ever run the function.
    pub(crate) fn cannot_run(&mut self, items: &mut Items, why: String) {
        self.cannot_run = Some(why);
        items.lender_mut().drop_output();
    }

    /// Ends the output after the finished results next in order, because the journal or a file of
    /// results cannot be written.
    pub(crate) fn output_failed(&mut self, items: &mut Items, why: String) {
        self.output_failed = Some(why);
        let end = items.first_unsettled();
        items.lender_mut().truncate(end);
    }

    /// Ends the output at once, because results cannot be trusted; `why` tells the reason.
    pub(crate) fn mistrust(&mut self, items: &mut Items, why: String) {
        self.output_failed = Some(why);
        items.lender_mut().drop_output();
    }

    /// Whether `index` is lent alone, because it may make devices vanish.
    pub(crate) fn goes_alone(&self, index: Index) -> bool {
        self.failures.goes_alone(index)
    }
}
