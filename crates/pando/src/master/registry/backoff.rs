//! The time during which a device is lent nothing while other devices are connected; each rest is
//! twice as long as the one before. Pure: time is an argument.

use std::time::{Duration, Instant};

/// The longest rest.
const LONGEST: Duration = Duration::from_secs(600);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    /// The planned length of the last rest.
    time: Duration,
    until: Option<Instant>,
}

impl Backoff {
    /// Begins a rest of length `time`.
    pub(super) fn of(time: Duration, now: Instant) -> Self {
        Self { time, until: Some(now + time) }
    }

    /// Begins the next rest, unless a rest goes on: of length `silence_limit` at first, then of
    /// twice the last length.
    pub(super) fn begin(&mut self, silence_limit: Duration, now: Instant) {
        if !self.goes_on(now) {
            *self = Self::of((self.time * 2).min(LONGEST).max(silence_limit), now);
        }
    }

    /// Whether a rest goes on.
    pub(super) fn goes_on(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    /// How long the last rest has gone on, or how long it was.
    pub(super) fn age(&self, now: Instant) -> Duration {
        self.until.map_or(Duration::ZERO, |until| {
            self.time.saturating_sub(until.saturating_duration_since(now))
        })
    }

    /// The planned length of the last rest.
    pub(super) fn time(&self) -> Duration {
        self.time
    }
}
