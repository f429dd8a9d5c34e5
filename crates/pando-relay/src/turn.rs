//! STUN and TURN on one UDP port: volunteers learn their public address, and those behind narrow
//! routers reach their master by packets that the relay passes on.
//!
//! Each socket of a volunteer has a TURN server of its own, which knows nobody else: a state
//! machine of the `turn-server-proto` crate, without any I/O. This module gives it packets and
//! ports, and decides which requests it sees: they are counted by address, their credentials are of
//! a room that is there, and nobody gets a permission for an address that [`AllowedPeers`] refuses.

mod allowed_peers;
mod credentials;
mod ports;

pub(crate) use allowed_peers::{AllowedPeers, is_private};
pub(crate) use credentials::Credentials;
pub(crate) use ports::Ground;

use super::{Relay, traffic::Traffic};
use futures_util::FutureExt;
use pando_web::AddressRates;
use ports::{FromPeer, Relayed};
use std::{
    collections::{HashMap, HashSet},
    net::{IpAddr, SocketAddr},
    panic::AssertUnwindSafe,
    sync::{Arc, atomic::AtomicUsize},
    time::{Duration, Instant, SystemTime},
};
use stun_proto::{
    Instant as Moment,
    agent::Transmit,
    types::{
        TransportType,
        attribute::{ErrorCode, Username},
        message::{
            IntegrityAlgorithm, IntegrityKey, LongTermCredentials, Message, MessageWriteVec,
        },
        prelude::{
            Attribute as _, AttributeFromRaw, AttributeStaticType, MessageWrite, MessageWriteExt,
        },
    },
};
use tokio::{net::UdpSocket, sync::mpsc};
use turn_server_proto::{
    api::{SocketAllocateError, TurnServerApi, TurnServerPollRet},
    server::TurnServer,
    types::{
        attribute::{AdditionalAddressFamily, EvenPort, ReservationToken, XorPeerAddress},
        prelude::DelayedTransmitBuild,
    },
};

/// Names the relay in challenges.
const REALM: &str = "pando";
/// Requests per second from one address, and at once; data does not count.
const REQUESTS: (f64, f64) = (50.0, 500.0);
/// Addresses that one allocation may talk to.
const PEERS: usize = 32;
/// Time between looks for rooms and allocations that are gone.
const SWEEP: Duration = Duration::from_secs(5);
/// How long a challenge is good, and how many there are at most, of 4 kB each: who comes too late
/// is challenged again.
const CHALLENGES: (Duration, usize) = (Duration::from_secs(600), 5_000);
/// Packets from peers that wait to be passed on.
const WAITING: usize = 1024;

// The first two bytes of messages.
const BINDING: u16 = 0x0001;
const ALLOCATE: u16 = 0x0003;
const REFRESH: u16 = 0x0004;
const SEND: u16 = 0x0016;
const CREATE_PERMISSION: u16 = 0x0008;
const CHANNEL_BIND: u16 = 0x0009;
/// Numbers of channels, which bytes for and from peers begin with.
const CHANNELS_FIRST: u16 = 0x4000;
const CHANNELS_LAST: u16 = 0x7fff;

/// A volunteer's socket.
struct TurnClient {
    server: TurnServer,
    since: Instant,
    /// Whose user name it showed last; only the server knows whether the password is right.
    user: Option<RoomUser>,
    /// Its allocation.
    relayed: Option<Relayed>,
    /// Addresses that this may talk to.
    peers: HashSet<IpAddr>,
}

/// A user name of a room.
struct RoomUser {
    username: String,
    room: String,
    traffic: Arc<Traffic>,
    /// Allocations of the room.
    live: Arc<AtomicUsize>,
}

struct Server {
    relay: Arc<Relay>,
    socket: Arc<UdpSocket>,
    /// The socket's address.
    here: SocketAddr,
    ground: Arc<Ground>,
    clients: HashMap<SocketAddr, TurnClient>,
    /// Allocations of each room.
    live: HashMap<String, Arc<AtomicUsize>>,
    from_peers: mpsc::Sender<FromPeer>,
    requests: AddressRates,
    start: Instant,
}

/// Answers on `socket` until the relay ends.
pub(crate) async fn serve(relay: Arc<Relay>, socket: Arc<UdpSocket>, ground: Arc<Ground>) {
    let mut ending = relay.ending.clone();
    let Ok(here) = socket.local_addr() else { return };
    let (from_peers, mut peers) = mpsc::channel(WAITING);
    let mut server = Server {
        relay,
        socket: socket.clone(),
        here,
        ground,
        clients: HashMap::new(),
        live: HashMap::new(),
        from_peers,
        requests: AddressRates::new(REQUESTS.0, REQUESTS.1),
        start: Instant::now(),
    };
    let mut sweep = tokio::time::interval(SWEEP);
    let mut buffer = [0; 2048];
    loop {
        tokio::select! {
            received = socket.recv_from(&mut buffer) => {
                let Ok((length, from)) = received else { continue };
                let handled = AssertUnwindSafe(server.packet(&buffer[..length], from)).catch_unwind().await;
                server.heed(handled, from);
            }
            Some(FromPeer { volunteer, peer, relayed, bytes }) = peers.recv() => {
                let handled = AssertUnwindSafe(server.hand(volunteer, &bytes, peer, relayed)).catch_unwind().await;
                server.heed(handled, volunteer);
            }
            _ = sweep.tick() => server.sweep().await,
            _ = ending.changed() => return,
        }
    }
}

impl Server {
    /// A packet that trips the state machine harms nobody but its sender.
    fn heed(&mut self, handled: std::thread::Result<()>, from: SocketAddr) {
        if handled.is_err() {
            self.clients.remove(&from);
            self.relay
                .log
                .warn("turn-packet-failed", serde_json::json!({"address": from.ip().to_string()}));
        }
    }

    async fn packet(&mut self, bytes: &[u8], from: SocketAddr) {
        let kind = bytes.first_chunk().map_or(0, |first| u16::from_be_bytes(*first));
        match kind {
            CHANNELS_FIRST..=CHANNELS_LAST | SEND => self.hand(from, bytes, from, self.here).await,
            BINDING | ALLOCATE | REFRESH | CREATE_PERMISSION | CHANNEL_BIND => {
                let Ok(message) = Message::from_bytes(bytes) else { return };
                if !self.requests.take(from.ip(), Instant::now()) {
                    return;
                }
                if kind == BINDING {
                    return self.tell_address(bytes, from).await;
                }
                self.request(kind, bytes, &message, from).await;
            }
            _ => {}
        }
    }

    /// Answers a STUN request, for which nothing has to be known of its sender.
    async fn tell_address(&self, bytes: &[u8], from: SocketAddr) {
        let mut server = TurnServer::new(TransportType::Udp, self.here, REALM.into());
        let answer =
            server.recv(Transmit::new(bytes, TransportType::Udp, from, self.here), self.now());
        if let Some(answer) = answer {
            self.send(&answer.data.build(), from).await;
        }
    }

    async fn request(&mut self, kind: u16, bytes: &[u8], message: &Message<'_>, from: SocketAddr) {
        // Pairs of ports are for telephones; an allocation here is one port.
        if [EvenPort::TYPE, ReservationToken::TYPE, AdditionalAddressFamily::TYPE]
            .iter()
            .any(|kind| message.has_attribute(*kind))
        {
            return;
        }
        if !self.clients.contains_key(&from) {
            if self.clients.len() >= CHALLENGES.1 + self.relay.allocations() {
                self.clients.retain(|_, client| client.relayed.is_some());
            }
            self.clients.insert(from, TurnClient::new(self.here));
        }
        if let Ok(username) = message.attribute::<Username>() {
            self.introduce(username.username(), from);
        }
        if matches!(kind, CREATE_PERMISSION | CHANNEL_BIND)
            && let Some(key) = self.proof(message, from)
            && let Some(code) = self.refusal(message, from)
        {
            return self.refuse(message, code, &key, from).await;
        }
        self.hand(from, bytes, from, self.here).await;
        self.poll(from).await;
    }

    /// Has the server of `from` know `username`, if this is a user of a room. Who has an allocation
    /// keeps it although its credentials have run out.
    fn introduce(&mut self, username: &str, from: SocketAddr) {
        let Some(client) = self.clients.get_mut(&from).filter(|client| client.relayed.is_none())
        else {
            return;
        };
        let claim =
            credentials::claim(username, SystemTime::now()).filter(|claim| !claim.is_expired);
        let room = claim.map(|claim| claim.room.to_owned());
        let shell =
            room.and_then(|room| Some((self.relay.rooms().by_id(&room)?.traffic.clone(), room)));
        if client.user.as_ref().is_some_and(|user| user.username == username) && shell.is_some() {
            return;
        }
        if client.user.is_some() {
            *client = TurnClient::new(self.here);
        }
        let Some((traffic, room)) = shell else { return };
        client.server.add_user(username.into(), self.relay.ice.credentials.password(username));
        let live = self.live.entry(room.clone()).or_default().clone();
        client.user = Some(RoomUser { username: username.into(), room, traffic, live });
    }

    /// The key of the user at `from`, if the message was made with it. The server refuses all
    /// others.
    fn proof(&self, message: &Message<'_>, from: SocketAddr) -> Option<IntegrityKey> {
        let username = self.clients.get(&from)?.user.as_ref()?.username.clone();
        let password = self.relay.ice.credentials.password(&username);
        let key = LongTermCredentials::new(username, password)
            .to_key(REALM.into())
            .make_key(IntegrityAlgorithm::Sha1);
        message.validate_integrity_with_key(&key).is_ok().then_some(key)
    }

    /// Why a peer is not let in, if it is not.
    fn refusal(&mut self, message: &Message<'_>, from: SocketAddr) -> Option<u16> {
        let client = self.clients.get_mut(&from).filter(|client| client.relayed.is_some())?;
        for (_, attribute) in message
            .iter_attributes()
            .filter(|(_, attribute)| attribute.get_type() == XorPeerAddress::TYPE)
        {
            let peer =
                XorPeerAddress::from_raw(attribute).ok()?.addr(message.transaction_id()).ip();
            if !self.ground.allowed_peers.allow(peer) {
                return Some(ErrorCode::FORBIDDEN);
            }
            if client.peers.len() >= PEERS && !client.peers.contains(&peer) {
                return Some(ErrorCode::INSUFFICIENT_CAPACITY);
            }
            client.peers.insert(peer);
        }
        None
    }

    async fn refuse(&self, message: &Message<'_>, code: u16, key: &IntegrityKey, from: SocketAddr) {
        let Ok(code) = ErrorCode::builder(code).build() else { return };
        let mut reply = Message::builder_error(message, MessageWriteVec::new());
        let built = reply.add_attribute(&code);
        if built
            .and_then(|()| reply.add_message_integrity_with_key(key, IntegrityAlgorithm::Sha1))
            .is_ok()
        {
            self.send(&reply.finish(), from).await;
        }
    }

    /// Hands the server of `volunteer` a packet that came from `from` to `to`, and sends what
    /// follows from it.
    async fn hand(
        &mut self,
        volunteer: SocketAddr,
        bytes: &[u8],
        from: SocketAddr,
        to: SocketAddr,
    ) {
        let now = self.now();
        let Some(client) = self.clients.get_mut(&volunteer) else { return };
        let Some(said) =
            client.server.recv(Transmit::new(bytes, TransportType::Udp, from, to), now)
        else {
            return;
        };
        let (goes_out, came_in) = (said.from != self.here, to != self.here);
        let admits = |user: &RoomUser| user.traffic.admits(bytes.len());
        if (goes_out || came_in) && !client.user.as_ref().is_some_and(admits) {
            return;
        }
        let (peer, bytes) = (said.to, said.data.build());
        match &client.relayed {
            Some(relayed) if goes_out => relayed.send(&bytes, peer).await,
            _ => self.send(&bytes, volunteer).await,
        }
    }

    /// Does what the server of `volunteer` wants done.
    async fn poll(&mut self, volunteer: SocketAddr) {
        let now = self.now();
        let Some(client) = self.clients.get_mut(&volunteer) else { return };
        loop {
            match client.server.poll(now) {
                TurnServerPollRet::AllocateSocket {
                    transport,
                    listen_addr,
                    client_addr,
                    allocation_transport,
                    family,
                } => {
                    let address = match &client.user {
                        Some(user) => {
                            let opened = Relayed::open(
                                &self.ground,
                                &user.live,
                                family,
                                volunteer,
                                &self.from_peers,
                            )
                            .await;
                            opened.map(|relayed| client.relayed.insert(relayed).address)
                        }
                        None => Err(SocketAllocateError::InsufficientCapacity),
                    };
                    let server = &mut client.server;
                    server.allocated_socket(
                        transport,
                        listen_addr,
                        client_addr,
                        allocation_transport,
                        family,
                        address,
                        now,
                    );
                }
                TurnServerPollRet::SocketClose { .. } => {
                    client.relayed = None;
                    client.peers.clear();
                }
                // There is no TCP here.
                TurnServerPollRet::TcpConnect { .. } | TurnServerPollRet::TcpClose { .. } => {}
                TurnServerPollRet::WaitUntil(_) => break,
            }
        }
        while let Some(said) = client.server.poll_transmit(now) {
            let _ = self.socket.send_to(&said.data, volunteer).await;
        }
    }

    async fn send(&self, bytes: &[u8], to: SocketAddr) {
        let _ = self.socket.send_to(bytes, to).await;
    }

    /// Lets go of what has run out, and of rooms that are gone.
    async fn sweep(&mut self) {
        for volunteer in self.clients.keys().copied().collect::<Vec<_>>() {
            let handled = AssertUnwindSafe(self.poll(volunteer)).catch_unwind().await;
            self.heed(handled, volunteer);
        }
        let rooms = self.relay.rooms();
        self.live.retain(|room, _| rooms.by_id(room).is_some());
        self.clients.retain(|_, client| {
            let has_room =
                client.user.as_ref().is_none_or(|user| rooms.by_id(&user.room).is_some());
            has_room && (client.relayed.is_some() || client.since.elapsed() < CHALLENGES.0)
        });
    }

    fn now(&self) -> Moment {
        Moment::from_nanos(self.start.elapsed().as_nanos() as i64)
    }
}

impl TurnClient {
    fn new(here: SocketAddr) -> Self {
        Self {
            server: TurnServer::new(TransportType::Udp, here, REALM.into()),
            since: Instant::now(),
            user: None,
            relayed: None,
            peers: HashSet::new(),
        }
    }
}
