//! Whether a device works on its values and is lent others: its health, and what follows from it.

use super::{Device, Health};
use std::time::{Duration, Instant};

impl Device {
    /// The health of the device, as far as it is known.
    pub(crate) fn health(&self) -> Health {
        self.health.health()
    }

    /// Whether people know that the device is stalled.
    pub(crate) fn is_told(&self) -> bool {
        self.health.is_stalled()
    }

    /// Whether the device, which holds `held` loans, has had values for long without a sign of
    /// work.
    pub(crate) fn is_stalled(&self, held: usize, silence_limit: Duration, now: Instant) -> bool {
        (held > 0 || self.loans.has_copies())
            && !self.loans.has_long_call()
            && !self.incoming.is_paused()
            && self.loans.progress().is_stalled(silence_limit, now)
    }

    /// Notes a sign of work: an answer, a long call, or a part of a result.
    pub(crate) fn worked(&mut self, now: Instant) {
        self.loans.worked(now);
        self.health.work();
    }

    /// Whether the device lends cores and works on its values.
    pub(crate) fn is_active(&self) -> bool {
        let is_last = matches!(self.health(), Health::Suspect | Health::Unresponsive);
        !self.replaced && self.cores > 0 && !is_last
    }

    /// Whether items failed by other devices are offered to this device.
    pub(crate) fn takes_part(&self) -> bool {
        self.is_active() && !self.health.is_unfit()
    }

    /// Whether the device was stalled, so that other devices come first.
    pub(crate) fn is_suspect(&self) -> bool {
        self.health.is_suspect()
    }

    /// Whether a suspect device rests now.
    pub(crate) fn rests(&self, now: Instant) -> bool {
        self.health.rests(now)
    }

    /// The length of the last rest of a suspect device, at least `least`.
    pub(in super::super) fn rest(&self, least: Duration) -> Duration {
        self.health.rest(least)
    }

    /// Whether the device stands back.
    pub(crate) fn stands_back(&self) -> bool {
        self.health.is_unfit()
    }

    /// Makes the device stand back: it is lent nothing or one value at a time.
    pub(crate) fn stand_back(&mut self) {
        self.health.stand_back();
    }

    /// Lets the device ask for values again.
    pub(crate) fn stand_in(&mut self) {
        self.health.stand_in();
        self.wake();
    }

    /// Closes the device's channel, because the device keeps values without computing them. This
    /// machine's own cores have no channel to close, and stay as they are.
    pub(crate) fn give_up(&mut self) {
        if !self.is_local() {
            self.health.give_up();
            self.wake();
        }
    }

    /// Takes what to tell people now and then about a stalled device: its idle time and, if known,
    /// how long it has been loading the function.
    pub(crate) fn take_silence_to_tell(
        &mut self,
        now: Instant,
    ) -> Option<(Duration, Option<Duration>)> {
        let silence = self.loans.progress_mut().take_silence_to_tell(now)?;
        self.health.stall();
        Some(silence)
    }

    /// Forgives silence during the last `time`, because this process was stopped and frames of
    /// that time are still unread.
    pub(crate) fn excuse(&mut self, time: Duration, now: Instant) {
        self.incoming.excuse();
        self.loans.excuse(time, now);
    }
}
