//! How much one device may have in flight: the adaptive limit, and the values and bytes that count
//! against this limit. Pure: time is an argument.

use super::limit::AdaptiveLimit;
use crate::{config::BatchSize, protocol::PART};
use std::time::{Duration, Instant};
use stream_lender::Limiter;

/// Bytes of unanswered values that a device may hold beside its first value.
const MOST_BYTES: u64 = 8 << 20;

/// The values in flight on one device, and the limit on them.
#[derive(Debug)]
pub(super) struct SendWindow {
    limit: AdaptiveLimit,
    in_flight: Limiter,
}

impl SendWindow {
    pub(super) fn new(size: BatchSize, cores: u32, now: Instant) -> Self {
        let limit = AdaptiveLimit::new(size, cores, now);
        let in_flight = Limiter::new(limit.limit(), MOST_BYTES);
        Self { limit, in_flight }
    }

    /// Adapts the limit when the device lends another number of cores.
    pub(super) fn set_cores(&mut self, cores: u32) {
        self.limit.set_cores(cores);
        self.in_flight.set_limit(self.limit.limit());
    }

    /// Notes the time of a round trip.
    pub(super) fn round_trip(&mut self, sample: Duration) {
        self.limit.round_trip(sample);
    }

    /// How many values may be sent now. If the limit is large, little room counts as none, so that
    /// each frame is worth its cost.
    pub(super) fn room(&self) -> usize {
        let (limit, room) = (self.limit.limit(), self.in_flight.room());
        if room < limit / 4 && limit > 16 { 0 } else { room }
    }

    /// How many bytes of values may be sent now: at least 1, so that one value always fits.
    pub(super) fn room_bytes(&self) -> usize {
        PART.min(MOST_BYTES.saturating_sub(self.in_flight.bytes_in_flight()) as usize).max(1)
    }

    /// Counts a value of `bytes` bytes on the way to the device.
    pub(super) fn add(&mut self, bytes: u64) {
        self.in_flight.sent(bytes);
        self.note_if_full();
    }

    /// Counts a value of `bytes` bytes which the device no longer has.
    pub(super) fn remove(&mut self, bytes: u64) {
        self.in_flight.answered(bytes);
    }

    /// Notes that the device answered `count` values, which may change the limit.
    pub(super) fn answered(&mut self, count: usize, now: Instant) {
        self.limit.answered(count, now);
        self.in_flight.set_limit(self.limit.limit());
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
        self.in_flight.in_flight()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_grows_also_when_long_values_never_fill_it_to_the_last() {
        let mut now = Instant::now();
        let mut window = SendWindow::new(BatchSize::Auto, 1, now);
        window.round_trip(Duration::from_millis(100));
        for _ in 0..20 {
            let mut held = 0;
            while window.room() > 0 {
                // At most as many values as fit into one frame.
                let frame = window.room().min(6);
                (0..frame).for_each(|_| window.add(10_000));
                held += frame;
            }
            now += Duration::from_millis(100);
            (0..held).for_each(|_| window.remove(10_000));
            window.answered(held, now);
        }
        assert!(window.limit.limit() > 500, "{}", window.limit.limit());
    }

    #[test]
    fn one_value_is_allowed_whatever_its_size_and_then_bytes_bound() {
        let mut window = SendWindow::new(BatchSize::Fixed(4), 1, Instant::now());
        assert_eq!(window.room(), 4);
        window.add(200 << 20);
        assert_eq!(window.room(), 0);
        window.remove(200 << 20);
        assert_eq!(window.room(), 4);
    }
}
