//! Failed attempts and their consequences.

use super::{Core, Ending, Job, fitness::DeviceKey, postponed::PostponedFailure, unfit::Verdict};
use crate::{cli::OnError, protocol::Failure};
use bytes::Bytes;
use serde_json::json;
use std::{collections::HashMap, mem, time::Instant};
use stream_lender::{Index, Loan, SubStreamId};

/// Bookkeeping of failed attempts and of the reasons to end the run.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    tries: HashMap<Index, Tries>,
    /// For each value, the devices which vanished with the value and have not come back; a device
    /// may occur several times.
    vanished: HashMap<Index, Vec<String>>,
    fatal: Option<(Index, String)>,
    /// Messages about items failed for good, for output in place of results.
    told: HashMap<Index, String>,
    /// Items which failed for good without ending the run.
    left_out: u64,
    cannot_run: Option<String>,
    /// Why the journal or a file of results cannot be written.
    output_failed: Option<String>,
}

/// The attempts at a value without a result.
#[derive(Debug, Default)]
struct Tries {
    /// Failed attempts.
    attempts: u32,
    /// Failures which do not count unless every other device fails the value, too.
    excused: u32,
    /// All failures, whether they count or not.
    failures: u32,
    /// The devices that failed the value.
    failed_by: Vec<DeviceKey>,
    /// The devices whose failures may be their own fault, one entry per failure. A failure of a
    /// proven device clears the earlier entries.
    doubted: Vec<DeviceKey>,
}

/// The number of vanished devices after which a value is lent alone.
const SUSPICIOUS: usize = 5;

impl Failures {
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

    /// Forgets the attempts at `index`, after its result or final failure. Returns the devices
    /// whose failures may have been their own fault, one entry per failure.
    pub(crate) fn forget(&mut self, index: Index) -> Vec<DeviceKey> {
        if !self.vanished.is_empty() {
            self.vanished.remove(&index);
        }
        if self.tries.is_empty() {
            return Vec::new();
        }
        self.tries.remove(&index).map(|tries| tries.doubted).unwrap_or_default()
    }

    /// Notes that `who` failed `index`. If `who` is `proven`, returns the devices whose earlier
    /// failures were the item's fault.
    pub(super) fn accuse(&mut self, index: Index, who: &DeviceKey, proven: bool) -> Vec<DeviceKey> {
        let tries = self.tries.entry(index).or_default();
        if !tries.failed_by.contains(who) {
            tries.failed_by.push(who.clone());
        }
        let doubt_lifted = if proven { mem::take(&mut tries.doubted) } else { Vec::new() };
        tries.doubted.push(who.clone());
        doubt_lifted
    }

    /// Whether `who` has failed `index`.
    pub(super) fn has_failed(&self, index: Index, who: &DeviceKey) -> bool {
        self.tries.get(&index).is_some_and(|tries| tries.failed_by.contains(who))
    }

    /// Whether this machine's own cores have failed `index`.
    pub(super) fn has_failed_here(&self, index: Index) -> bool {
        self.tries.get(&index).is_some_and(|tries| tries.failed_by.iter().any(|who| who.local))
    }

    /// Counts one more failed attempt at `index`; with `all`, also the failures excused so far.
    /// Returns the number of failed attempts.
    pub(super) fn count(&mut self, index: Index, all: bool) -> u32 {
        let tries = self.tries.entry(index).or_default();
        tries.attempts += 1;
        if all {
            tries.attempts += mem::take(&mut tries.excused);
        }
        tries.attempts
    }

    /// Counts a failure of `index`, whether it is an attempt or not. Returns the number of
    /// failures.
    fn failed(&mut self, index: Index) -> u32 {
        let tries = self.tries.entry(index).or_default();
        tries.failures += 1;
        tries.failures
    }

    /// Notes a failure of `index` which does not count for now.
    pub(super) fn excuse(&mut self, index: Index) {
        self.tries.entry(index).or_default().excused += 1;
    }

    /// Notes that `device` came back with `index`: only its link had vanished. A value already
    /// lent alone stays so.
    pub(crate) fn came_back(&mut self, index: Index, device: &str) {
        if let Some(devices) =
            self.vanished.get_mut(&index).filter(|devices| devices.len() < SUSPICIOUS)
        {
            if let Some(at) = devices.iter().position(|vanished| vanished == device) {
                devices.remove(at);
            }
            if devices.is_empty() {
                self.vanished.remove(&index);
            }
        }
    }

    /// Whether `index` is lent alone, because it may make devices vanish.
    pub(crate) fn goes_alone(&self, index: Index) -> bool {
        !self.vanished.is_empty()
            && self.vanished.get(&index).is_some_and(|devices| devices.len() >= SUSPICIOUS)
    }

    /// The item which ends the run.
    #[cfg(test)]
    pub(crate) fn fatal(&self) -> Option<Index> {
        self.fatal.as_ref().map(|(index, _)| *index)
    }

    /// Whether no bookkeeping about any value is left.
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.indexes().next().is_none() && self.told.is_empty()
    }

    /// The values with bookkeeping about their attempts.
    #[cfg(test)]
    pub(crate) fn indexes(&self) -> impl Iterator<Item = Index> {
        self.tries.keys().chain(self.vanished.keys()).copied()
    }

    /// Counts an item left out because of an unusable input.
    pub(super) fn left_out_input(&mut self) {
        self.left_out += 1;
    }

    /// The number of failed attempts at `index`.
    pub(crate) fn attempts(&self, index: Index) -> u32 {
        self.tries.get(&index).map_or(0, |tries| tries.attempts)
    }
}

impl Core {
    /// Handles a failure of `sub` at `loan`: the item is lent again, postponed, left out, or ends
    /// the run. Returns a line for people.
    pub(crate) fn attempt_failed(
        &mut self,
        sub: SubStreamId,
        loan: Loan,
        failure: &Failure,
        device: &str,
        job: &Job,
        now: Instant,
    ) -> Option<String> {
        if !self.lender.holds(sub, loan) || self.forgets(sub, loan) {
            return None;
        }
        let index = loan.index;
        let lack = job.lack(failure);
        let hint = self.hint(sub, lack.as_ref(), job);
        let what = format!("item {} failed on {device}: {}{hint}", index + 1, failure.message);
        let verdict = self.judge(sub, index, failure, lack.as_ref(), job, now);
        if let Some(mut value) = self.lender.value(index).cloned() {
            value.attempt = self.failures.failed(index);
            self.lender.replace_value(index, value);
        }
        let line = match verdict {
            Verdict::NoAttempt => {
                let _ = self.lender.fail(sub, loan);
                self.note(sub, format!("{what} (this device has computed nothing yet, and others may: it is no attempt)"), now);
                None
            }
            Verdict::ForBrowsers => {
                self.postpone(
                    sub,
                    loan,
                    PostponedFailure { what, failure: failure.clone(), until: None },
                );
                lack.and_then(|lack| {
                    self.tell_of_browsers(sub, index, &lack.in_words(&failure.message))
                })
            }
            Verdict::Attempt { number, certain } => {
                if number <= job.retries {
                    let _ = self.lender.fail(sub, loan);
                    Some(format!(
                        "{what} (attempt {number} of {}; it will be tried again)",
                        u64::from(job.retries) + 1
                    ))
                } else if certain {
                    self.fail_for_good(sub, loan, what, failure, job)
                } else {
                    let line =
                        format!("{what} (it has failed, unless another device joins in a moment)");
                    let until = Some(self.devices.others_until());
                    self.postpone(
                        sub,
                        loan,
                        PostponedFailure { what, failure: failure.clone(), until },
                    );
                    Some(line)
                }
            }
        };
        self.hold_back(sub, now);
        line
    }

    /// Fails the value of `loan`, which `sub` holds, for good; `what` describes the failure.
    /// Returns a line for people.
    pub(super) fn fail_for_good(
        &mut self,
        sub: SubStreamId,
        loan: Loan,
        what: String,
        failure: &Failure,
        job: &Job,
    ) -> Option<String> {
        let index = loan.index;
        let attempt = self.failures.attempts(index);
        let doubted = self.failures.forget(index);
        self.acquit(doubted);
        let stack =
            failure.stack.as_deref().map(|stack| job.function.trace(stack)).unwrap_or_default();
        let text = self.account(index, attempt, what, &stack);
        if let Some(sync) = &mut self.sync {
            sync.failed(index, &failure.message);
            return Some(self.leave_out(sub, loan, text, None));
        }
        match job.on_error {
            OnError::Stop => {
                let line = text.lines().next().unwrap_or_default().to_owned();
                self.end_with(index, text);
                // Without earlier items, the run ends at once with its own message.
                let earlier =
                    (self.lender.output()..index).any(|index| !self.lender.is_settled(index));
                earlier
                    .then(|| format!("{line} (the run ends once the items before it are finished)"))
            }
            OnError::Skip => Some(self.leave_out(sub, loan, text, None)),
            OnError::Tell => {
                self.failures.told.insert(index, text.clone());
                Some(self.leave_out(sub, loan, text, None))
            }
            OnError::Report => {
                let report = json!({"error": {"index": index + 1, "message": failure.message}});
                Some(self.leave_out(sub, loan, text, Some(report.to_string().into())))
            }
        }
    }

    /// Leaves out the value of `loan`, which failed for good, or outputs `report` in its place.
    /// Returns the line for people.
    fn leave_out(
        &mut self,
        sub: SubStreamId,
        loan: Loan,
        text: String,
        report: Option<Bytes>,
    ) -> String {
        let _ = self.lender.result(sub, loan, report);
        self.failures.left_out += 1;
        text
    }

    /// Ends the output, because no device can ever run the function.
    pub(crate) fn cannot_run(&mut self, why: String) {
        self.failures.cannot_run = Some(why);
        self.lender.drop_output();
    }

    /// Ends the output after the finished results next in order, because the journal or a file of
    /// results cannot be written.
    pub(crate) fn output_failed(&mut self, why: String) {
        self.failures.output_failed = Some(why);
        self.lender.truncate(self.first_unsettled());
    }

    /// Ends the output at once, because results cannot be trusted; `why` tells the reason.
    pub(crate) fn mistrust(&mut self, why: String) {
        self.failures.output_failed = Some(why);
        self.lender.drop_output();
    }

    /// Notes that the device of `sub` vanished, with the values in computation, as far as the
    /// master knows. Returns lines for people.
    ///
    /// A device that vanishes has failed nothing, except a value which was lent alone.
    pub(crate) fn vanished(
        &mut self,
        sub: SubStreamId,
        device: &str,
        job: &Job,
        now: Instant,
    ) -> Vec<String> {
        let Some(seat) = self.seats.get(&sub) else { return Vec::new() };
        // The reported long calls, and the values lent first, one per core.
        let mut computing: Vec<Loan> =
            self.lender.outstanding(sub).take(seat.cores as usize).collect();
        computing.extend(seat.running.keys().filter(|loan| self.lender.holds(sub, **loan)));
        computing.sort_unstable();
        computing.dedup();
        let id = seat.device.clone();
        let mut lines = Vec::new();
        for loan in computing {
            let index = loan.index;
            if self.failures.goes_alone(index) {
                let message = "it vanished while it was computing this item and no other".into();
                let failure = Failure { message, stack: None, kind: "vanished".into() };
                lines.extend(self.attempt_failed(sub, loan, &failure, device, job, now));
                continue;
            }
            let devices = self.failures.vanished.entry(index).or_default();
            devices.push(id.clone());
            if devices.len() == SUSPICIOUS {
                lines.push(format!(
                    "item {} was being computed on {SUSPICIOUS} devices that all vanished: it is lent alone now",
                    index + 1
                ));
            }
        }
        lines
    }

    /// Ends the run because `index` failed for good: earlier items are still finished, later items
    /// are dropped.
    fn end_with(&mut self, index: Index, text: String) {
        if self.failures.fatal.as_ref().is_some_and(|(first, _)| *first <= index) {
            return;
        }
        self.failures.fatal = Some((index, text));
        self.lender.truncate(index);
    }

    /// Describes an item failed for good: `what`, its input, its attempts and the `stack` of the
    /// last one.
    fn account(&self, index: Index, attempts: u32, what: String, stack: &str) -> String {
        let value = self.lender.value(index).map(|value| excerpt(&value.bytes)).unwrap_or_default();
        let mut text = format!("{what}\n  its input: {value}\n  attempts: {attempts}");
        for line in stack.lines().take(12) {
            text.push_str("\n  ");
            text.push_str(line.trim_end());
        }
        text
    }
}

/// The start of a value, for a message.
fn excerpt(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]);
    let short: String = text.chars().take(80).collect();
    if short.len() < bytes.len() { format!("{short}… ({} bytes)", bytes.len()) } else { short }
}
