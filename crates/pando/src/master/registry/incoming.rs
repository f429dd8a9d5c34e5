//! What arrives over the channel of a device: results in parts, while the channel is read.

use std::{
    mem,
    time::{Duration, Instant},
};

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    /// Bytes of the result whose other parts are still to come.
    parts: u64,
    /// The last time when `parts` grew enough, and the value of `parts` then.
    flow: Option<(Instant, u64)>,
    /// The channel is not read for a while.
    paused: bool,
}

impl Incoming {
    /// Bytes of the result whose other parts are still to come.
    pub(crate) fn parts(&self) -> u64 {
        self.parts
    }

    /// Notes that `bytes` bytes of an incomplete result have arrived. Returns how many there were
    /// before.
    pub(crate) fn set_parts(&mut self, bytes: u64) -> u64 {
        if bytes == 0 {
            self.flow = None;
        }
        mem::replace(&mut self.parts, bytes)
    }

    /// Checks whether the parts flow: whether at least `least` bytes came in each `time`. A
    /// channel that is not read has no fault.
    pub(crate) fn check_flow(&mut self, least: u64, time: Duration, now: Instant) -> bool {
        match self.flow {
            Some((since, parts))
                if !self.paused && self.parts >= parts && self.parts < parts + least =>
            {
                now.saturating_duration_since(since) < time
            }
            _ => {
                self.flow = Some((now, self.parts));
                true
            }
        }
    }

    /// Starts the check of the flow anew, because this process was stopped.
    pub(super) fn excuse(&mut self) {
        self.flow = None;
    }

    /// Whether the channel is not read at present.
    pub(crate) fn is_paused(&self) -> bool {
        self.paused
    }

    pub(crate) fn set_paused(&mut self, paused: bool) {
        self.paused = paused;
    }
}
