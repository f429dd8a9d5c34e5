//! Counts of what has been done, and how long it took. Pure: time is an argument.

use std::time::{Duration, Instant};

/// Frames' mean times that are kept to tell the usual one.
const SAMPLES: usize = 63;

/// See the module.
#[derive(Debug)]
pub struct Statistics {
    started: Instant,
    done: u64,
    /// Done at the last look, and when that was.
    mark: (u64, Instant),
    rate: f64,
    samples: Vec<Duration>,
    next: usize,
}

impl Statistics {
    /// At the start of a run.
    pub fn new(now: Instant) -> Self {
        Self { started: now, done: 0, mark: (0, now), rate: 0.0, samples: Vec::new(), next: 0 }
    }

    /// `count` values were computed, in `micros` microseconds of computing altogether.
    pub(crate) fn done(&mut self, count: u64, micros: u64) {
        self.done += count;
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

    /// The median time of a call lately, if any has ended.
    pub(crate) fn median(&self) -> Option<Duration> {
        let mut sorted = self.samples.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied()
    }

    /// Values done per second, smoothed over the calls of this.
    pub(crate) fn rate(&mut self, now: Instant) -> f64 {
        let time = now.saturating_duration_since(self.mark.1).as_secs_f64();
        if time > 0.0 {
            let fresh = (self.done - self.mark.0) as f64 / time;
            self.rate = if self.rate == 0.0 { fresh } else { self.rate * 0.7 + fresh * 0.3 };
            self.mark = (self.done, now);
        }
        self.rate
    }

    /// Values done so far.
    pub(crate) fn total(&self) -> u64 {
        self.done
    }

    /// Time since the start.
    pub(crate) fn elapsed(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.started)
    }
}
