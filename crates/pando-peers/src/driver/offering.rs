//! The part of a volunteer: its offer, and the way through a TURN server.

use super::Driver;
use crate::{
    certificate::SharedCertificate,
    channel::Channel,
    demux::PeerId,
    peer::Peer,
    signals::Say,
    socket::Packet,
    turn::{FromTurn, Turn, TurnServer},
};
use pando_protocol::signalling::VolunteerSignal;
use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Instant,
};
use str0m::Candidate;
use tokio::sync::{mpsc, oneshot};

impl Driver {
    /// Makes an offer, for a connection through the server `turn` if there is one.
    pub(super) fn offer(
        &mut self,
        id: PeerId,
        turn: Option<TurnServer>,
        say: mpsc::Sender<VolunteerSignal>,
        opened: oneshot::Sender<Channel>,
    ) {
        // A connection through a TURN server takes no other way.
        let candidates = if turn.is_some() { Vec::new() } else { self.local_candidates() };
        let now = Instant::now();
        self.turn = turn.map(|server| Turn::new(&server, self.socket.port(), now));
        let waker = self.wake_list.waker(id);
        let certificate = self.certificate.get_or_insert_with(SharedCertificate::fresh);
        if let Some((peer, sdp)) = Peer::offer(&candidates, certificate, waker) {
            let _ = say.try_send(VolunteerSignal::Offer { sdp });
            self.add(id, peer, Say::AsVolunteer(say), opened);
        }
    }

    /// Takes a packet of the TURN server.
    pub(super) fn turned(&mut self, packet: &[u8], now: Instant) {
        let Some(turn) = &mut self.turn else { return };
        if let (FromTurn::Packet { bytes, source }, Some(destination)) =
            (turn.packet(packet, now), turn.relayed())
        {
            self.packet(&Packet { bytes: &bytes, source, destination }, now);
        }
    }

    /// Tells the TURN server an address of the other side.
    pub(super) fn meet(&mut self, candidate: &str) {
        if let Some(turn) = &mut self.turn
            && let Ok(candidate) = Candidate::from_sdp_string(candidate)
        {
            turn.add_peer(candidate.addr(), Instant::now());
        }
    }

    /// Sends packets through the TURN server, and does what is due there.
    pub(super) fn pass_turn(&mut self) {
        let Some(turn) = &mut self.turn else { return };
        let now = Instant::now();
        for (destination, packet) in self.outbox.take_for_turn() {
            turn.send(destination, &packet, now, &mut self.outbox);
        }
        let is_due = turn.next().is_some_and(|next| next <= now);
        if !is_due || !turn.pass(now, &mut self.outbox) {
            return;
        }
        let Some(relayed) = turn.relayed() else { return };
        self.outbox.set_relayed(relayed);
        let local = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), self.socket.port());
        let Ok(candidate) = Candidate::relayed(relayed, local, "udp") else { return };
        for (id, (peer, _)) in &mut self.peers {
            peer.local_candidate(candidate.clone(), now);
            self.touched.push(*id);
        }
        self.drive();
    }
}
