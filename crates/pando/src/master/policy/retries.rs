//! Failed attempts and their consequences: an item is lent again, postponed, left out, or ends the
//! run.

use super::{
    MissingFeature, RunContext,
    account::account,
    blame::{self, Verdict},
    failures::{Failures, SUSPICIOUS},
    notices::Notices,
    postponed::{PostponedFailure, PostponedFailures},
    stand_back,
};
use crate::{
    config::OnError,
    master::{
        items::{Ending, Items},
        registry::Registry,
    },
    protocol::Failure,
};
use bytes::Bytes;
use serde_json::json;
use std::collections::HashMap;
use stream_lender::{Index, Loan, SubStreamId};

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Retries {
    failures: Failures,
    /// Items whose final failure waits until other devices have had a chance.
    postponed: PostponedFailures,
    notices: Notices,
    /// The item that ends the run, and the message about its failure.
    fatal: Option<(Index, String)>,
    /// Messages about items failed for good, for output in place of results.
    told: HashMap<Index, String>,
    /// Items which failed for good without ending the run.
    left_out: u64,
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
    /// Handles a failed attempt. Returns a line for people.
    pub(crate) fn failed(&mut self, context: &mut RunContext, attempt: &Attempt) -> Option<String> {
        let Attempt { sub, loan, device, failure } = *attempt;
        if !context.items.lender().holds(sub, loan) || context.items.settle_cancelled(sub, loan) {
            return None;
        }
        let index = loan.index;
        let missing = blame::missing_feature(context.job, failure);
        let hint = blame::hint(context.registry, sub, missing.as_ref(), context.job);
        let what = format!("item {} failed on {device}: {}{hint}", index + 1, failure.message);
        let verdict =
            blame::judge(&mut self.failures, context, (sub, index), failure, missing.as_ref());
        let lender = context.items.lender_mut();
        if let Some(mut value) = lender.value(index).cloned() {
            value.attempt = self.failures.count_failure(index);
            lender.replace_value(index, value);
        }
        let line = self.follow(context, attempt, verdict, what, missing);
        stand_back::stand_back_if_due(context, sub);
        line
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
        let Attempt { sub, loan, failure, .. } = *attempt;
        let failure = || failure.clone();
        match verdict {
            Verdict::NoAttempt => {
                let _ = context.items.lender_mut().fail(sub, loan);
                self.note_no_attempt(context, sub, format!("{what} (this device has computed nothing yet, and others may: it is no attempt)"));
                None
            }
            Verdict::ForBrowsers => {
                let postponed = PostponedFailure { what, failure: failure(), until: None };
                self.postponed.postpone(context.items, sub, loan, postponed);
                let why = missing?.in_words(&attempt.failure.message);
                self.tell_of_browsers(context.registry, sub, loan.index, &why)
            }
            Verdict::Attempt { number, .. } if number <= context.job.retries => {
                let _ = context.items.lender_mut().fail(sub, loan);
                Some(format!(
                    "{what} (attempt {number} of {}; it will be tried again)",
                    u64::from(context.job.retries) + 1
                ))
            }
            Verdict::Attempt { certain: true, .. } => {
                self.fail_for_good(context, (sub, loan), what, attempt.failure)
            }
            Verdict::Attempt { certain: false, .. } => {
                let line =
                    format!("{what} (it has failed, unless another device joins in a moment)");
                let until = Some(context.registry.others_until());
                let postponed = PostponedFailure { what, failure: failure(), until };
                self.postponed.postpone(context.items, sub, loan, postponed);
                Some(line)
            }
        }
    }

    /// Queues the message `line` about a failure of `sub` which is no attempt.
    fn note_no_attempt(&mut self, context: &mut RunContext, sub: SubStreamId, line: String) {
        let Some(key) = context.registry.get(sub).map(|device| device.key().clone()) else {
            return;
        };
        if context.registry.fitness_or_new(&key).note_first_failure() {
            self.notices.queue(key, line, context.now);
        }
    }

    /// Returns the message about an item for browsers only, once per run.
    fn tell_of_browsers(
        &mut self,
        registry: &Registry,
        sub: SubStreamId,
        index: Index,
        why: &str,
    ) -> Option<String> {
        if !self.notices.tell_of_browsers() {
            return None;
        }
        let is_fit =
            registry.get(sub).is_some_and(|device| registry.standing(device.key()).is_good());
        let what = if is_fit { format!("item {}", index + 1) } else { "it".into() };
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
        let mut computing: Vec<Loan> =
            lender.outstanding(sub).take(device.cores() as usize).collect();
        let running = device.loans().running().map(|(loan, _)| loan);
        computing.extend(running.filter(|loan| lender.holds(sub, *loan)));
        computing.sort_unstable();
        computing.dedup();
        let (id, name) = (device.key().device.clone(), device.name().to_owned());
        let mut lines = Vec::new();
        for loan in computing {
            if self.failures.goes_alone(loan.index) {
                let message = "it vanished while it was computing this item and no other".into();
                let failure = Failure { message, stack: None, kind: "vanished".into() };
                let attempt = Attempt { sub, loan, device: &name, failure: &failure };
                lines.extend(self.failed(context, &attempt));
            } else if self.failures.vanished(loan.index, &id) == SUSPICIOUS {
                lines.push(format!(
                    "item {} was being computed on {SUSPICIOUS} devices that all vanished: it is lent alone now",
                    loan.index + 1
                ));
            }
        }
        lines
    }

    /// Notes that `device` came back with `index`: only its link had vanished.
    pub(crate) fn came_back(&mut self, index: Index, device: &str) {
        self.failures.came_back(index, device);
    }

    /// Notes that `sub` has computed `index`. The failures of other devices at this item were
    /// their own fault.
    pub(crate) fn computed(&mut self, context: &mut RunContext, sub: SubStreamId, index: Index) {
        let silence_limit = context.registry.silence_limit();
        for key in self.failures.forget(index) {
            let other = context.registry.iter().find(|(_, device)| *device.key() == key);
            let other = other.map(|(other, _)| other);
            if other != Some(sub)
                && let Some(fitness) = context.registry.fitness_mut(&key)
            {
                fitness.doubt_confirmed(silence_limit, context.now);
                other.into_iter().for_each(|other| stand_back::stand_back_if_due(context, other));
            }
        }
    }
}

/// Items fail for good.
impl Retries {
    /// Fails the value of `loan`, which `sub` holds, for good; `what` describes the failure.
    /// Returns a line for people.
    fn fail_for_good(
        &mut self,
        context: &mut RunContext,
        (sub, loan): (SubStreamId, Loan),
        what: String,
        failure: &Failure,
    ) -> Option<String> {
        let index = loan.index;
        let attempts = self.failures.attempts(index);
        blame::lift_doubts(context.registry, self.failures.forget(index));
        let text = account(context.items, context.job, loan, what, attempts, failure);
        let report = match context.job.on_error {
            _ if context.items.program().is_some() => None,
            OnError::Stop => return self.end_with(context, index, text),
            OnError::Skip => None,
            OnError::Tell => {
                self.told.insert(index, text.clone());
                None
            }
            OnError::Report => {
                let report = json!({"error": {"index": index + 1, "message": failure.message}});
                Some(Bytes::from(report.to_string()))
            }
        };
        if let Some(program) = context.items.program_mut() {
            program.tell_error(index, &failure.message);
        }
        context.items.leave_out(sub, loan, report);
        self.left_out += 1;
        Some(text)
    }

    /// Ends the run because `index` failed for good: earlier items are still finished, later items
    /// are dropped. Returns a line for people, unless the run ends at once with its own message.
    fn end_with(&mut self, context: &mut RunContext, index: Index, text: String) -> Option<String> {
        let line = text.lines().next().unwrap_or_default().to_owned();
        if self.fatal.as_ref().is_none_or(|(first, _)| *first > index) {
            self.fatal = Some((index, text));
            keep_cut_off(context, index);
            context.items.lender_mut().truncate(index);
        }
        let lender = context.items.lender();
        let has_earlier = (lender.results_output()..index).any(|index| !lender.is_settled(index));
        has_earlier.then(|| format!("{line} (the run ends once the items before it are finished)"))
    }

    /// Makes postponed items lendable again if a connected device has not failed them, and fails
    /// the items whose time has come; with `at_once`, all others. Returns lines for people.
    pub(crate) fn settle_due(&mut self, context: &mut RunContext, at_once: bool) -> Vec<String> {
        if self.postponed.is_empty() {
            return Vec::new();
        }
        let (mut able, mut doubtful) = blame::who_may_try(context.registry);
        // A shortcut, because many items may wait for a browser.
        if self.postponed.all_wait_for_browsers()
            && able.iter().all(|key| key.local)
            && context.items.program().is_none()
            && !at_once
        {
            return Vec::new();
        }
        let mut lines = Vec::new();
        for index in self.postponed.indexes() {
            let until = self.postponed.get(index).and_then(|postponed| postponed.until);
            let held = self.postponed.held(context.items, index);
            let is_cut_off =
                held.is_none_or(|(holder, loan)| context.items.settle_cancelled(holder, loan));
            // Before an item fails for good, devices that stand back may try it as well.
            let others = able.iter().chain(doubtful.iter().filter(|_| until.is_some()));
            let is_due = at_once || until.is_some_and(|until| context.now >= until);
            let is_untried = others.into_iter().any(|key| !self.failures.has_failed(index, key));
            if !(is_cut_off || is_untried || is_due) {
                continue;
            }
            let Some(PostponedFailure { what, failure, .. }) = self.postponed.take(index) else {
                continue;
            };
            let Some((holder, loan)) = held else { continue };
            if is_cut_off || is_untried {
                let _ = context.items.lender_mut().hand_back(holder, loan);
            } else {
                lines.extend(self.fail_for_good(context, (holder, loan), what, &failure));
                // The final failure may lift doubts about devices.
                (able, doubtful) = blame::who_may_try(context.registry);
            }
        }
        self.postponed.close_if_empty(context.items);
        lines
    }

    /// Makes `index` lendable again if its failure is postponed. Returns whether this was so.
    pub(super) fn release(&mut self, items: &mut Items, index: Index) -> bool {
        self.postponed.release(items, index)
    }
}

/// What people are told.
impl Retries {
    /// Sets the URL where tabs join.
    pub(crate) fn set_url(&mut self, url: &str) {
        self.notices.set_url(url);
    }

    /// Returns a message: tabs can compute the function, this machine's cores cannot, because of
    /// `why`.
    pub(crate) fn cannot_compute(&self, why: &str) -> String {
        self.notices.cannot_compute("it", why)
    }

    /// Takes the messages due now about failures that are no attempts.
    pub(crate) fn take_notices(&mut self, context: &mut RunContext) -> Vec<String> {
        self.notices.take_due(context.registry, context.now)
    }

    /// Returns a message, once, when items wait and all connected devices are unfit.
    pub(crate) fn tell_that_nobody_can(&mut self, context: &RunContext) -> Option<String> {
        let registry = &*context.registry;
        // The failures of this machine's cores have messages of their own.
        let has_guests = registry.devices().any(|device| device.is_active() && !device.is_local());
        let nobody_can =
            has_guests && !registry.devices().any(|device| blame::may_try(registry, device));
        if !nobody_can {
            self.notices.somebody_can();
            return None;
        }
        // While a device tries an item, perhaps no item waits, but nothing has changed for people.
        let waits = context.items.lender().oldest_returned();
        let index = waits.into_iter().chain(self.postponed.first()).min()?;
        self.notices.tell_of_nobody().then(|| {
            format!(
                "no device that is here can compute item {}, and those after it: the run goes on when another one joins",
                index + 1
            )
        })
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

    /// Counts an item left out because of an unusable input.
    pub(crate) fn left_out_input(&mut self) {
        self.left_out += 1;
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

/// What the simulation checks.
/// Notes in the devices' books that they go on with the values after `end`, although they are about
/// to be cut off: a device has room for other values again when it has answered them.
fn keep_cut_off(context: &mut RunContext, end: Index) {
    let RunContext { items, registry, .. } = context;
    let lender = items.lender();
    for (sub, device) in registry.iter_mut() {
        for loan in lender.outstanding(sub).filter(|loan| loan.index > end) {
            let bytes = lender.value(loan.index).map_or(0, |value| value.bytes.len() as u64);
            device.loans_mut().add_copy(loan, bytes);
        }
    }
}

#[cfg(test)]
impl Retries {
    /// The item which ends the run.
    pub(crate) fn fatal(&self) -> Option<Index> {
        self.fatal.as_ref().map(|(index, _)| *index)
    }

    /// The number of failed attempts at `index`.
    pub(crate) fn attempts(&self, index: Index) -> u32 {
        self.failures.attempts(index)
    }

    /// Whether any final failure is postponed.
    pub(crate) fn has_postponed(&self) -> bool {
        !self.postponed.is_empty()
    }

    /// The values with failures on record.
    pub(crate) fn indexes(&self) -> impl Iterator<Item = Index> {
        self.failures.indexes()
    }

    /// Whether nothing is on record about any value.
    pub(crate) fn is_empty(&self) -> bool {
        self.indexes().next().is_none() && self.told.is_empty()
    }
}
