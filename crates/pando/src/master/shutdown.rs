//! The end of a run: how it ends, and what volunteers are told.

use super::{
    items::{Ending, InputError, Items, Left, Lender},
    policy::Retries,
    registry::Registry,
};
use std::{mem, time::Instant};

/// How far the run has come to its end.
#[derive(Default)]
pub(super) struct Shutdown {
    /// The first signal has arrived: no more input is read.
    interrupted: bool,
    /// Values read but never output, because the run was told to stop.
    left: usize,
    /// Results taken by the writer of the output and not yet written.
    being_written: usize,
    /// The output cannot be written. Volunteers are told that this error ended the run.
    output_lost: bool,
    /// The writer of the output waits for a result.
    output_waits: bool,
    /// The run is over, and every volunteer is told so.
    finished: bool,
}

impl Shutdown {
    /// The first signal has arrived.
    pub(super) fn interrupt(&mut self) {
        self.interrupted = true;
    }

    pub(super) fn is_interrupted(&self) -> bool {
        self.interrupted
    }

    /// Gives up `count` values more.
    pub(super) fn give_up(&mut self, count: usize) {
        self.left += count;
    }

    /// Values that were given up.
    #[cfg(test)]
    pub(super) fn left(&self) -> usize {
        self.left
    }

    /// Whether the run ends early: no more input is read, or values were given up.
    pub(super) fn is_ending(&self) -> bool {
        self.interrupted || self.left > 0
    }

    /// The writer of the output writes `count` results now.
    pub(super) fn writes(&mut self, count: usize) {
        self.being_written = count;
    }

    /// Results taken by the writer of the output and not yet written.
    pub(super) fn being_written(&self) -> usize {
        self.being_written
    }

    /// The output ends early; `lost`: because of an error.
    pub(super) fn lose_output(&mut self, lost: bool) {
        self.output_lost |= lost;
    }

    /// The writer of the output waits for a result.
    pub(super) fn wait(&mut self) {
        self.output_waits = true;
    }

    /// Ends the wait of the writer, and returns whether the writer waited.
    pub(super) fn end_wait(&mut self) -> bool {
        mem::take(&mut self.output_waits)
    }

    /// The run is over.
    pub(super) fn finish(&mut self) {
        self.finished = true;
    }

    pub(super) fn is_finished(&self) -> bool {
        self.finished
    }

    /// How the run ends if nobody takes the results of its `unfinished` items.
    pub(super) fn unread(&self, unfinished: usize) -> Ending {
        Ending::CutShort(Left { items: self.left + unfinished, unread: unfinished })
    }

    /// How the run ended after all output; `error` comes from the input.
    pub(super) fn ending(&self, retries: &Retries, error: Option<InputError>) -> Ending {
        let input = match error {
            Some(error) => Ending::InputFailed(error),
            None if self.left > 0 => Ending::CutShort(Left { items: self.left, unread: 0 }),
            None if self.interrupted => Ending::Interrupted,
            None => Ending::Complete,
        };
        match retries.ending() {
            // Failed items have been told already. An input that failed, or items that are left,
            // must be told now.
            Some(Ending::SomeFailed(_)) if matches!(input, Ending::InputFailed(_)) => input,
            Some(Ending::SomeFailed(_) | Ending::ItemFailed(..))
                if matches!(input, Ending::CutShort(_)) =>
            {
                input
            }
            ending => ending.unwrap_or(input),
        }
    }

    /// The goodbye to volunteers: a reason of the protocol, and its words. `None` if the run may
    /// go on later, so that volunteers wait.
    pub(super) fn goodbye(
        &self,
        items: &Items,
        retries: &Retries,
    ) -> Option<(&'static str, &'static str)> {
        let ended_early = "The job has ended early, because of an error on its owner's machine. Thank you for your help!";
        let by_owner = self.interrupted
            || self.left > 0
            || items.lender().input_is_open()
            || items.lender().oldest().is_some();
        match retries.ending() {
            Some(Ending::ItemFailed(..)) => Some((
                "stopped",
                "The job has ended early, because an item of it failed. Thank you for your help!",
            )),
            Some(Ending::CannotRun(_) | Ending::OutputFailed(_)) => Some(("stopped", ended_early)),
            _ if self.output_lost || items.has_input_failed() => Some(("stopped", ended_early)),
            _ if by_owner && items.journal().is_some() => None,
            // The devices of a gateway wait for the next run.
            _ if items.has_upstream() && !self.interrupted && items.lender().input_is_open() => {
                None
            }
            _ if by_owner => {
                Some(("stopped", "The job was stopped by its owner. Thank you for your help!"))
            }
            _ => Some(("done", "The job is done, thank you!")),
        }
    }
}

/// Whether the items read so far can be finished by the connected devices.
pub(super) fn gets_on(lender: &Lender, registry: &Registry, now: Instant) -> bool {
    let silence_limit = registry.silence_limit();
    let Some((_, holder)) = lender.oldest() else { return true };
    // While a command of --confirm checks a result, no device holds its value.
    let is_confirmed = holder.is_some_and(|holder| registry.get(holder).is_none());
    let mut devices = registry.iter().filter(|(_, device)| !device.is_replaced());
    is_confirmed
        || devices.any(|(sub, device)| match lender.held(sub) {
            // A suspect device has returned all its values, and will hardly begin others now.
            0 => device.cores() > 0 && !device.is_suspect(),
            _ => !device.loans().progress().is_stalled(silence_limit, now),
        })
}
