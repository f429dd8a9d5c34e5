//! The health of a device: whether it works, and whether other devices come first. Pure: time is
//! an argument.
//!
//! | from | because | to |
//! |---|---|---|
//! | working | no sign of work on its values for the silence limit; people are told | stalled |
//! | stalled | its values are recalled, or each time returned untouched | suspect |
//! | stalled, suspect | a value is answered, or a call reported | working |
//! | suspect | recalled values stay for the silence limit | unresponsive |
//! | any | a call far beyond `--timeout` is reported, or a result never ends | unresponsive |
//! | any | items fail that others compute, or may compute ([`fitness`](super::fitness)) | unfit |
//! | unfit | the rest is over: one value may be lent, or a share | as before |
//!
//! A stalled device still gets values. A suspect or unfit device is lent nothing during its rest
//! while there are others; each rest is twice as long as the last one. An unresponsive device
//! loses its channel.

use super::backoff::Backoff;
use std::time::{Duration, Instant};

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Health {
    /// The device works, or has nothing to work on.
    Working,
    /// The device answers pings and has values, and shows no sign of work: people know.
    Stalled,
    /// The device was stalled: other devices come first until it works.
    Suspect,
    /// The device stands back: it is unfit, or in doubt while a better device is there.
    Unfit,
    /// The device neither computes nor returns its values: its channel is closed.
    Unresponsive,
}

/// The causes of a device's health. Causes may meet: a device that stands back may also stall.
#[derive(Debug, Default)]
pub(super) struct Causes {
    stalled: bool,
    suspect: bool,
    unfit: bool,
    unresponsive: bool,
    /// The time for which a suspect device is lent nothing while other devices are connected.
    rest: Backoff,
}

impl Causes {
    /// The causes for a device that was unresponsive on an earlier channel and rests for `rest`.
    pub(super) fn of_suspect(rest: Duration, now: Instant) -> Self {
        Self { suspect: true, rest: Backoff::of(rest, now), ..Self::default() }
    }

    /// The worst that is known.
    pub(super) fn health(&self) -> Health {
        match self {
            Self { unresponsive: true, .. } => Health::Unresponsive,
            Self { suspect: true, .. } => Health::Suspect,
            Self { unfit: true, .. } => Health::Unfit,
            Self { stalled: true, .. } => Health::Stalled,
            _ => Health::Working,
        }
    }

    /// The device gives no sign of work, and people are told.
    pub(super) fn stall(&mut self) {
        self.stalled = true;
    }

    /// The device was stalled: it rests, each time for twice as long.
    pub(super) fn suspect(&mut self, silence_limit: Duration, now: Instant) {
        self.suspect = true;
        self.rest.begin(silence_limit, now);
    }

    /// The device gave a sign of work.
    pub(super) fn work(&mut self) {
        (self.stalled, self.suspect, self.rest) = (false, false, Backoff::default());
    }

    /// The device stands back, because it is unfit or in doubt.
    pub(super) fn stand_back(&mut self) {
        self.unfit = true;
    }

    /// The device may be lent values again.
    pub(super) fn stand_in(&mut self) {
        self.unfit = false;
    }

    /// The device loses its channel.
    pub(super) fn give_up(&mut self) {
        self.unresponsive = true;
    }

    /// Whether people know that the device has given no sign of work.
    pub(super) fn is_stalled(&self) -> bool {
        self.stalled
    }

    /// Whether other devices come first.
    pub(super) fn is_suspect(&self) -> bool {
        self.suspect
    }

    /// Whether the device stands back.
    pub(super) fn is_unfit(&self) -> bool {
        self.unfit
    }

    /// Whether a suspect device rests now.
    pub(super) fn rests(&self, now: Instant) -> bool {
        self.suspect && self.rest.goes_on(now)
    }

    /// The length of the last rest, at least `least`.
    pub(super) fn rest(&self, least: Duration) -> Duration {
        self.rest.time().max(least)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SILENCE_LIMIT: Duration = Duration::from_secs(3);

    #[test]
    fn who_is_suspected_again_and_again_rests_for_ever_longer() {
        let mut now = Instant::now();
        let mut causes = Causes::default();
        let mut rests = Vec::new();
        for _ in 0..9 {
            causes.suspect(SILENCE_LIMIT, now);
            // Another recall during a rest does not make the rest longer.
            causes.suspect(SILENCE_LIMIT, now + Duration::from_secs(1));
            let rest = causes.rest(SILENCE_LIMIT);
            assert!(causes.rests(now + rest - Duration::from_secs(1)) && !causes.rests(now + rest));
            rests.push(rest.as_secs());
            now += rest;
        }
        assert_eq!(rests, [3, 6, 12, 24, 48, 96, 192, 384, 600]);
        let mut causes = Causes::of_suspect(causes.rest(SILENCE_LIMIT), now);
        assert!(causes.rests(now + Duration::from_secs(599)));
        assert!(!causes.rests(now + Duration::from_secs(600)));
        causes.work();
        assert!(!causes.rests(now) && causes.health() == Health::Working);
    }

    #[test]
    fn the_worst_is_told_and_work_lifts_only_the_suspicion() {
        let now = Instant::now();
        let mut causes = Causes::default();
        causes.stall();
        assert_eq!(causes.health(), Health::Stalled);
        causes.stand_back();
        assert_eq!(causes.health(), Health::Unfit);
        causes.suspect(SILENCE_LIMIT, now);
        assert_eq!(causes.health(), Health::Suspect);
        causes.work();
        assert_eq!(causes.health(), Health::Unfit);
        causes.stand_in();
        assert_eq!(causes.health(), Health::Working);
        causes.give_up();
        causes.work();
        assert_eq!(causes.health(), Health::Unresponsive);
    }
}
