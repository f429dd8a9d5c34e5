//! When a run will end, from what its cores have done lately. Pure: time is an argument.
//!
//! The rate is the number of items settled per second and core, over the last ten seconds, or over
//! the last twenty items if these took longer. Multiplied by the cores that compute now, it holds
//! up when devices come and go. Items that take much longer than usual make the end unknown.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// The least time over which the rate is measured.
const RECENT: Duration = Duration::from_secs(10);
/// The least number of items over which the rate is measured, if there are so many.
const ITEMS: u64 = 20;
/// The most marks kept.
const MARKS: usize = 256;
/// A call that takes so many times the usual is of unknown length.
const UNUSUAL: u32 = 3;

/// See the module.
#[derive(Debug)]
pub(crate) struct Forecast {
    marks: VecDeque<Observation>,
    /// The cores that compute since the last observation.
    cores: u64,
}

/// What had been done at a time.
#[derive(Debug, Clone, Copy)]
struct Observation {
    at: Instant,
    /// The number of items settled.
    settled: u64,
    /// The time for which cores were there, summed over the cores.
    core_time: Duration,
}

/// The state of a run, as far as it concerns the end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Remaining {
    /// The number of items without a result; `None` if nobody knows.
    pub(crate) items: Option<u64>,
    /// The usual time of a call, if any call has ended.
    pub(crate) usual: Option<Duration>,
    /// The age of the oldest call that is known to be open.
    pub(crate) oldest_call: Duration,
}

impl Forecast {
    /// Starts at `now` with nothing done and no core.
    pub(crate) fn new(now: Instant) -> Self {
        let start = Observation { at: now, settled: 0, core_time: Duration::ZERO };
        Self { marks: VecDeque::from([start]), cores: 0 }
    }

    /// Notes that `settled` items are done at `now`, and that `cores` cores compute from now on.
    pub(crate) fn observe(&mut self, settled: u64, cores: u64, now: Instant) {
        let Some(last) = self.marks.back().copied() else { return };
        let passed = now.saturating_duration_since(last.at);
        let core_time = last.core_time + passed * u32::try_from(self.cores).unwrap_or(u32::MAX);
        self.cores = cores;
        self.marks.push_back(Observation { at: now, settled, core_time });
        while self.marks.get(1).is_some_and(|next| {
            now.saturating_duration_since(next.at) >= RECENT
                && settled.saturating_sub(next.settled) >= ITEMS
        }) {
            self.marks.pop_front();
        }
        if self.marks.len() > MARKS {
            self.thin_out();
        }
    }

    /// Forgets every second mark, apart from the first and the last.
    fn thin_out(&mut self) {
        let last = self.marks.len() - 1;
        let mut at = 0;
        self.marks.retain(|_| {
            at += 1;
            at % 2 == 1 || at > last
        });
    }

    /// The time until the end; `None` if it cannot be known.
    pub(crate) fn time_left(&self, remaining: Remaining) -> Option<Duration> {
        let items = remaining.items?;
        let (first, last) = (self.marks.front()?, self.marks.back()?);
        let done = last.settled.saturating_sub(first.settled);
        let core_seconds = (last.core_time - first.core_time).as_secs_f64();
        if done == 0 || self.cores == 0 || core_seconds == 0.0 {
            return None;
        }
        let usual = remaining.usual.unwrap_or_default();
        if items <= self.cores && remaining.oldest_call > (usual * UNUSUAL).max(RECENT) {
            return None;
        }
        let by_rate = items as f64 * core_seconds / done as f64 / self.cores as f64;
        // The last items take at least one call.
        let at_least = usual.saturating_sub(remaining.oldest_call);
        Duration::try_from_secs_f64(by_rate).ok().map(|time| time.max(at_least))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn remaining(items: u64) -> Remaining {
        Remaining { items: Some(items), usual: None, oldest_call: Duration::ZERO }
    }

    /// Observes every half second; `settled` and `cores` are given by the second.
    fn observed(
        seconds: std::ops::Range<u64>,
        settled: impl Fn(u64) -> u64,
        cores: impl Fn(u64) -> u64,
    ) -> Forecast {
        let start = Instant::now();
        let mut forecast = Forecast::new(start);
        for half in seconds.start * 2..seconds.end * 2 {
            let now = start + SECOND / 2 * half as u32;
            forecast.observe(settled(half / 2), cores(half / 2), now);
        }
        forecast
    }

    #[test]
    fn the_end_follows_the_rate_of_the_last_ten_seconds() {
        let steady = observed(0..60, |second| second * 10, |_| 2);
        let left = steady.time_left(remaining(100)).unwrap().as_secs_f64();
        assert!((9.0..11.0).contains(&left), "{left}");
        let faster = observed(0..60, |second| second + 99 * second.saturating_sub(40), |_| 2);
        let left = faster.time_left(remaining(1000)).unwrap().as_secs_f64();
        assert!((9.0..11.0).contains(&left), "{left}");
    }

    #[test]
    fn slow_items_are_counted_over_a_longer_time() {
        let slow = observed(0..600, |second| second / 15, |_| 4);
        let left = slow.time_left(remaining(10)).unwrap().as_secs_f64();
        assert!((135.0..165.0).contains(&left), "{left}");
    }

    #[test]
    fn cores_that_leave_or_come_change_the_end_at_once() {
        let cores = |second| if second < 59 { 4 } else { 1 };
        let alone = observed(0..60, |second| second * 4, cores);
        let left = alone.time_left(remaining(100)).unwrap().as_secs_f64();
        assert!((80.0..120.0).contains(&left), "{left}");
        assert_eq!(observed(0..60, |second| second, |_| 0).time_left(remaining(1)), None);
    }

    #[test]
    fn nothing_is_foretold_of_what_is_not_known() {
        let forecast = observed(0..60, |second| second, |_| 1);
        assert_eq!(forecast.time_left(Remaining { items: None, ..remaining(0) }), None);
        assert_eq!(Forecast::new(Instant::now()).time_left(remaining(5)), None);
        let unusual = Remaining { usual: Some(SECOND), oldest_call: SECOND * 60, ..remaining(1) };
        assert_eq!(forecast.time_left(unusual), None, "the last call is unusually long");
        let usual =
            Remaining { usual: Some(SECOND * 50), oldest_call: SECOND * 20, ..remaining(1) };
        assert_eq!(forecast.time_left(usual), Some(SECOND * 30));
    }

    #[test]
    fn a_count_that_falls_again_does_no_harm() {
        let again = observed(0..60, |second| 100 - second, |_| 1);
        assert!(again.time_left(remaining(50)).is_some());
    }

    #[test]
    fn the_observations_of_a_slow_run_are_few() {
        let forecast = observed(0..36_000, |second| second / 3000, |_| 1);
        assert!(forecast.marks.len() <= MARKS, "{}", forecast.marks.len());
        let left = forecast.time_left(remaining(1)).unwrap().as_secs_f64();
        assert!((2500.0..3500.0).contains(&left), "{left}");
    }
}
