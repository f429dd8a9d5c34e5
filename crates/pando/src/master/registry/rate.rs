//! How many events per second there were lately. Pure: time is an argument.

use std::time::Instant;

/// The mean age of the events that count, in seconds.
const MEMORY: f64 = 5.0;

/// A rate in which older events count less, and less with each second.
#[derive(Debug, Clone, Copy)]
pub(super) struct RecentRate {
    started: Instant,
    /// The time of the last event.
    at: Instant,
    /// The events, each with its weight at the time `at`.
    level: f64,
}

impl RecentRate {
    /// No event since `now`.
    pub(super) fn new(now: Instant) -> Self {
        Self { started: now, at: now, level: 0.0 }
    }

    /// Counts `count` events.
    pub(super) fn add(&mut self, count: u64, now: Instant) {
        (self.level, self.at) = (self.level_at(now) + count as f64, now.max(self.at));
    }

    /// The rate at `now`.
    pub(super) fn per_second(&self, now: Instant) -> f64 {
        let age = now.saturating_duration_since(self.started).as_secs_f64().max(0.001);
        self.level_at(now) / (MEMORY * (1.0 - (-age / MEMORY).exp()))
    }

    fn level_at(&self, now: Instant) -> f64 {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.level * (-passed / MEMORY).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::RecentRate;
    use std::time::{Duration, Instant};

    #[test]
    fn the_rate_is_right_from_the_start_and_falls_when_nothing_happens() {
        let start = Instant::now();
        let at = |tenths: u64| start + Duration::from_millis(100 * tenths);
        let mut rate = RecentRate::new(start);
        assert_eq!(rate.per_second(start), 0.0);
        for tenths in 1..=600 {
            rate.add(2, at(tenths));
            if [5, 50, 600].contains(&tenths) {
                let per_second = rate.per_second(at(tenths));
                assert!((19.0..24.0).contains(&per_second), "{per_second} after {tenths}");
            }
        }
        assert!(rate.per_second(at(650)) < 8.0 && rate.per_second(at(900)) < 0.1);
        rate.add(1, at(0));
        assert!(rate.per_second(at(0)).is_finite(), "a clock that goes back does no harm");
    }
}
