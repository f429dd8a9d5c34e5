//! How many values a device may hold: as many as it computes in a tenth of a second and two round
//! trips, at least one per call that its cores have open and one more per core, so that a fast or
//! distant device never waits and a slow device holds little.
//!
//! The law is that of BBR (Cardwell et al., 2016): the limit is the rate of delivery times the
//! round trip and a margin. Each measurement takes as long as all values in flight need to come
//! back. At the start the limit grows up to eightfold per measurement, towards the rate that the
//! times of the calls promise, until the rate of delivery no longer grows by a quarter. Later it at
//! most doubles or halves.

use crate::{config::BatchSize, master::registry::CallTimes};
use std::time::{Duration, Instant};

/// How much time's worth of values a device should hold beyond the round trips.
const AHEAD: Duration = Duration::from_millis(100);
/// The most values that any device may hold.
const MOST: f64 = 16_384.0;
/// How much the limit may grow per measurement at the start, and later.
const GROWTH: (usize, usize) = (8, 2);
/// At the start, each measurement finds a rate of delivery larger by this factor.
const STARTING: f64 = 1.25;

/// The limit of one device, which follows its speed. Pure: time is an argument.
#[derive(Debug)]
pub(crate) struct AdaptiveLimit {
    size: BatchSize,
    cores: u32,
    /// Calls that a core has open at a time.
    calls: usize,
    limit: usize,
    round_trip: Duration,
    /// The start of the current measurement, the answers since then, and the calls with results.
    since: Instant,
    answered: usize,
    results: CallTimes,
    /// The rate of delivery of the last measurement, in values per second, while the rate grows.
    growing: Option<f64>,
    /// The limit has held values back during the current measurement.
    was_full: bool,
}

impl AdaptiveLimit {
    pub(crate) fn new(size: BatchSize, cores: u32, now: Instant) -> Self {
        let mut limit = Self {
            size,
            cores: 0,
            calls: 1,
            limit: 0,
            round_trip: Duration::ZERO,
            since: now,
            answered: 0,
            results: CallTimes::default(),
            growing: Some(0.0),
            was_full: false,
        };
        limit.set_cores(cores);
        limit
    }

    /// Sets the number of calls that a core has open at a time.
    pub(crate) fn set_calls(&mut self, calls: usize) {
        self.calls = calls;
        self.limit = self.limit.max(self.least());
    }

    /// Sets the number of lent cores; 0 while the device is paused.
    pub(crate) fn set_cores(&mut self, cores: u32) {
        self.cores = cores;
        self.growing = Some(0.0);
        self.limit = match self.size {
            BatchSize::Fixed(n) => n as usize * cores as usize,
            BatchSize::Auto => self.least(),
        };
    }

    /// Values that the device may hold.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// Notes that the limit was reached.
    pub(crate) fn full(&mut self) {
        self.was_full = true;
    }

    /// Notes the time of a round trip.
    pub(crate) fn round_trip(&mut self, sample: Duration) {
        self.round_trip = if self.round_trip.is_zero() {
            sample
        } else {
            self.round_trip.min(sample * 2).max(sample / 2)
        };
    }

    /// Notes `count` answers, of which `results` are the calls with results, and adapts the limit
    /// once a measurement is complete.
    pub(crate) fn answered(&mut self, count: usize, results: &CallTimes, now: Instant) {
        self.answered += count;
        self.results.add_all(results);
        if self.answered < self.limit.max(1) || self.size != BatchSize::Auto {
            return;
        }
        let time = now.saturating_duration_since(self.since).as_secs_f64().max(1e-6);
        let delivered = self.answered as f64 / time;
        if self.was_full {
            let grows = |last: &f64| delivered > last * STARTING;
            self.growing = self.growing.filter(grows).map(|_| delivered);
        }
        let (rate, growth) = match self.growing {
            Some(_) if self.results.count() > 0 => (self.promised().max(delivered), GROWTH.0),
            _ => (delivered, GROWTH.1),
        };
        let wanted = (rate * (AHEAD + self.round_trip * 2).as_secs_f64()).ceil().min(MOST) as usize;
        let most = if self.was_full { self.limit * growth } else { self.limit };
        self.limit = wanted.clamp(self.limit / 2, most).max(self.least());
        (self.since, self.answered, self.was_full) = (now, 0, false);
        self.results = CallTimes::default();
    }

    /// The values per second that the cores compute when they never wait, after the times of the
    /// calls.
    fn promised(&self) -> f64 {
        let calls = f64::from(self.cores) * self.calls as f64;
        calls * self.results.count() as f64 * 1e6 / self.results.micros().max(1) as f64
    }

    fn least(&self) -> usize {
        match self.size {
            BatchSize::Auto => self.cores as usize * (self.calls + 1),
            BatchSize::Fixed(_) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results(count: usize, micros: u64) -> CallTimes {
        let mut results = CallTimes::default();
        (0..count).for_each(|_| results.add(micros));
        results
    }

    #[test]
    fn a_device_that_fails_everything_gets_hardly_more() {
        let mut now = Instant::now();
        let mut limit = AdaptiveLimit::new(BatchSize::Auto, 1, now);
        limit.full();
        now += Duration::from_millis(1);
        limit.answered(2, &CallTimes::default(), now);
        assert_eq!(limit.limit(), 4);
    }

    #[test]
    fn a_slow_function_keeps_two_values_per_core() {
        let mut now = Instant::now();
        let mut limit = AdaptiveLimit::new(BatchSize::Auto, 2, now);
        for _ in 0..50 {
            limit.full();
            now += Duration::from_millis(500);
            limit.answered(2, &results(2, 500_000), now);
        }
        assert_eq!(limit.limit(), 4);
    }

    #[test]
    fn each_open_call_of_a_slow_function_has_its_value() {
        let mut now = Instant::now();
        let mut limit = AdaptiveLimit::new(BatchSize::Auto, 2, now);
        limit.set_calls(20);
        for _ in 0..50 {
            limit.full();
            now += Duration::from_secs(5);
            limit.answered(42, &results(42, 5_000_000), now);
        }
        assert_eq!(limit.limit(), 42);
        let mut fixed = AdaptiveLimit::new(BatchSize::Fixed(3), 2, now);
        fixed.set_calls(20);
        assert_eq!(fixed.limit(), 6);
    }

    #[test]
    fn a_fast_device_holds_a_tenth_of_a_second_and_a_distant_one_more() {
        for (round_trip, expected) in [(0, 1000), (300, 7000)] {
            let mut now = Instant::now();
            let mut limit = AdaptiveLimit::new(BatchSize::Auto, 1, now);
            limit.round_trip(Duration::from_millis(round_trip));
            for _ in 0..40 {
                limit.full();
                // 10,000 values per second, or one limit's worth per round trip
                let count = limit.limit();
                now += Duration::from_secs_f64(
                    (count as f64 / 10_000.0).max(round_trip as f64 / 1000.0),
                );
                limit.answered(count, &results(count, 100), now);
            }
            assert!(
                limit.limit().abs_diff(expected) < expected / 5,
                "{} for {round_trip} ms",
                limit.limit()
            );
        }
    }

    #[test]
    fn a_paused_device_gets_nothing() {
        let mut limit = AdaptiveLimit::new(BatchSize::Auto, 3, Instant::now());
        limit.set_cores(0);
        assert_eq!(limit.limit(), 0);
    }
}
