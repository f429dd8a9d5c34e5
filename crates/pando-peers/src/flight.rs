//! How many bytes may be in flight to one peer, and how fast packets may follow each other. Pure:
//! time is an argument.
//!
//! Packets that overflow a browser's UDP receive buffer (about 90 packets by default) are lost,
//! which halves the rate. So the limit starts at 64 KiB, which is plenty for a near peer. On a
//! long link, 64 KiB would be in flight most of the time. There the limit is somewhat more than
//! the link carries in a round trip: rate × least round trip, as in BBR. A queue that builds up
//! makes the round trip longer, but not the least one, so the limit does not grow with it. Packets
//! do not leave all at once, but spread over most of a round trip.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// The least limit on bytes in flight.
const LEAST: usize = 64 << 10;
/// The greatest limit on bytes in flight: 5 MB/s over a link of 200 ms.
pub(crate) const MOST: usize = 1 << 20;
/// The number of bytes by which the limit exceeds the capacity of the link, so that an increase of
/// the capacity is noticed. When there is none, these bytes wait at the peer: half its buffer.
const SLACK: usize = 40 << 10;
/// A sample that has delivered less proves nothing about the rate.
const SHORT: u64 = 32 << 10;
/// A sample begins after so many bytes.
const APART: u64 = 8 << 10;
/// The pace of packets as a multiple of the limit per least round trip.
const PACE: f64 = 1.5;
/// The greatest pace to a distant peer, in bytes per second. Chromium reads about 8 MB/s, and what
/// is lost beyond that costs more than it gains.
const FASTEST: f64 = 6e6;
/// Seconds after which the best rate counts half, if all later rates are worse.
const MEMORY: f64 = 3.0;
/// A peer whose least round trip is shorter than this is near.
const NEAR: Duration = Duration::from_millis(20);

/// The measured state of a link; see the module.
#[derive(Debug)]
pub(crate) struct Flight {
    limit: usize,
    /// Bytes written since the start, and bytes acknowledged by the peer.
    written: u64,
    acknowledged: u64,
    /// The open samples, oldest first.
    samples: VecDeque<Sample>,
    least: Option<Duration>,
    /// The best recent rate, in bytes per second, at the time of the last sample.
    rate: f64,
    sampled: Option<Instant>,
}

/// One measured round trip.
#[derive(Debug)]
struct Sample {
    start: Instant,
    /// The sample ends when this many bytes are acknowledged.
    end: u64,
    acknowledged: u64,
}

impl Flight {
    pub(crate) fn new() -> Self {
        Self {
            limit: LEAST,
            written: 0,
            acknowledged: 0,
            samples: VecDeque::new(),
            least: None,
            rate: 0.0,
            sampled: None,
        }
    }

    /// Whether a message may be written while `in_flight` bytes are in flight.
    pub(crate) fn has_room(&self, in_flight: usize) -> bool {
        in_flight < self.limit
    }

    /// The pace of packets to a distant peer, in bytes per second.
    pub(crate) fn pace(&self) -> Option<f64> {
        let least = self.least.filter(|_| !self.is_near())?;
        Some((PACE * self.limit as f64 / least.as_secs_f64()).min(FASTEST))
    }

    /// Whether the least measured round trip is short.
    pub(crate) fn is_near(&self) -> bool {
        self.least.is_some_and(|least| least < NEAR)
    }

    /// Notes that a message of `bytes` bytes was written.
    pub(crate) fn wrote(&mut self, bytes: usize, now: Instant) {
        self.written += bytes as u64;
        if self.samples.back().is_none_or(|last| self.written >= last.end + APART) {
            let (end, acknowledged) = (self.written, self.acknowledged);
            self.samples.push_back(Sample { start: now, end, acknowledged });
        }
    }

    /// Notes that `bytes` bytes are in flight now, and all other written bytes are acknowledged.
    pub(crate) fn set_in_flight(&mut self, bytes: usize, now: Instant) {
        self.acknowledged = self.written.saturating_sub(bytes as u64);
        let acknowledged = self.acknowledged;
        while let Some(sample) = self.samples.pop_front_if(|sample| acknowledged >= sample.end) {
            self.end(&sample, now);
        }
    }

    fn end(&mut self, sample: &Sample, now: Instant) {
        let trip = now.saturating_duration_since(sample.start).max(Duration::from_micros(1));
        let least = self.least.map_or(trip, |least| least.min(trip));
        self.least = Some(least);
        let delivered = self.acknowledged - sample.acknowledged;
        // One slow sample proves little, so the best rate fades slowly.
        if delivered >= SHORT {
            let since = self.sampled.replace(now).unwrap_or(now);
            let age = now.saturating_duration_since(since).as_secs_f64();
            let remembered = self.rate * 0.5f64.powf(age / MEMORY);
            self.rate = remembered.max(delivered as f64 / trip.as_secs_f64());
        }
        let carried = self.rate * least.as_secs_f64();
        self.limit = (carried as usize + SLACK).clamp(LEAST, MOST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIECE: usize = 16 << 10;

    /// Writes for ten seconds as much as allowed, over a link with this delay and rate (bytes per
    /// second); returns the limit.
    fn sent_over(flight: &mut Flight, delay: Duration, rate: f64, start: Instant) -> usize {
        let (mut in_flight, mut arrivals, mut free) = (0, VecDeque::new(), start);
        let mut now = start;
        while now < start + Duration::from_secs(10) {
            while arrivals.pop_front_if(|(due, _)| *due <= now).is_some() {
                in_flight -= PIECE;
            }
            flight.set_in_flight(in_flight, now);
            while flight.has_room(in_flight) {
                flight.wrote(PIECE, now);
                in_flight += PIECE;
                free = free.max(now) + Duration::from_secs_f64(PIECE as f64 / rate);
                arrivals.push_back((free + delay, PIECE));
            }
            now = arrivals.front().map(|(due, _)| *due).expect("something is in flight");
        }
        flight.limit
    }

    #[test]
    fn nearby_the_limit_stays() {
        let limit = sent_over(&mut Flight::new(), Duration::from_micros(300), 20e6, Instant::now());
        assert_eq!(limit, LEAST);
    }

    #[test]
    fn on_a_long_link_it_grows_to_fill_it_and_no_further() {
        let limit = sent_over(&mut Flight::new(), Duration::from_millis(50), 5e6, Instant::now());
        let carried = 5e6 * 0.05;
        assert!((carried..1.2 * carried + SLACK as f64).contains(&(limit as f64)), "{limit}");
    }

    #[test]
    fn there_is_a_greatest_limit() {
        assert_eq!(
            sent_over(&mut Flight::new(), Duration::from_millis(200), 1e9, Instant::now()),
            MOST
        );
    }

    #[test]
    fn when_the_link_gets_slower_it_falls() {
        let (mut flight, start) = (Flight::new(), Instant::now());
        let fast = sent_over(&mut flight, Duration::from_millis(50), 10e6, start);
        flight.set_in_flight(0, start + Duration::from_secs(60));
        let slow =
            sent_over(&mut flight, Duration::from_millis(50), 1e6, start + Duration::from_secs(60));
        assert!(slow < fast / 2, "{fast} {slow}");
    }

    #[test]
    fn a_single_slow_answer_leaves_it_as_it_is() {
        let (mut flight, start) = (Flight::new(), Instant::now());
        flight.wrote(100, start);
        flight.set_in_flight(0, start + Duration::from_millis(200));
        assert_eq!(flight.limit, LEAST);
        assert!(flight.has_room(LEAST - 1));
        assert!(!flight.has_room(LEAST));
        assert!(!flight.is_near());
        flight.wrote(100, start + Duration::from_secs(1));
        flight.set_in_flight(0, start + Duration::from_millis(1001));
        assert!(flight.is_near());
    }

    #[test]
    fn only_packets_to_a_distant_peer_have_a_pace() {
        let (mut flight, start) = (Flight::new(), Instant::now());
        assert_eq!(flight.pace(), None);
        sent_over(&mut flight, Duration::from_millis(50), 2e6, start);
        let pace = flight.pace().expect("the peer is distant");
        assert!((PACE * 2e6..2.0 * PACE * 2e6).contains(&pace), "{pace}");
        sent_over(&mut flight, Duration::from_millis(50), 10e6, start + Duration::from_secs(60));
        assert_eq!(flight.pace(), Some(FASTEST));
        let mut near = Flight::new();
        sent_over(&mut near, Duration::from_millis(1), 5e6, start);
        assert_eq!(near.pace(), None);
    }
}
