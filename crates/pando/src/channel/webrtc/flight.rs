//! How many bytes may be under way to one peer. Pure: time is an argument.
//!
//! What a UDP receive buffer cannot hold is lost and costs a second, so there are 64 KiB at first, which is plenty nearby.
//! On a long link they would be on the road most of the time; there the limit becomes a multiple of what the link carries in
//! a round trip: rate × least round trip, as in BBR. A queue that builds up makes the round trip longer, but not the least
//! one, so that it does not make the limit grow. The multiple leaves room for trips that took long for another reason.

use std::time::{Duration, Instant};

/// The least limit, in bytes.
const LEAST: usize = 64 << 10;
/// The greatest: 20 MB/s over a link of 50 ms.
pub(super) const MOST: usize = 1 << 20;

/// How much more than the link carries.
const GAIN: f64 = 3.0;
/// A peer whose least round trip is shorter is near.
const NEAR: Duration = Duration::from_millis(10);

/// See the module.
#[derive(Debug)]
pub(super) struct Flight {
    limit: usize,
    /// Bytes written since the start, and those of them that the peer has acknowledged.
    written: u64,
    acknowledged: u64,
    sample: Option<Sample>,
    least: Option<Duration>,
}

/// One measured round trip.
#[derive(Debug)]
struct Sample {
    start: Instant,
    /// It ends when so many bytes are acknowledged.
    end: u64,
    acknowledged: u64,
}

impl Flight {
    pub(super) fn new() -> Self {
        Self { limit: LEAST, written: 0, acknowledged: 0, sample: None, least: None }
    }

    /// Whether a message may be written, now that so many bytes are under way.
    pub(super) fn has_room(&self, under_way: usize) -> bool {
        under_way < self.limit
    }

    /// Whether a round trip is known to take next to no time.
    pub(super) fn is_near(&self) -> bool {
        self.least.is_some_and(|least| least < NEAR)
    }

    /// A message of so many bytes was written.
    pub(super) fn wrote(&mut self, bytes: usize, now: Instant) {
        self.written += bytes as u64;
        self.sample.get_or_insert(Sample { start: now, end: self.written, acknowledged: self.acknowledged });
    }

    /// So many bytes are under way now; the others have been acknowledged.
    pub(super) fn under_way(&mut self, bytes: usize, now: Instant) {
        self.acknowledged = self.written.saturating_sub(bytes as u64);
        let Some(sample) = self.sample.take_if(|sample| self.acknowledged >= sample.end) else { return };
        let trip = now.saturating_duration_since(sample.start).max(Duration::from_micros(1));
        let least = self.least.map_or(trip, |least| least.min(trip));
        self.least = Some(least);
        let rate = (self.acknowledged - sample.acknowledged) as f64 / trip.as_secs_f64();
        let wanted = (GAIN * rate * least.as_secs_f64()) as usize;
        // A slow moment says little: the limit falls slowly.
        self.limit = wanted.max(self.limit - self.limit / 64).clamp(LEAST, MOST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    const PIECE: usize = 16 << 10;

    /// Writes for ten seconds as much as it may over a link with this delay and rate (bytes per second); gives the limit.
    fn sent_over(flight: &mut Flight, delay: Duration, rate: f64, start: Instant) -> usize {
        let (mut under_way, mut arrivals, mut free) = (0, VecDeque::new(), start);
        let mut now = start;
        while now < start + Duration::from_secs(10) {
            while arrivals.pop_front_if(|(due, _)| *due <= now).is_some() {
                under_way -= PIECE;
            }
            flight.under_way(under_way, now);
            while flight.has_room(under_way) {
                flight.wrote(PIECE, now);
                under_way += PIECE;
                free = free.max(now) + Duration::from_secs_f64(PIECE as f64 / rate);
                arrivals.push_back((free + delay, PIECE));
            }
            now = arrivals.front().map_or(now, |(due, _)| *due);
        }
        flight.limit
    }

    #[test]
    fn nearby_the_limit_stays() {
        let limit = sent_over(&mut Flight::new(), Duration::from_micros(300), 20e6, Instant::now());
        assert!(limit <= 3 * LEAST, "{limit}");
    }

    #[test]
    fn on_a_long_link_it_grows_to_fill_it_and_no_further() {
        let limit = sent_over(&mut Flight::new(), Duration::from_millis(50), 5e6, Instant::now());
        let carried = 5e6 * 0.05;
        assert!((1.2 * carried..3.6 * carried).contains(&(limit as f64)), "{limit}");
    }

    #[test]
    fn there_is_a_greatest_limit() {
        assert_eq!(sent_over(&mut Flight::new(), Duration::from_millis(200), 1e9, Instant::now()), MOST);
    }

    #[test]
    fn when_the_link_gets_slower_it_falls() {
        let (mut flight, start) = (Flight::new(), Instant::now());
        let fast = sent_over(&mut flight, Duration::from_millis(50), 10e6, start);
        flight.under_way(0, start + Duration::from_secs(60));
        let slow = sent_over(&mut flight, Duration::from_millis(50), 1e6, start + Duration::from_secs(60));
        assert!(slow < fast / 2, "{fast} {slow}");
    }

    #[test]
    fn a_single_slow_answer_leaves_it_as_it_is() {
        let (mut flight, start) = (Flight::new(), Instant::now());
        flight.wrote(100, start);
        flight.under_way(0, start + Duration::from_millis(200));
        assert_eq!(flight.limit, LEAST);
        assert!(flight.has_room(LEAST - 1) && !flight.has_room(LEAST) && !flight.is_near());
        flight.wrote(100, start + Duration::from_secs(1));
        flight.under_way(0, start + Duration::from_millis(1001));
        assert!(flight.is_near());
    }
}
