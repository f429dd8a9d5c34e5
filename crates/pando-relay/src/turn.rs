//! STUN and TURN on one UDP port: volunteers learn their public address, and those behind narrow routers reach their master by
//! packets that the relay passes on.
//!
//! The `turn` crate answers requests; this module decides which of them it sees. Each room has an allocation manager of its
//! own, so that none can touch another's allocations, and its share of ports and bytes. Requests are counted by address,
//! the crate's nonces are bounded here, and nobody gets a permission for an address of [`peers`].

mod credentials;
mod peers;
mod ports;

pub(crate) use credentials::Credentials;
pub(crate) use peers::{Peers, is_private};
pub(crate) use ports::Ground;

use super::{Relay, traffic::Traffic};
use futures_util::FutureExt;
use pando_web::AddressRates;
use ports::{Ports, Toward};
use std::{
    collections::{HashMap, HashSet},
    net::{IpAddr, SocketAddr},
    panic::AssertUnwindSafe,
    sync::{Arc, atomic::AtomicUsize},
    time::{Duration, Instant, SystemTime},
};
use stun::{
    attributes::{ATTR_EVEN_PORT, ATTR_RESERVATION_TOKEN, ATTR_USERNAME},
    error_code::{CODE_FORBIDDEN, CODE_INSUFFICIENT_CAPACITY, ErrorCode, ErrorCodeAttribute},
    integrity::MessageIntegrity,
    message::{CLASS_ERROR_RESPONSE, Getter, Message, MessageType, is_message},
};
use tokio::{net::UdpSocket, sync::Mutex};
use turn::{
    Error,
    allocation::{
        allocation_manager::{Manager, ManagerConfig},
        five_tuple::FiveTuple,
    },
    auth::{AuthHandler, generate_auth_key},
    proto::{PROTO_UDP, peeraddr::PeerAddress},
    server::request::Request,
};
use webrtc_util::Conn;

/// Names the relay in challenges.
const REALM: &str = "pando";
/// Requests per second from one address, and at once; data does not count.
const REQUESTS: (f64, f64) = (50.0, 500.0);
/// Addresses that one allocation may talk to.
const PEERS: usize = 32;
/// Time between looks for rooms and allocations that are gone.
const SWEEP: Duration = Duration::from_secs(5);
/// How long a challenge is good, and how many there are at most: who comes too late is challenged again.
const NONCE: (Duration, usize) = (Duration::from_secs(600), 20_000);

// The first two bytes of messages.
const BINDING: u16 = 0x0001;
const ALLOCATE: u16 = 0x0003;
const REFRESH: u16 = 0x0004;
const SEND: u16 = 0x0016;
const DATA: u16 = 0x0017;
const CREATE_PERMISSION: u16 = 0x0008;
const CHANNEL_BIND: u16 = 0x0009;

/// The allocations of one room.
struct Hall {
    manager: Arc<Manager>,
    conn: Arc<dyn Conn + Send + Sync>,
    traffic: Arc<Traffic>,
}

/// A volunteer's socket that has an allocation.
struct Source {
    room: String,
    peers: HashSet<IpAddr>,
}

struct Server {
    relay: Arc<Relay>,
    socket: Arc<UdpSocket>,
    ground: Arc<Ground>,
    halls: HashMap<String, Hall>,
    /// Where those are sent who name no room of ours.
    nowhere: Hall,
    sources: HashMap<SocketAddr, Source>,
    nonces: Arc<Mutex<HashMap<String, tokio::time::Instant>>>,
    newcomers: Arc<Auth>,
    settled: Arc<Auth>,
    requests: AddressRates,
}

/// Answers on `socket` until the relay ends.
pub(crate) async fn serve(relay: Arc<Relay>, socket: Arc<UdpSocket>, ground: Arc<Ground>) {
    let mut ending = relay.ending.clone();
    let mut server = Server::new(relay, socket.clone(), ground);
    let mut sweep = tokio::time::interval(SWEEP);
    let mut buffer = [0; 2048];
    loop {
        tokio::select! {
            received = socket.recv_from(&mut buffer) => {
                let Ok((length, from)) = received else { continue };
                // A packet that trips the decoder harms nobody but its sender.
                let handled = AssertUnwindSafe(server.packet(&buffer[..length], from)).catch_unwind().await;
                if handled.is_err() {
                    server.relay.log.warn("turn-packet-failed", serde_json::json!({"address": from.ip().to_string()}));
                }
            }
            _ = sweep.tick() => server.sweep().await,
            _ = ending.changed() => return,
        }
    }
}

impl Server {
    fn new(relay: Arc<Relay>, socket: Arc<UdpSocket>, ground: Arc<Ground>) -> Self {
        let auth = |is_settled| Arc::new(Auth { relay: relay.clone(), is_settled });
        let nowhere = Hall::new(&socket, &ground, Arc::new(Traffic::new(1 << 20, Instant::now())));
        Self {
            newcomers: auth(false),
            settled: auth(true),
            relay,
            socket,
            ground,
            halls: HashMap::new(),
            nowhere,
            sources: HashMap::new(),
            nonces: Arc::default(),
            requests: AddressRates::new(REQUESTS.0, REQUESTS.1),
        }
    }

    async fn packet(&mut self, bytes: &[u8], from: SocketAddr) {
        if is_data(bytes) {
            let hall = self.sources.get(&from).and_then(|source| self.halls.get(&source.room));
            if let Some(hall) = hall.filter(|hall| hall.traffic.admits(bytes.len())) {
                self.answer(hall, bytes, from, &self.settled).await;
            }
            return;
        }
        if !is_message(bytes) || !self.requests.take(from.ip(), Instant::now()) {
            return;
        }
        match kind(bytes) {
            BINDING => self.answer(&self.nowhere, bytes, from, &self.newcomers).await,
            ALLOCATE | REFRESH | CREATE_PERMISSION | CHANNEL_BIND => {
                self.request(bytes, from).await
            }
            _ => {}
        }
    }

    async fn request(&mut self, bytes: &[u8], from: SocketAddr) {
        let mut message = Message { raw: bytes.to_vec(), ..Message::default() };
        // Reserved ports are for telephones; the crate looks for an even one for as long as it takes.
        if message.decode().is_err()
            || message.contains(ATTR_EVEN_PORT)
            || message.contains(ATTR_RESERVATION_TOKEN)
        {
            return;
        }
        let username = message
            .get(ATTR_USERNAME)
            .ok()
            .and_then(|name| String::from_utf8(name).ok())
            .unwrap_or_default();
        let room =
            credentials::claim(&username, SystemTime::now()).map(|claim| claim.room.to_owned());
        let Some(room) = room.filter(|room| self.has_hall(room)) else {
            self.bound_nonces().await;
            return self.answer(&self.nowhere, bytes, from, &self.newcomers).await;
        };
        if self.sources.get(&from).is_some_and(|source| source.room != room) {
            // Its socket has an allocation of another room, which first has to end.
            return;
        }
        match kind(bytes) {
            ALLOCATE => {
                self.answer(&self.halls[&room], bytes, from, &self.newcomers).await;
                if self.has_allocation(&room, from).await {
                    self.sources
                        .entry(from)
                        .or_insert_with(|| Source { room, peers: HashSet::new() });
                }
            }
            REFRESH => self.answer(&self.halls[&room], bytes, from, &self.settled).await,
            _ => match self.refusal(&message, from) {
                Some(code) => self.refuse(&message, &username, code, from).await,
                None => self.answer(&self.halls[&room], bytes, from, &self.settled).await,
            },
        }
    }

    /// Why a peer is not let in, if it is not.
    fn refusal(&mut self, message: &Message, from: SocketAddr) -> Option<ErrorCode> {
        let mut peer = PeerAddress::default();
        peer.get_from(message).ok()?;
        if !self.ground.peers.allow(peer.ip) {
            return Some(CODE_FORBIDDEN);
        }
        let peers = &mut self.sources.get_mut(&from)?.peers;
        if peers.len() >= PEERS && !peers.contains(&peer.ip) {
            return Some(CODE_INSUFFICIENT_CAPACITY);
        }
        peers.insert(peer.ip);
        None
    }

    /// Refuses what a volunteer of ours asks; others hear nothing.
    async fn refuse(&self, message: &Message, username: &str, code: ErrorCode, from: SocketAddr) {
        let Ok(key) = self.settled.auth_handle(username, REALM, from) else { return };
        let integrity = MessageIntegrity(key);
        if integrity.check(&mut message.clone()).is_err() {
            return;
        }
        let mut reply = Message::new();
        let built = reply.build(&[
            Box::new(message.transaction_id),
            Box::new(MessageType::new(message.typ.method, CLASS_ERROR_RESPONSE)),
            Box::new(ErrorCodeAttribute { code, reason: Vec::new() }),
            Box::new(integrity),
        ]);
        if built.is_ok() {
            let _ = self.socket.send_to(&reply.raw, from).await;
        }
    }

    async fn answer(&self, hall: &Hall, bytes: &[u8], from: SocketAddr, auth: &Arc<Auth>) {
        let mut request = Request {
            conn: hall.conn.clone(),
            src_addr: from,
            buff: bytes.to_vec(),
            allocation_manager: hall.manager.clone(),
            nonces: self.nonces.clone(),
            auth_handler: auth.clone(),
            realm: REALM.into(),
            channel_bind_timeout: turn::proto::lifetime::DEFAULT_LIFETIME,
        };
        // Wrong requests have been answered; they are nothing to tell.
        let _ = request.handle_request().await;
    }

    /// Whether there is such a room; makes its hall if need be.
    fn has_hall(&mut self, room: &str) -> bool {
        if self.halls.contains_key(room) {
            return true;
        }
        let Some(traffic) = self.relay.rooms().by_id(room).map(|shell| shell.traffic.clone())
        else {
            return false;
        };
        self.halls.insert(room.into(), Hall::new(&self.socket, &self.ground, traffic));
        true
    }

    async fn has_allocation(&self, room: &str, from: SocketAddr) -> bool {
        let (Some(hall), Ok(to)) = (self.halls.get(room), self.socket.local_addr()) else {
            return false;
        };
        hall.manager
            .get_allocation(&FiveTuple { src_addr: from, dst_addr: to, protocol: PROTO_UDP })
            .await
            .is_some()
    }

    async fn sweep(&mut self) {
        {
            let rooms = self.relay.rooms();
            self.halls.retain(|room, _| rooms.by_id(room).is_some());
        }
        let mut gone = Vec::new();
        for (from, source) in &self.sources {
            if !self.has_allocation(&source.room, *from).await {
                gone.push(*from);
            }
        }
        gone.iter().for_each(|from| drop(self.sources.remove(from)));
        self.nonces.lock().await.retain(|_, since| since.elapsed() < NONCE.0);
    }

    /// The crate never forgets a challenge by itself.
    async fn bound_nonces(&self) {
        let mut nonces = self.nonces.lock().await;
        if nonces.len() >= NONCE.1 {
            nonces.clear();
        }
    }
}

impl Hall {
    fn new(socket: &Arc<UdpSocket>, ground: &Arc<Ground>, traffic: Arc<Traffic>) -> Self {
        let ports = Ports { ground: ground.clone(), live: Arc::new(AtomicUsize::new(0)) };
        Self {
            manager: Arc::new(Manager::new(ManagerConfig {
                relay_addr_generator: Box::new(ports),
                alloc_close_notify: None,
            })),
            conn: Arc::new(Toward { socket: socket.clone(), traffic: traffic.clone() }),
            traffic,
        }
    }
}

/// Who has credentials of a room that is there.
struct Auth {
    relay: Arc<Relay>,
    /// Who has an allocation keeps it although its credentials have run out.
    is_settled: bool,
}

impl AuthHandler for Auth {
    fn auth_handle(
        &self,
        username: &str,
        realm: &str,
        _from: SocketAddr,
    ) -> Result<Vec<u8>, Error> {
        let claim = credentials::claim(username, SystemTime::now()).ok_or(Error::ErrNoSuchUser)?;
        if (claim.is_expired && !self.is_settled) || self.relay.rooms().by_id(claim.room).is_none()
        {
            return Err(Error::ErrNoSuchUser);
        }
        let password = self.relay.ice.credentials.password(username);
        Ok(generate_auth_key(username, realm, &password))
    }
}

/// The first two bytes of a packet.
fn kind(bytes: &[u8]) -> u16 {
    bytes.first_chunk().map_or(0, |first| u16::from_be_bytes(*first))
}

/// Whether a packet carries bytes between a volunteer and its peer.
fn is_data(bytes: &[u8]) -> bool {
    matches!(kind(bytes), 0x4000..=0x7fff | SEND | DATA)
}
