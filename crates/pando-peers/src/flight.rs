//! How many bytes may be in flight to one peer, and how fast they may follow each other. Pure:
//! time is an argument.
//!
//! Packets that overflow a browser's UDP receive buffer (about 90 packets by default) are lost,
//! which halves the rate. So the limit starts at 64 KiB, which is plenty for a near peer. On a
//! long link, 64 KiB would be in flight most of the time. There the limit is somewhat more than
//! the link carries in a round trip: rate × least round trip, as in BBR. A queue that builds up
//! makes the round trip longer, but not the least one, so the limit does not grow with it. Within
//! the limit, bytes leave at one and a half times the rate, not all at once.

use std::time::{Duration, Instant};

/// The least limit on bytes in flight.
const LEAST: usize = 64 << 10;
/// The greatest limit on bytes in flight: 20 MB/s over a link of 50 ms.
pub(crate) const MOST: usize = 1 << 20;
/// The factor and the number of bytes by which the limit exceeds the capacity of the link, so that
/// an increase of the capacity is noticed.
const GAIN: f64 = 1.25;
const SLACK: f64 = 32.0 * 1024.0;
/// The pace of writing as a multiple of the rate, and the most bytes written at once.
const PACE: f64 = 1.5;
const BURST: f64 = 32.0 * 1024.0;
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
    sample: Option<Sample>,
    least: Option<Duration>,
    /// The best recent rate, in bytes per second.
    rate: f64,
    /// When all written bytes will have left, at the pace.
    left: Option<Instant>,
}

/// One measured round trip.
#[derive(Debug)]
struct Sample {
    start: Instant,
    /// The sample ends when this many bytes are acknowledged.
    end: u64,
    acknowledged: u64,
}

/// Whether a message may be written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum SendPermission {
    /// The message may be written now.
    Now,
    /// The message may be written at this time, or earlier if the state changes.
    At(Instant),
    /// The message may be written after an acknowledgement.
    Later,
}

impl Flight {
    pub(crate) fn new() -> Self {
        Self {
            limit: LEAST,
            written: 0,
            acknowledged: 0,
            sample: None,
            least: None,
            rate: 0.0,
            left: None,
        }
    }

    /// Whether a message may be written while `set_in_flight` bytes are in flight.
    pub(crate) fn room(&self, set_in_flight: usize, now: Instant) -> SendPermission {
        if set_in_flight >= self.limit {
            return SendPermission::Later;
        }
        let burst = Duration::from_secs_f64(BURST / (PACE * self.rate).max(BURST));
        match self.left.and_then(|left| left.checked_sub(burst)).filter(|start| *start > now) {
            Some(start) => SendPermission::At(start),
            None => SendPermission::Now,
        }
    }

    /// Whether the least measured round trip is short.
    pub(crate) fn is_near(&self) -> bool {
        self.least.is_some_and(|least| least < NEAR)
    }

    /// Notes that a message of `bytes` bytes was written.
    pub(crate) fn wrote(&mut self, bytes: usize, now: Instant) {
        self.written += bytes as u64;
        self.sample.get_or_insert(Sample {
            start: now,
            end: self.written,
            acknowledged: self.acknowledged,
        });
        let is_paced = self.rate > 0.0 && !self.is_near();
        let takes = || Duration::from_secs_f64(bytes as f64 / (PACE * self.rate).max(BURST));
        self.left = is_paced.then(|| self.left.map_or(now, |left| left.max(now)) + takes());
    }

    /// Notes that `bytes` bytes are in flight now, and all other written bytes are acknowledged.
    pub(crate) fn set_in_flight(&mut self, bytes: usize, now: Instant) {
        self.acknowledged = self.written.saturating_sub(bytes as u64);
        let Some(sample) = self.sample.take_if(|sample| self.acknowledged >= sample.end) else {
            return;
        };
        let trip = now.saturating_duration_since(sample.start).max(Duration::from_micros(1));
        let least = self.least.map_or(trip, |least| least.min(trip));
        self.least = Some(least);
        let delivered = self.acknowledged - sample.acknowledged;
        // One slow sample proves little, so the best rate fades slowly. A short message proves
        // nothing.
        if delivered >= SLACK as u64 {
            let remembered = self.rate * 0.5f64.powf(trip.as_secs_f64() / MEMORY);
            self.rate = remembered.max(delivered as f64 / trip.as_secs_f64());
        }
        self.limit = ((SLACK + GAIN * self.rate * least.as_secs_f64()) as usize).clamp(LEAST, MOST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    const PIECE: usize = 16 << 10;

    /// Writes for ten seconds as much as allowed, over a link with this delay and rate (bytes per
    /// second); returns the limit.
    fn sent_over(flight: &mut Flight, delay: Duration, rate: f64, start: Instant) -> usize {
        let (mut set_in_flight, mut arrivals, mut free) = (0, VecDeque::new(), start);
        let mut now = start;
        while now < start + Duration::from_secs(10) {
            while arrivals.pop_front_if(|(due, _)| *due <= now).is_some() {
                set_in_flight -= PIECE;
            }
            flight.set_in_flight(set_in_flight, now);
            let mut next = None;
            while next.is_none() {
                match flight.room(set_in_flight, now) {
                    SendPermission::Now => {
                        flight.wrote(PIECE, now);
                        set_in_flight += PIECE;
                        free = free.max(now) + Duration::from_secs_f64(PIECE as f64 / rate);
                        arrivals.push_back((free + delay, PIECE));
                    }
                    SendPermission::At(start) => next = Some(start),
                    SendPermission::Later => next = Some(now + delay),
                }
            }
            now = arrivals
                .front()
                .map(|(due, _)| *due)
                .into_iter()
                .chain(next)
                .min()
                .expect("something is next");
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
        assert!((carried..1.4 * carried + SLACK).contains(&(limit as f64)), "{limit}");
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
        assert_eq!(flight.room(LEAST - 1, start), SendPermission::Now);
        assert_eq!(flight.room(LEAST, start), SendPermission::Later);
        assert!(!flight.is_near());
        flight.wrote(100, start + Duration::from_secs(1));
        flight.set_in_flight(0, start + Duration::from_millis(1001));
        assert!(flight.is_near());
    }

    #[test]
    fn on_a_long_link_bytes_leave_little_faster_than_they_arrive() {
        let (mut flight, start) = (Flight::new(), Instant::now());
        sent_over(&mut flight, Duration::from_millis(50), 5e6, start);
        let (mut now, mut sent) = (start + Duration::from_millis(10_060), 0);
        flight.set_in_flight(0, now);
        let end = now + Duration::from_millis(100);
        while now < end {
            match flight.room(0, now) {
                SendPermission::Now => {
                    flight.wrote(PIECE, now);
                    sent += PIECE;
                }
                SendPermission::At(next) => now = next,
                SendPermission::Later => unreachable!("nothing is under way"),
            }
        }
        let expected = 0.1 * PACE * 5e6 + BURST;
        assert!(
            (0.8 * expected..1.2 * expected).contains(&(sent as f64)),
            "{sent} instead of {expected}"
        );
    }
}
