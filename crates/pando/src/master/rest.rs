//! The time for which a device is left alone while others are there: twice as long each time. Pure: time is an argument.

use std::time::{Duration, Instant};

/// Longest rest.
const LONGEST: Duration = Duration::from_secs(600);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Rest {
    /// How long the last one was to be.
    time: Duration,
    until: Option<Instant>,
}

impl Rest {
    /// One of so long begins.
    pub(super) fn of(time: Duration, now: Instant) -> Self {
        Self { time, until: Some(now + time) }
    }

    /// The next one begins, unless one goes on: of `patience` at first, of twice the last time after that.
    pub(super) fn begin(&mut self, patience: Duration, now: Instant) {
        if !self.goes_on(now) {
            *self = Self::of((self.time * 2).min(LONGEST).max(patience), now);
        }
    }

    /// Whether the last one has not ended.
    pub(super) fn goes_on(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    /// For how long the last one has gone on, or how long it was.
    pub(super) fn age(&self, now: Instant) -> Duration {
        self.until.map_or(Duration::ZERO, |until| self.time.saturating_sub(until.saturating_duration_since(now)))
    }

    /// How long the last one was to be.
    pub(super) fn time(&self) -> Duration {
        self.time
    }
}
