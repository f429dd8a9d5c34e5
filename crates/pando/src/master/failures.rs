//! Attempts that failed, and what follows from them.

use super::{Core, Ending, Job, court::Case, fitness::Who, unfit::Verdict};
use crate::{cli::OnError, protocol::Failure};
use bytes::Bytes;
use serde_json::json;
use std::{collections::HashMap, mem, time::Instant};
use stream_lender::{Index, Loan, SubStreamId};

/// Bookkeeping of failed attempts, and of the value that ends the run.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    tries: HashMap<Index, Tries>,
    /// The devices that vanished while they were computing a value, each as often as it did, and have not come back with it.
    vanished: HashMap<Index, Vec<String>>,
    fatal: Option<(Index, String)>,
    /// Values that failed for good, to be told in their places.
    told: HashMap<Index, String>,
    /// Values that failed for good, and did not end the run.
    left_out: u64,
    cannot_run: Option<String>,
    /// What is to be written besides the output cannot be.
    output_failed: Option<String>,
}

/// What is known of the attempts at a value that has no result.
#[derive(Debug, Default)]
struct Tries {
    /// Failed attempts.
    attempts: u32,
    /// Failures besides, which do not count as long as a device may be there that knows better.
    excused: u32,
    /// All failures.
    failures: u32,
    /// Who failed it.
    failed_by: Vec<Who>,
    /// Whose fault each failure may be: none's before a proven device failed it as well.
    accused: Vec<Who>,
}

/// So many devices vanish over a value before it is lent alone.
const SUSPICIOUS: usize = 5;

impl Failures {
    /// How the run ends because of a value that failed for good, if one did.
    pub(crate) fn ending(&self) -> Option<Ending> {
        if let Some(why) = &self.cannot_run {
            return Some(Ending::CannotRun(why.clone()));
        }
        if let Some(why) = &self.output_failed {
            return Some(Ending::OutputFailed(why.clone()));
        }
        let fatal = self.fatal.as_ref().map(|(index, text)| Ending::ItemFailed(*index, text.clone()));
        fatal.or_else(|| (self.left_out > 0).then_some(Ending::SomeFailed(self.left_out)))
    }

    /// What is to be told of `index` in its place.
    pub(crate) fn take_told(&mut self, index: Index) -> Option<String> {
        self.told.remove(&index)
    }

    /// A value has its result: what is known of its attempts is history. Gives whose fault its failures may have been, once for each.
    pub(crate) fn forget(&mut self, index: Index) -> Vec<Who> {
        if !self.vanished.is_empty() {
            self.vanished.remove(&index);
        }
        if self.tries.is_empty() {
            return Vec::new();
        }
        self.tries.remove(&index).map(|tries| tries.accused).unwrap_or_default()
    }

    /// `who` failed `index`, which may be its own fault. Gives whose fault earlier failures are not, if it is `proven`.
    pub(super) fn accuse(&mut self, index: Index, who: &Who, proven: bool) -> Vec<Who> {
        let tries = self.tries.entry(index).or_default();
        if !tries.failed_by.contains(who) {
            tries.failed_by.push(who.clone());
        }
        let acquitted = if proven { mem::take(&mut tries.accused) } else { Vec::new() };
        tries.accused.push(who.clone());
        acquitted
    }

    /// Whether `who` has failed `index`.
    pub(super) fn has_failed(&self, index: Index, who: &Who) -> bool {
        self.tries.get(&index).is_some_and(|tries| tries.failed_by.contains(who))
    }

    /// Whether this machine's own cores have failed `index`.
    pub(super) fn has_failed_here(&self, index: Index) -> bool {
        self.tries.get(&index).is_some_and(|tries| tries.failed_by.iter().any(|who| who.local))
    }

    /// One more attempt at `index` has failed; with those that did not count so far, if these are `all` attempts. Gives how many that is.
    pub(super) fn count(&mut self, index: Index, all: bool) -> u32 {
        let tries = self.tries.entry(index).or_default();
        tries.attempts += 1;
        if all {
            tries.attempts += mem::take(&mut tries.excused);
        }
        tries.attempts
    }

    /// `index` has failed once more, whether that counts or not. Gives how often that is.
    fn failed(&mut self, index: Index) -> u32 {
        let tries = self.tries.entry(index).or_default();
        tries.failures += 1;
        tries.failures
    }

    /// A failure of `index` does not count for now.
    pub(super) fn excuse(&mut self, index: Index) {
        self.tries.entry(index).or_default().excused += 1;
    }

    /// `device` is back with `index`: it was its link that vanished. What is lent alone stays so.
    pub(crate) fn came_back(&mut self, index: Index, device: &str) {
        if let Some(devices) = self.vanished.get_mut(&index).filter(|devices| devices.len() < SUSPICIOUS) {
            if let Some(at) = devices.iter().position(|vanished| vanished == device) {
                devices.remove(at);
            }
            if devices.is_empty() {
                self.vanished.remove(&index);
            }
        }
    }

    /// Whether a device that gets `index` gets nothing besides it: it may be what makes devices vanish.
    pub(crate) fn goes_alone(&self, index: Index) -> bool {
        !self.vanished.is_empty() && self.vanished.get(&index).is_some_and(|devices| devices.len() >= SUSPICIOUS)
    }

    /// The value that ends the run.
    #[cfg(test)]
    pub(crate) fn fatal(&self) -> Option<Index> {
        self.fatal.as_ref().map(|(index, _)| *index)
    }

    /// Whether nothing is kept of any value.
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.indexes().next().is_none() && self.told.is_empty()
    }

    /// The values of whose attempts something is kept.
    #[cfg(test)]
    pub(crate) fn indexes(&self) -> impl Iterator<Item = Index> {
        self.tries.keys().chain(self.vanished.keys()).copied()
    }

    /// A value could not even be read, and is left out.
    pub(super) fn left_out_input(&mut self) {
        self.left_out += 1;
    }

    /// Failed attempts at `index`.
    pub(crate) fn attempts(&self, index: Index) -> u32 {
        self.tries.get(&index).map_or(0, |tries| tries.attempts)
    }
}

impl Core {
    /// The attempt of `loan` by `sub` failed: it is lent again, or it ends the run. Gives a line to say.
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
                self.adjourn(sub, loan, Case { what, failure: failure.clone(), until: None });
                lack.and_then(|lack| self.tell_of_browsers(sub, index, &lack.in_words(&failure.message)))
            }
            Verdict::Attempt { number, certain } => {
                if number <= job.retries {
                    let _ = self.lender.fail(sub, loan);
                    Some(format!("{what} (attempt {number} of {}; it will be tried again)", u64::from(job.retries) + 1))
                } else if certain {
                    self.pass_verdict(sub, loan, what, failure, job)
                } else {
                    let line = format!("{what} (it has failed, unless another device joins in a moment)");
                    let until = Some(self.devices.others_until());
                    self.adjourn(sub, loan, Case { what, failure: failure.clone(), until });
                    Some(line)
                }
            }
        };
        self.hold_back(sub, now);
        line
    }

    /// The value of `loan`, which `sub` holds, has failed for good: `what` says so. Gives a line to say.
    pub(super) fn pass_verdict(
        &mut self,
        sub: SubStreamId,
        loan: Loan,
        what: String,
        failure: &Failure,
        job: &Job,
    ) -> Option<String> {
        let index = loan.index;
        let attempt = self.failures.attempts(index);
        let accused = self.failures.forget(index);
        self.acquit(accused);
        let stack = failure.stack.as_deref().map(|stack| job.function.trace(stack)).unwrap_or_default();
        let text = self.account(index, attempt, what, &stack);
        if let Some(sync) = &mut self.sync {
            sync.failed(index, &failure.message);
            return Some(self.leave_out(sub, loan, text, None));
        }
        match job.on_error {
            OnError::Stop => {
                let line = text.lines().next().unwrap_or_default().to_owned();
                self.end_with(index, text);
                // Else the end comes at once, and says it.
                let earlier = (self.lender.output()..index).any(|index| !self.lender.is_settled(index));
                earlier.then(|| format!("{line} (the run ends once the items before it are finished)"))
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

    /// The value of `loan` failed for good and the run goes on: `report` is its output, if any. Gives a line to say.
    fn leave_out(&mut self, sub: SubStreamId, loan: Loan, text: String, report: Option<Bytes>) -> String {
        let _ = self.lender.result(sub, loan, report);
        self.failures.left_out += 1;
        text
    }

    /// Nobody can ever run the function: the output ends here.
    pub(crate) fn cannot_run(&mut self, why: String) {
        self.failures.cannot_run = Some(why);
        self.lender.drop_output();
    }

    /// The journal, or a file of results, cannot be written: the output ends with what is finished and next in order.
    pub(crate) fn output_failed(&mut self, why: String) {
        self.failures.output_failed = Some(why);
        self.lender.truncate(self.first_unsettled());
    }

    /// What was computed cannot be trusted, because of `why`: nothing more is output, and the run ends so.
    pub(crate) fn mistrust(&mut self, why: String) {
        self.failures.output_failed = Some(why);
        self.lender.drop_output();
    }

    /// `sub` vanished: notes what it was computing, as far as is known. Gives lines to say.
    ///
    /// Vanishing is no failure; only over a value that was lent alone because so many had, it is.
    pub(crate) fn vanished(&mut self, sub: SubStreamId, device: &str, job: &Job, now: Instant) -> Vec<String> {
        let Some(seat) = self.seats.get(&sub) else { return Vec::new() };
        // What it told, and else what it was given first: as many as it has cores.
        let mut computing: Vec<Loan> = self.lender.outstanding(sub).take(seat.cores as usize).collect();
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

    /// `index` failed for good: the values before it are finished, the others dropped.
    fn end_with(&mut self, index: Index, text: String) {
        if self.failures.fatal.as_ref().is_some_and(|(first, _)| *first <= index) {
            return;
        }
        self.failures.fatal = Some((index, text));
        self.lender.truncate(index);
    }

    /// What is said of a value that failed for good: `what`, its input, its attempts and the last one's `stack`.
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
