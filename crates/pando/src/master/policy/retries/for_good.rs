//! Items fail for good: at once, or after other devices have had a chance.

use super::{Retries, listed::list};
use crate::{
    config::{FailureLimit, OnError},
    failed::{FailedItem, error_in_place},
    master::{
        items::{InputError, Items, Misfit, Read, Unusable},
        job::Job,
        policy::{
            RunContext,
            account::{self, Account},
            blame,
            failure_kinds::Telling,
            postponed::PostponedFailure,
        },
    },
    number,
    protocol::Failure,
};
use bytes::Bytes;
use stream_lender::{Index, Loan, SubStreamId};

impl Retries {
    /// Fails the value of `loan`, which `sub` holds, for good, because of its last failure. Returns
    /// a line for people.
    pub(super) fn fail_for_good(
        &mut self,
        context: &mut RunContext,
        (sub, loan): (SubStreamId, Loan),
        last: &PostponedFailure,
    ) -> Option<String> {
        let (index, job, failure) = (loan.index, context.job, &last.failure);
        let attempts = self.failures.attempts(index);
        match job.gateway {
            // The run may lend the value here again.
            true => self.failures.keep_newest(),
            false => blame::lift_doubts(context.registry, self.failures.forget(index)),
        }
        self.name_failed(job.places_of(index));
        let input = account::input(context.items, job, index);
        let account = Account::new(&last.what, &input, attempts, account::details(job, failure));
        list(job, index, &input, |number, input| FailedItem {
            number,
            input,
            message: failure.message.clone(),
            stack: account::stack(job, failure),
            device: Some(last.device.clone()),
            attempts,
        });
        if context.items.program().is_none() && !job.gateway {
            if job.on_error == OnError::Stop {
                return self.end_with(context, index, account.in_full(), account.line);
            }
            if let Some(too_many) = self.too_many(context.items, job, job.values_in(index)) {
                let text = format!("{too_many}: {}", account.in_full());
                return self.end_with(context, index, text, account.line);
            }
        }
        let report = match job.on_error {
            _ if context.items.program().is_some() => None,
            OnError::Stop | OnError::Skip => None,
            OnError::Tell => {
                self.told.insert(index, account.in_full());
                None
            }
            OnError::Report => {
                Some(Bytes::from(error_in_place(job.number(index), &failure.message, &input)))
            }
        };
        if let Some(program) = context.items.program_mut() {
            program.tell_error(index, &failure.message);
        }
        context.items.leave_out(sub, loan, report);
        if job.gateway {
            let device = Some(last.device.clone());
            context.items.pass_up_failure(loan, Failure { device, ..failure.clone() });
        }
        self.left_out += job.values_in(index);
        self.tell(index, failure, account, job)
    }

    /// Keeps the places of values that failed for good, if there are few of them.
    fn name_failed(&mut self, places: impl IntoIterator<Item = u64>) {
        let room = super::MOST_NAMED.saturating_sub(self.failed_items.len());
        self.failed_items.extend(places.into_iter().take(room));
    }

    /// Returns the line about an item that failed for good, if it has a line of its own or ends a
    /// series of items that were only counted.
    fn tell(
        &mut self,
        index: Index,
        failure: &Failure,
        account: Account,
        job: &Job,
    ) -> Option<String> {
        match self.kinds.count_item(index, failure) {
            Telling::WithStack => Some(account.in_full()),
            _ if job.explains => Some(account.in_full()),
            Telling::Line => Some(account.line),
            Telling::Counted(line) => Some(line),
            Telling::Later => None,
        }
    }

    /// Fails an item whose input is no value. Returns what takes the place of the item, and a line
    /// for people.
    ///
    /// # Errors
    /// When this ends the run.
    pub(crate) fn fail_input(
        &mut self,
        items: &Items,
        job: &Job,
        unusable: Unusable,
    ) -> Result<(Read, Option<String>), InputError> {
        let what = unusable.told();
        let Unusable { number, why, input } = unusable;
        // With chunks, this is a value and not an item.
        let place = number.saturating_sub(1);
        let (index, number_of_all) = (place / job.chunk_size(), job.number_of_value(place));
        if let Some(list) = &job.failed {
            list.record(FailedItem {
                number: number_of_all,
                input: account::kept(input.clone()),
                message: why.clone(),
                stack: None,
                device: None,
                attempts: 0,
            });
        }
        self.name_failed([place]);
        if job.on_error == OnError::Stop {
            self.fatal_items += 1;
            return Err(InputError::new(why));
        }
        self.read_to = number;
        if let Some(too_many) = self.too_many(items, job, 1) {
            self.fatal_items += 1;
            return Err(InputError::new(format!("{too_many}: {why}")));
        }
        self.left_out += 1;
        let read = match job.on_error {
            OnError::Report => Read::Finished(error_in_place(number_of_all, &why, &input).into()),
            OnError::Stop | OnError::Skip | OnError::Tell => Read::LeftOut,
        };
        let failure = Failure::new(why, "input");
        let account = Account::new(&what, &input, 0, String::new());
        Ok((read, self.tell(index, &failure, account, job)))
    }

    /// Fails an item whose result has no place in the output. Returns a line for people.
    ///
    /// # Errors
    /// When this ends the run, with the message about the item.
    pub(crate) fn fail_output(
        &mut self,
        items: &Items,
        job: &Job,
        misfit: &Misfit,
    ) -> Result<Option<String>, String> {
        let Misfit { index, place, why, input } = misfit;
        let number = job.number_of_value(*place);
        self.name_failed([*place]);
        if let Some(list) = &job.failed {
            list.record(FailedItem {
                number,
                input: account::kept(input.clone()),
                message: why.clone(),
                stack: None,
                device: None,
                attempts: 1,
            });
        }
        let account =
            Account::new(&format!("item {} failed: {why}", place + 1), input, 1, String::new());
        if job.on_error == OnError::Stop {
            self.fatal_items += 1;
            return Err(account.line);
        }
        if let Some(too_many) = self.too_many(items, job, 1) {
            self.fatal_items += 1;
            return Err(format!("{too_many}: {}", account.line));
        }
        self.left_out += 1;
        let failure = Failure::new(why.clone(), "output");
        Ok(self.tell(*index, &failure, account, job))
    }

    /// The words about a run that is hopeless when `more` values fail, which are not yet counted.
    fn too_many(&self, items: &Items, job: &Job, more: u64) -> Option<String> {
        let limit = job.max_failures.filter(|_| self.fatal.is_none())?;
        // Unusable inputs fail when they are read, before earlier items are finished.
        let finished = self.read_to.max((items.settled() + 1) * job.chunk_size());
        let failed = self.left_out + more;
        let of = match limit {
            FailureLimit::Items(_) => String::new(),
            FailureLimit::Percent(_) => format!(" of {finished} finished ones"),
        };
        limit.is_exceeded(failed, finished).then(|| {
            format!(
                "{}{of} failed, more than --max-failures {limit} allows. The last one",
                number::count(failed, "item")
            )
        })
    }

    /// Fails the value of `loan`, which `sub` holds, because its results on different devices
    /// differ; the message tells how, and
    /// `devices` names the devices. Returns a line for people.
    pub(crate) fn differs(
        &mut self,
        context: &mut RunContext,
        (sub, loan): (SubStreamId, Loan),
        (message, devices): (String, String),
    ) -> Option<String> {
        let what = format!("item {} failed: {message}", context.job.number(loan.index));
        let failure = Failure::new(message, "verify");
        let last = PostponedFailure { what, failure, device: devices, until: None };
        self.fail_for_good(context, (sub, loan), &last)
    }

    /// Ends the run because `index` failed for good, with the message `text`: earlier items are
    /// still finished, later items are dropped. Returns a line for people, unless the run ends at
    /// once with its own message.
    fn end_with(
        &mut self,
        context: &mut RunContext,
        index: Index,
        text: String,
        line: String,
    ) -> Option<String> {
        self.fatal_items += context.job.values_in(index);
        if self.fatal.as_ref().is_none_or(|(first, _)| *first > index) {
            self.fatal = Some((index, text));
            keep_cut_off(context, index);
            context.items.lender_mut().truncate(index);
        }
        let oldest = context.items.lender().oldest();
        let has_earlier = oldest.is_some_and(|(oldest, _)| oldest < index);
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
            let Some(last) = self.postponed.take(index) else { continue };
            let Some((holder, loan)) = held else { continue };
            if is_cut_off || is_untried {
                let _ = context.items.lender_mut().hand_back(holder, loan);
            } else {
                lines.extend(self.fail_for_good(context, (holder, loan), &last));
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
