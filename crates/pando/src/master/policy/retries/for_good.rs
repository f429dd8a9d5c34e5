//! Items fail for good: at once, or after other devices have had a chance.

use super::Retries;
use crate::{
    config::OnError,
    master::{
        items::Items,
        policy::{RunContext, account::account, blame, postponed::PostponedFailure},
    },
    protocol::Failure,
};
use bytes::Bytes;
use serde_json::json;
use stream_lender::{Index, Loan, SubStreamId};

impl Retries {
    /// Fails the value of `loan`, which `sub` holds, for good; `what` describes the failure.
    /// Returns a line for people.
    pub(super) fn fail_for_good(
        &mut self,
        context: &mut RunContext,
        (sub, loan): (SubStreamId, Loan),
        what: String,
        failure: &Failure,
    ) -> Option<String> {
        let index = loan.index;
        let attempts = self.failures.attempts(index);
        blame::lift_doubts(context.registry, self.failures.forget(index));
        if self.failed_items.len() < super::MOST_NAMED {
            self.failed_items.push(index);
        }
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
    pub(in super::super) fn release(&mut self, items: &mut Items, index: Index) -> bool {
        self.postponed.release(items, index)
    }
}

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
