//! Counts of computed values and times of calls. Pure: time is an argument.

use super::rate::RecentRate;
use std::time::{Duration, Instant};

/// The most samples kept for the median: mean times of calls, one per frame.
const SAMPLES: usize = 63;

/// See the module.
#[derive(Debug)]
pub(crate) struct Statistics {
    started: Instant,
    done: u64,
    /// The time that the computed values took, in microseconds.
    micros: u64,
    /// Values that came back without a result and were lent again.
    lent_again: u64,
    rate: RecentRate,
    samples: Vec<Duration>,
    next: usize,
}

impl Statistics {
    /// Starts the counts at the start of a run.
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            started: now,
            done: 0,
            micros: 0,
            lent_again: 0,
            rate: RecentRate::new(now),
            samples: Vec::new(),
            next: 0,
        }
    }

    /// Notes that `count` values were computed, in `micros` microseconds of computing in total.
    pub(crate) fn done(&mut self, count: u64, micros: u64, now: Instant) {
        self.done += count;
        self.rate.add(count, now);
        self.micros = self.micros.saturating_add(micros);
        if count == 0 {
            return;
        }
        let sample = Duration::from_micros(micros / count);
        if self.samples.len() < SAMPLES {
            self.samples.push(sample);
        } else {
            self.samples[self.next] = sample;
        }
        self.next = (self.next + 1) % SAMPLES;
    }

    /// The recent median time of a call, if any call has ended.
    pub(crate) fn median(&self) -> Option<Duration> {
        let mut sorted = self.samples.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied()
    }

    /// Computed values per second, lately.
    pub(crate) fn per_second(&self, now: Instant) -> f64 {
        self.rate.per_second(now)
    }

    /// Notes that a device left `count` values, which are lent again.
    pub(crate) fn left(&mut self, count: usize) {
        self.lent_again += count as u64;
    }

    /// Values that devices left when they went, and that were lent again.
    pub(crate) fn lent_again(&self) -> u64 {
        self.lent_again
    }

    /// The time that all values computed so far took, summed over the cores.
    pub(crate) fn computing(&self) -> Duration {
        Duration::from_micros(self.micros)
    }

    /// Values computed so far.
    pub(crate) fn total(&self) -> u64 {
        self.done
    }

    /// The time since the start.
    pub(crate) fn elapsed(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.started)
    }
}
