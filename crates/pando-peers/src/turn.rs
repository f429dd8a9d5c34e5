//! The way through a TURN server (RFC 8656): an address at the server, whose packets the server
//! passes on. Pure: time is an argument.

use crate::outbox::Outbox;
use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};
use turn_client_proto::{
    api::{TransmitBuild, TurnClientApi, TurnConfig, TurnEvent, TurnPollRet, TurnRecvRet},
    prelude::DelayedTransmitBuild,
    stun::{Instant as Moment, agent::Transmit, auth::Feature},
    types::{TransportType, TurnCredentials},
    udp::TurnClientUdp,
};

/// Most addresses of the other side that the server is told.
const PEERS: usize = 64;
/// How long the end of a client may be slept over.
const LONGEST: Duration = Duration::from_secs(60);

/// A TURN server, which is reached over UDP.
#[derive(Clone)]
pub struct TurnServer {
    /// The address of the server.
    pub address: SocketAddr,
    /// The user name.
    pub username: String,
    /// The password.
    pub credential: String,
}

impl fmt::Debug for TurnServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TurnServer").field("address", &self.address).finish_non_exhaustive()
    }
}

/// A client of a TURN server; see the module.
pub(crate) struct Turn {
    client: TurnClientUdp,
    server: SocketAddr,
    /// This side, as the client knows it.
    local: SocketAddr,
    /// The address at the server, once it is there.
    relayed: Option<SocketAddr>,
    /// The addresses of the other side.
    peers: Vec<SocketAddr>,
    start: Instant,
    next: Option<Instant>,
}

/// What a packet of the server brings.
pub(crate) enum FromTurn {
    /// Something for the client.
    Nothing,
    /// A packet of the other side.
    Packet { bytes: Vec<u8>, source: SocketAddr },
}

impl Turn {
    /// Asks `server` for an address. `port`: the port of this side.
    pub(crate) fn new(server: &TurnServer, port: u16, now: Instant) -> Self {
        let credentials = TurnCredentials::new(&server.username, &server.credential);
        let mut config = TurnConfig::new(credentials);
        // Servers whose users are not known in advance, as those of relays, need the name itself.
        config.set_anonymous_username(Feature::Disabled);
        let local = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port);
        Self {
            client: TurnClientUdp::allocate(local, server.address, config),
            server: server.address,
            local,
            relayed: None,
            peers: Vec::new(),
            start: now,
            next: Some(now),
        }
    }

    /// The address at the server, once it is there.
    pub(crate) fn relayed(&self) -> Option<SocketAddr> {
        self.relayed
    }

    /// Whether a packet from `source` is one of the server.
    pub(crate) fn is_server(&self, source: SocketAddr) -> bool {
        source == self.server
    }

    /// When the client has something to do.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.next
    }

    /// The other side has this address: the server is told to pass its packets on.
    pub(crate) fn add_peer(&mut self, peer: SocketAddr, now: Instant) {
        if peer.is_ipv4() && self.peers.len() < PEERS && !self.peers.contains(&peer) {
            self.peers.push(peer);
            self.permit(peer, now);
        }
    }

    fn permit(&mut self, peer: SocketAddr, now: Instant) {
        // The server refuses some addresses, such as those of its own network.
        let moment = self.moment(now);
        if self.relayed.is_some() {
            let _ = self.client.bind_channel(TransportType::Udp, peer, moment);
        }
        self.next = Some(now);
    }

    /// Takes a packet of the server.
    pub(crate) fn packet(&mut self, bytes: &[u8], now: Instant) -> FromTurn {
        let packet = Transmit::new(bytes, TransportType::Udp, self.server, self.local);
        let moment = self.moment(now);
        self.next = Some(now);
        match self.client.recv(packet, moment) {
            TurnRecvRet::PeerData(data) => {
                FromTurn::Packet { bytes: data.data().to_vec(), source: data.peer }
            }
            _ => FromTurn::Nothing,
        }
    }

    /// Puts a packet for the other side into `outbox`.
    pub(crate) fn send(&mut self, to: SocketAddr, bytes: &[u8], now: Instant, outbox: &mut Outbox) {
        let moment = self.moment(now);
        if let Ok(Some(TransmitBuild { data, to, .. })) =
            self.client.send_to(TransportType::Udp, to, bytes, moment)
        {
            outbox.push(ANY, to, &data.build());
        }
    }

    /// Does what is due, and puts packets for the server into `outbox`. Returns whether the address
    /// at the server is there since now.
    pub(crate) fn pass(&mut self, now: Instant, outbox: &mut Outbox) -> bool {
        let moment = self.moment(now);
        let before = self.relayed;
        loop {
            while let Some(event) = self.client.poll_event() {
                if let TurnEvent::AllocationCreated(TransportType::Udp, relayed) = event {
                    self.relayed = Some(relayed);
                    for peer in self.peers.clone() {
                        self.permit(peer, now);
                    }
                }
            }
            let wait = match self.client.poll(moment) {
                TurnPollRet::WaitUntil(then) => then.saturating_duration_since(moment),
                _ => LONGEST,
            };
            let mut is_quiet = true;
            while let Some(packet) = self.client.poll_transmit(moment) {
                outbox.push(ANY, packet.to, &packet.data);
                is_quiet = false;
            }
            self.next = Some(now + wait.min(LONGEST).max(Duration::from_millis(1)));
            if is_quiet {
                return before.is_none() && self.relayed.is_some();
            }
        }
    }

    /// Gives the address at the server back.
    pub(crate) fn end(&mut self, now: Instant, outbox: &mut Outbox) {
        let moment = self.moment(now);
        let _ = self.client.delete(moment);
        self.pass(now, outbox);
    }

    fn moment(&self, now: Instant) -> Moment {
        Moment::from_nanos(now.saturating_duration_since(self.start).as_nanos() as i64)
    }
}

/// The system chooses the address from which packets to the server come.
const ANY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
