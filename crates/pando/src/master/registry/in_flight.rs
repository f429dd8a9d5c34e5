//! How much one device may have in flight: the adaptive limit, and the values and bytes that count
//! against this limit. Pure: time is an argument.

mod limit;
#[cfg(test)]
mod scenarios;

use super::calls::CallTimes;
use crate::{config::BatchSize, protocol::PART};
use limit::AdaptiveLimit;
use std::time::{Duration, Instant};
use stream_lender::Limiter;

/// Bytes of unanswered values that a device may hold beside its first value.
const MOST_BYTES: u64 = 8 << 20;

/// The values in flight on one device, and the limit on them.
#[derive(Debug)]
pub(super) struct InFlight {
    limit: AdaptiveLimit,
    /// The most values, whatever the limit.
    most: usize,
    limiter: Limiter,
}

impl InFlight {
    pub(super) fn new(size: BatchSize, cores: u32, now: Instant) -> Self {
        let limit = AdaptiveLimit::new(size, cores, now);
        let limiter = Limiter::new(limit.limit(), MOST_BYTES);
        Self { limit, most: usize::MAX, limiter }
    }

    /// Sets the most values that the device may hold, whatever its limit.
    pub(super) fn set_most(&mut self, most: Option<usize>) {
        self.most = most.unwrap_or(usize::MAX);
        self.limiter.set_limit(self.limit());
    }

    fn limit(&self) -> usize {
        self.limit.limit().min(self.most)
    }

    /// Sets the number of calls that a core has open at a time.
    pub(super) fn set_calls(&mut self, calls: usize) {
        self.limit.set_calls(calls);
        self.limiter.set_limit(self.limit());
    }

    /// Adapts the limit when the device lends another number of cores.
    pub(super) fn set_cores(&mut self, cores: u32) {
        self.limit.set_cores(cores);
        self.limiter.set_limit(self.limit());
    }

    /// Notes the time of a round trip.
    pub(super) fn round_trip(&mut self, sample: Duration) {
        self.limit.round_trip(sample);
    }

    /// How many values may be sent now. If the limit is large, little room counts as none, so that
    /// each frame is worth its cost.
    pub(super) fn room(&self) -> usize {
        let (limit, room) = (self.limit(), self.limiter.room());
        if room < limit / 4 && limit > 16 { 0 } else { room }
    }

    /// How many bytes of values may be sent now: at least 1, so that one value always fits.
    pub(super) fn room_bytes(&self) -> usize {
        PART.min(MOST_BYTES.saturating_sub(self.limiter.bytes_in_flight()) as usize).max(1)
    }

    /// Counts `count` values of `bytes` bytes in total on the way to the device.
    pub(super) fn add(&mut self, count: usize, bytes: u64) {
        self.limiter.sent(count, bytes);
        self.note_if_full();
    }

    /// Counts `count` values of `bytes` bytes in total which the device no longer has.
    pub(super) fn remove(&mut self, count: usize, bytes: u64) {
        self.limiter.answered(count, bytes);
    }

    /// Notes that the device answered `count` values, of which `results` are the calls with
    /// results. This may change the limit.
    pub(super) fn answered(&mut self, count: usize, results: &CallTimes, now: Instant) {
        self.limit.answered(count, results, now);
        self.limiter.set_limit(self.limit());
        self.note_if_full();
    }

    /// Notes when the limit holds values back, because only such a limit may grow.
    fn note_if_full(&mut self) {
        if self.room() == 0 {
            self.limit.full();
        }
    }

    /// Values in flight.
    #[cfg(test)]
    pub(super) fn in_flight(&self) -> usize {
        self.limiter.in_flight()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_grows_also_when_long_values_never_fill_it_to_the_last() {
        let mut now = Instant::now();
        let mut in_flight = InFlight::new(BatchSize::Auto, 1, now);
        in_flight.round_trip(Duration::from_millis(100));
        for _ in 0..20 {
            let mut held = 0;
            while in_flight.room() > 0 {
                // At most as many values as fit into one frame.
                let frame = in_flight.room().min(6);
                (0..frame).for_each(|_| in_flight.add(1, 10_000));
                held += frame;
            }
            now += Duration::from_millis(100);
            in_flight.remove(held, held as u64 * 10_000);
            in_flight.answered(held, &CallTimes::default(), now);
        }
        assert!(in_flight.limit.limit() > 500, "{}", in_flight.limit.limit());
    }

    #[test]
    fn one_value_is_allowed_whatever_its_size_and_then_bytes_bound() {
        let mut in_flight = InFlight::new(BatchSize::Fixed(4), 1, Instant::now());
        assert_eq!(in_flight.room(), 4);
        in_flight.add(1, 200 << 20);
        assert_eq!(in_flight.room(), 0);
        in_flight.remove(1, 200 << 20);
        assert_eq!(in_flight.room(), 4);
    }
}
