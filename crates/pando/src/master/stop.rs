//! The early end of a run: which items are still finished, which are left, and the goodbye to
//! volunteers.

use super::{Core, Ending, Master};
use std::time::{Duration, Instant};
use stream_lender::Index;

/// The items left by a stopped run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// Items which were read and have no output.
    pub items: usize,
    /// How many of these items have a result which nobody took from standard output.
    pub unread: usize,
}

impl Master {
    /// Stops reading the input. Items read so far are finished.
    pub fn interrupt(&self) {
        self.with(|core| {
            // The whole input may have been read already.
            core.notice_end();
            if core.lender.input_is_open() {
                core.interrupted = true;
                core.lender.end_input();
            }
        });
    }

    /// The number of items read and not yet output, and the number of connected devices.
    pub fn unfinished(&self) -> (usize, usize) {
        let core = self.lock();
        let devices = core.seats.values().filter(|seat| !seat.replaced).count();
        (core.lender.in_progress() + core.being_written, devices)
    }

    /// Whether the items read so far can be finished by the connected devices.
    pub fn gets_on(&self, now: Instant) -> bool {
        self.lock().gets_on(self.job.silence_limit(), now)
    }

    /// Drops the first item without a result and all later ones. Earlier results are still output.
    pub fn give_up(&self) {
        self.with(|core| {
            let end = core.first_unsettled();
            let left = core.end() - end;
            if left > 0 {
                core.left += left as usize;
                core.lender.truncate(end);
            }
        });
    }

    /// How the run ends if nobody takes its output.
    pub fn unread(&self) -> Ending {
        let core = self.lock();
        let unread = core.lender.in_progress() + core.being_written;
        Ending::CutShort(Left { items: core.left + unread, unread })
    }
}

impl Core {
    /// The first item without a result, or the index after the last item.
    pub(super) fn first_unsettled(&self) -> Index {
        self.lender.oldest().map_or(self.end(), |(index, _)| index)
    }

    /// The index after the last item which was read and will be output.
    fn end(&self) -> Index {
        self.lender.output() + self.lender.in_progress() as u64
    }

    fn gets_on(&self, silence_limit: Duration, now: Instant) -> bool {
        let Some((_, holder)) = self.lender.oldest() else { return true };
        // While a command of --confirm checks a result, no device holds its value.
        let is_confirmed = holder.is_some_and(|holder| !self.seats.contains_key(&holder));
        let mut devices = self.seats.iter().filter(|(_, seat)| !seat.replaced);
        is_confirmed
            || devices.any(|(sub, seat)| match self.lender.held(*sub) {
                // A suspect device has returned all its values, and will hardly begin others now.
                0 => seat.cores > 0 && !seat.progress.is_suspect(),
                _ => !seat.progress.is_stalled(silence_limit, now),
            })
    }

    /// The goodbye to volunteers: a reason of the protocol, and its words. `None` if the run may
    /// go on later, so that volunteers wait.
    pub(super) fn goodbye(&self) -> Option<(&'static str, &'static str)> {
        let ended_early = "The job has ended early, because of an error on its owner's machine. Thank you for your help!";
        let by_owner = self.interrupted
            || self.left > 0
            || self.lender.input_is_open()
            || self.lender.oldest().is_some();
        match self.failures.ending() {
            Some(Ending::ItemFailed(..)) => Some((
                "stopped",
                "The job has ended early, because an item of it failed. Thank you for your help!",
            )),
            Some(Ending::CannotRun(_) | Ending::OutputFailed(_)) => Some(("stopped", ended_early)),
            _ if self.output_lost || self.input.has_failed() => Some(("stopped", ended_early)),
            _ if by_owner && self.journal.is_some() => None,
            _ if by_owner => {
                Some(("stopped", "The job was stopped by its owner. Thank you for your help!"))
            }
            _ => Some(("done", "The job is done, thank you!")),
        }
    }
}
