//! Counts of what has been done, and how long it took. Pure: time is an argument.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// Frames' mean times that are kept to tell the usual one.
const SAMPLES: usize = 63;

/// What the rate is measured over.
const RECENT: Duration = Duration::from_secs(10);

/// See the module.
#[derive(Debug)]
pub struct Statistics {
    started: Instant,
    done: u64,
    /// When there was a look, and what was done then: those of the last [`RECENT`], and one before.
    looks: VecDeque<(Instant, u64)>,
    samples: Vec<Duration>,
    next: usize,
}

impl Statistics {
    /// At the start of a run.
    pub fn new(now: Instant) -> Self {
        Self { started: now, done: 0, looks: VecDeque::from([(now, 0)]), samples: Vec::new(), next: 0 }
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

    /// Values done per second lately, between the calls of this.
    pub(crate) fn rate(&mut self, now: Instant) -> f64 {
        self.looks.push_back((now, self.done));
        while self.looks.get(1).is_some_and(|(then, _)| now.saturating_duration_since(*then) >= RECENT) {
            self.looks.pop_front();
        }
        let (then, done) = self.looks[0];
        (self.done - done) as f64 / now.saturating_duration_since(then).as_secs_f64().max(0.001)
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
