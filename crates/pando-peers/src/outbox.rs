//! Outgoing packets, gathered for few system calls: each call sends packets of equal length to one
//! destination. Pure.

use std::{
    net::{IpAddr, SocketAddr},
    ops::Range,
};

/// Most bytes in one call.
const RUN: usize = 60_000;

/// The packets to send; see the module.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    bytes: Vec<u8>,
    runs: Vec<Run>,
    most: usize,
    /// The address at a TURN server from which some packets are to come.
    relayed: Option<SocketAddr>,
    /// The packets from there, each with its destination.
    for_turn: Vec<(SocketAddr, Vec<u8>)>,
}

/// The packets of one call, all of the length `segment`, except a shorter last packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) source: IpAddr,
    pub(crate) destination: SocketAddr,
    pub(crate) segment: usize,
    range: Range<usize>,
}

impl Outbox {
    /// An outbox that puts at most `most` packets into one call.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, ..Self::default() }
    }

    /// Packets from the address `relayed` go through a TURN server from now on.
    pub(crate) fn set_relayed(&mut self, relayed: SocketAddr) {
        self.relayed = Some(relayed);
    }

    /// Takes the packets that go through the TURN server.
    pub(crate) fn take_for_turn(&mut self) -> Vec<(SocketAddr, Vec<u8>)> {
        std::mem::take(&mut self.for_turn)
    }

    /// Adds a packet of a connection.
    pub(crate) fn push_from(&mut self, source: SocketAddr, destination: SocketAddr, packet: &[u8]) {
        if self.relayed == Some(source) {
            self.for_turn.push((destination, packet.to_vec()));
        } else {
            self.push(source.ip(), destination, packet);
        }
    }

    /// Adds a packet.
    pub(crate) fn push(&mut self, source: IpAddr, destination: SocketAddr, packet: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(packet);
        let most = self.most;
        let fits = |run: &&mut Run| {
            let length = run.range.len();
            let is_open = length.is_multiple_of(run.segment)
                && length / run.segment < most
                && length + packet.len() <= RUN;
            is_open
                && packet.len() <= run.segment
                && run.source == source
                && run.destination == destination
        };
        match self.runs.last_mut().filter(fits) {
            Some(run) => run.range.end = self.bytes.len(),
            None => self.runs.push(Run {
                source,
                destination,
                segment: packet.len().max(1),
                range: start..self.bytes.len(),
            }),
        }
    }

    /// The packets to send, in order.
    pub(crate) fn runs(&self) -> impl Iterator<Item = (&Run, &[u8])> {
        self.runs.iter().map(|run| (run, &self.bytes[run.range.clone()]))
    }

    /// Forgets all packets, which have been sent.
    pub(crate) fn clear(&mut self) {
        self.runs.clear();
        self.bytes.clear();
        self.bytes.shrink_to(1 << 20);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(packets: &[(u16, usize)]) -> Vec<(u16, usize, usize)> {
        let mut outbox = Outbox::new(4);
        for (port, length) in packets {
            outbox.push(
                [127, 0, 0, 1].into(),
                ([192, 0, 2, 1], *port).into(),
                &vec![*length as u8; *length],
            );
        }
        outbox
            .runs()
            .map(|(run, bytes)| (run.destination.port(), run.segment, bytes.len()))
            .collect()
    }

    #[test]
    fn equal_packets_to_one_destination_go_together_and_a_shorter_one_ends_them() {
        assert_eq!(runs(&[(1, 100), (1, 100), (1, 40), (1, 40)]), [(1, 100, 240), (1, 40, 40)]);
        assert_eq!(
            runs(&[(1, 100), (2, 100), (1, 100)]),
            [(1, 100, 100), (2, 100, 100), (1, 100, 100)]
        );
        assert_eq!(runs(&[(1, 100), (1, 101)]), [(1, 100, 100), (1, 101, 101)]);
    }

    #[test]
    fn a_call_has_a_limited_number_of_packets_and_bytes() {
        assert_eq!(runs(&[(1, 9); 6]), [(1, 9, 36), (1, 9, 18)]);
        assert_eq!(runs(&[(1, 30_000); 3]), [(1, 30_000, 60_000), (1, 30_000, 30_000)]);
    }
}
