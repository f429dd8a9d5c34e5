//! The ends of the run in its state: what the input gives, what the output takes, and how the run
//! ends.

use super::{Emitted, RunState};
use crate::{
    journal::Recorder,
    master::{
        items::{Ending, InputError, Items, Loop, Misfit, Read, ToProgram, Unusable, Upstream},
        job::Job,
        shutdown,
    },
};
use std::{collections::VecDeque, sync::Arc, time::Instant};
use stream_lender::{Index, Output};

/// The two ends.
impl RunState {
    /// As [`items`](Self::items), for the reader of the input.
    pub(in crate::master) fn items_mut(&mut self) -> &mut Items {
        &mut self.items
    }

    /// See [`Retries::fail_input`].
    pub(in crate::master) fn fail_input(
        &mut self,
        job: &Job,
        unusable: Unusable,
    ) -> Result<(Read, Option<String>), InputError> {
        self.retries.fail_input(&self.items, job, unusable)
    }

    /// Fails the next value of the program in the loop, which is unusable because of `why`.
    pub(in crate::master) fn fail_next(&mut self, why: &str) {
        let Some(program) = self.items.program_mut() else { return };
        program.tell_error(program.came(), why);
        program.count_one();
        self.retries.left_out_input();
        self.items.add([(Read::LeftOut, None)], 0);
    }

    /// Cancels a value on behalf of the program in the loop.
    pub(in crate::master) fn cancel(&mut self, index: Index) {
        if let Some((sub, loan)) = self.items.cancel(index)
            && let Some(device) = self.registry.get_mut(sub)
        {
            device.recall_cancelled(loan);
        }
    }

    /// The journal's writer, if there is one.
    pub(in crate::master) fn journal(&self) -> Option<Arc<Recorder>> {
        self.items.journal().cloned()
    }

    /// Takes the next output, in order.
    #[inline]
    pub(in crate::master) fn emit(&mut self) -> Emitted {
        match self.items.emit() {
            Output::Item(index, (result, target)) => {
                let result = result.ok_or_else(|| self.retries.take_told(index));
                Emitted::Item(index, result, target)
            }
            Output::Pending => Emitted::Pending,
            Output::Failed(error) => Emitted::Ended(self.ending(Some(error))),
            Output::Done => Emitted::Ended(self.ending(None)),
        }
    }

    /// Removes settled values from the order, because their results were told already. Returns how
    /// the run ended, if it did.
    pub(in crate::master) fn free_places(&mut self) -> Option<Ending> {
        loop {
            match self.emit() {
                Emitted::Item(..) => {}
                Emitted::Pending => return None,
                Emitted::Ended(ending) => return Some(ending),
            }
        }
    }

    /// Takes all messages to the program in the loop, which are written next.
    pub(in crate::master) fn take_said(&mut self) -> VecDeque<ToProgram> {
        let said = self.items.program_mut().map(Loop::take_said).unwrap_or_default();
        let results = said.iter().filter(|said| !matches!(said, ToProgram::Ask(_)));
        self.shutdown.writes(results.count());
        said
    }

    /// Notes that the writer of the output writes `count` results now.
    pub(in crate::master) fn writes(&mut self, count: usize) {
        self.shutdown.writes(count);
    }

    /// Notes that the writer of the output waits.
    pub(in crate::master) fn output_waits(&mut self) {
        self.shutdown.wait();
    }

    /// Ends the output because its reader has gone, or because it is `lost`.
    pub(in crate::master) fn drop_output(&mut self, lost: bool) {
        self.shutdown.lose_output(lost);
        self.items.lender_mut().drop_output();
    }

    /// See [`Retries::output_failed`].
    pub(in crate::master) fn output_failed(&mut self, why: String) {
        self.retries.output_failed(&mut self.items, why);
    }

    /// See [`Retries::mistrust`].
    pub(in crate::master) fn mistrust(&mut self, why: String) {
        self.retries.mistrust(&mut self.items, why);
    }

    /// Ends the output with the item `index`, whose result has no place there; `text` tells why.
    /// Returns how the run ends.
    pub(in crate::master) fn end_output_with(&mut self, index: Index, text: String) -> Ending {
        self.retries.end_output_with(&mut self.items, index, text);
        self.ending(None)
    }

    /// See [`Retries::fail_output`].
    pub(in crate::master) fn fail_output(
        &mut self,
        job: &Job,
        misfit: &Misfit,
    ) -> Result<Option<String>, String> {
        self.retries.fail_output(&self.items, job, misfit)
    }

    /// Sets the URL where tabs join, for messages.
    pub(in crate::master) fn set_url(&mut self, url: &str) {
        self.retries.set_url(url);
    }
}

/// The end of the run.
impl RunState {
    /// Stops reading the input. Items read so far are finished.
    pub(in crate::master) fn interrupt(&mut self) {
        // The whole input may have been read already.
        self.items.notice_end();
        if self.items.lender().input_is_open() {
            self.shutdown.interrupt();
            self.items.upstream_mut().into_iter().for_each(Upstream::wake);
            self.items.lender_mut().end_input();
        }
    }

    /// Drops the first item without a result and all later ones. Earlier results are still output,
    /// and with `--unordered` all results that are there.
    pub(in crate::master) fn give_up(&mut self) {
        let before = self.items.lender().in_progress();
        let first = self.items.first_unsettled();
        if first < self.items.end() {
            self.items.lender_mut().truncate(first);
            self.shutdown.give_up(before - self.items.lender().in_progress());
        }
    }

    /// The number of items read and not yet output.
    pub(in crate::master) fn unfinished(&self) -> usize {
        self.items.lender().in_progress() + self.shutdown.being_written()
    }

    /// How the run ends if nobody takes its output.
    pub(in crate::master) fn unread(&self) -> Ending {
        self.shutdown.unread(self.unfinished())
    }

    /// Whether the items read so far can be finished by the connected devices.
    pub(in crate::master) fn gets_on(&self, now: Instant) -> bool {
        let (lender, registry) = (self.items.lender(), &self.registry);
        match &self.trust {
            Some(trust) => trust.gets_on(lender, registry, now),
            None => shutdown::gets_on(lender, registry, now),
        }
    }

    fn ending(&self, error: Option<InputError>) -> Ending {
        self.shutdown.ending(&self.retries, error)
    }

    /// See [`Shutdown::goodbye`].
    pub(crate) fn goodbye(&self) -> Option<(&'static str, &'static str)> {
        self.shutdown.goodbye(&self.items, &self.retries)
    }
}
