//! A run that is to stop before its input ends: what is finished all the same, what is left, and what volunteers are told.

use super::{Core, Ending, Master};
use std::time::{Duration, Instant};
use stream_lender::Index;

/// What a run leaves that was asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// Values that were read and have no output.
    pub items: usize,
    /// How many of these have a result that nobody took from standard output.
    pub unread: usize,
}

impl Master {
    /// Stops reading; what has been read is finished.
    pub fn interrupt(&self) {
        self.with(|core| {
            // All of it may have been read.
            core.notice_end();
            if core.lender.input_is_open() {
                core.interrupted = true;
                core.lender.end_input();
            }
        });
    }

    /// Values that were read and are not yet output, and the devices that are there.
    pub fn unfinished(&self) -> (usize, usize) {
        let core = self.lock();
        let devices = core.seats.values().filter(|seat| !seat.replaced).count();
        (core.lender.in_progress() + core.being_written, devices)
    }

    /// Whether what has been read gets on without anybody else's coming: nothing is left to compute, or somebody is there who computes.
    pub fn gets_on(&self, now: Instant) -> bool {
        self.lock().gets_on(self.job.patience(), now)
    }

    /// Leaves the first value that has no result, and all that come after it. What is finished before it is still output.
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
    /// The first value that has no result; what follows the last, if all have one.
    pub(super) fn first_unsettled(&self) -> Index {
        self.lender.oldest().map_or(self.end(), |(index, _)| index)
    }

    /// What follows the last value that is to be output, of those that were read.
    fn end(&self) -> Index {
        self.lender.output() + self.lender.in_progress() as u64
    }

    fn gets_on(&self, patience: Duration, now: Instant) -> bool {
        let Some((_, holder)) = self.lender.oldest() else { return true };
        // A command of --confirm has its result: no device holds it then.
        let is_confirmed = holder.is_some_and(|holder| !self.seats.contains_key(&holder));
        let mut devices = self.seats.iter().filter(|(_, seat)| !seat.replaced);
        is_confirmed
            || devices.any(|(sub, seat)| match self.lender.held(*sub) {
                // One that gave all back without having begun it does not begin it now.
                0 => seat.cores > 0 && !seat.progress.is_suspect(),
                _ => !seat.progress.is_stalled(patience, now),
            })
    }

    /// What a volunteer is told of the end: a reason of the protocol, and why in words. Nothing, if the run may go on later: then it waits
    /// for that.
    pub(super) fn goodbye(&self) -> Option<(&'static str, &'static str)> {
        let ended_early = "The job has ended early, because of an error on its owner's machine. Thank you for your help!";
        let by_owner = self.interrupted || self.left > 0 || self.lender.input_is_open() || self.lender.oldest().is_some();
        match self.failures.ending() {
            Some(Ending::ItemFailed(..)) => {
                Some(("stopped", "The job has ended early, because an item of it failed. Thank you for your help!"))
            }
            Some(Ending::CannotRun(_) | Ending::OutputFailed(_)) => Some(("stopped", ended_early)),
            _ if self.output_lost || self.input.has_failed() => Some(("stopped", ended_early)),
            _ if by_owner && self.journal.is_some() => None,
            _ if by_owner => Some(("stopped", "The job was stopped by its owner. Thank you for your help!")),
            _ => Some(("done", "The job is done, thank you!")),
        }
    }
}
