//! Spreads the packets of one connection over time. A browser loses packets that arrive faster
//! than it reads them, and each loss halves the rate of the connection for long. Pure: time is an
//! argument.

use crate::outbox::Outbox;
use std::{
    collections::VecDeque,
    net::SocketAddr,
    time::{Duration, Instant},
};

/// The most bytes that leave at once.
const BURST: f64 = 24.0 * 1024.0;

/// The packets that wait to leave; see the module.
#[derive(Debug, Default)]
pub(crate) struct Pacer {
    packets: VecDeque<PacedPacket>,
    /// When all packets that have left will have passed, at the pace.
    passed: Option<Instant>,
    /// When the next packet may leave.
    next: Option<Instant>,
}

#[derive(Debug)]
struct PacedPacket {
    source: SocketAddr,
    destination: SocketAddr,
    bytes: Vec<u8>,
}

impl Pacer {
    /// Adds a packet after all others.
    pub(crate) fn push(&mut self, source: SocketAddr, destination: SocketAddr, bytes: Vec<u8>) {
        self.packets.push_back(PacedPacket { source, destination, bytes });
    }

    /// Moves the packets that may leave now to `outbox`. `pace` is the number of bytes per second;
    /// without one, all packets leave.
    pub(crate) fn release(&mut self, pace: Option<f64>, now: Instant, outbox: &mut Outbox) {
        self.next = None;
        let takes = |bytes: f64| {
            pace.map_or(Duration::ZERO, |pace| Duration::from_secs_f64(bytes / pace.max(BURST)))
        };
        while let Some(packet) = self.packets.front() {
            let passed = self.passed.map_or(now, |passed| passed.max(now));
            if let Some(start) = passed.checked_sub(takes(BURST)).filter(|start| *start > now) {
                self.next = Some(start);
                return;
            }
            self.passed = Some(passed + takes(packet.bytes.len() as f64));
            outbox.push_from(packet.source, packet.destination, &packet.bytes);
            self.packets.pop_front();
        }
    }

    /// When the next packet may leave, if one waits.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKET: usize = 1200;

    fn with_packets(count: usize) -> Pacer {
        let mut pacer = Pacer::default();
        let address = SocketAddr::from(([192, 0, 2, 1], 1));
        (0..count).for_each(|_| pacer.push(address, address, vec![0; PACKET]));
        pacer
    }

    fn released(pacer: &mut Pacer, pace: Option<f64>, now: Instant) -> usize {
        let mut outbox = Outbox::new(64);
        pacer.release(pace, now, &mut outbox);
        outbox.runs().map(|(_, bytes)| bytes.len()).sum()
    }

    #[test]
    fn without_a_pace_all_packets_leave_at_once() {
        let mut pacer = with_packets(1000);
        assert_eq!(released(&mut pacer, None, Instant::now()), 1000 * PACKET);
        assert_eq!(pacer.next(), None);
    }

    #[test]
    fn with_a_pace_a_burst_leaves_at_once_and_the_rest_in_time() {
        let (mut pacer, start) = (with_packets(1000), Instant::now());
        let first = released(&mut pacer, Some(1e6), start);
        assert!((BURST..BURST + PACKET as f64 * 1.5).contains(&(first as f64)), "{first}");
        let (mut sent, mut now) = (first, start);
        while let Some(next) = pacer.next() {
            assert!(next > now);
            now = next;
            sent += released(&mut pacer, Some(1e6), now);
        }
        assert_eq!(sent, 1000 * PACKET);
        let time = (now - start).as_secs_f64();
        assert!((1.1..1.25).contains(&time), "{time}");
    }

    #[test]
    fn time_without_packets_saves_up_no_more_than_a_burst() {
        let (mut pacer, start) = (with_packets(100), Instant::now());
        released(&mut pacer, Some(1e6), start);
        let later = released(&mut pacer, Some(1e6), start + Duration::from_millis(10));
        assert!((9_000..13_000).contains(&later), "{later}");
        let much_later = released(&mut pacer, Some(1e6), start + Duration::from_secs(10));
        assert!((much_later as f64) < BURST + PACKET as f64 * 1.5, "{much_later}");
    }
}
