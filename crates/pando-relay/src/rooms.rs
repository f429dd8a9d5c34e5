//! The rooms of a relay: who opened them, who is in them, and until when. Pure: no sockets, no clock, no runtime.
//!
//! A room belongs to one running master, which opens it with a token (the path of its URL) and a key (which only it knows).
//! Calls come in this order: [`open`](Rooms::open), then [`opened`](Rooms::opened) when the function has come; from then on
//! volunteers can [`enter`](Rooms::enter) to signal or [`wait`](Rooms::wait) for a link, until the master was
//! [`lost`](Rooms::lost) or makes an [`end`](Rooms::end). Who opens a room again, with the same key, gets a new lease, and
//! whatever cites an older lease no longer counts.
//!
//! The shell hangs its own things on rooms, masters, volunteers and links ([`Handles`]). They are dropped with what they
//! hang on, and that is how their tasks hear that it is over.

mod refusal;
#[cfg(test)]
mod tests;

pub(crate) use refusal::{NoEntry, Refusal, Unclaimed};

use super::{limits::Limits, secrets::same};
use bytes::Bytes;
use pando_protocol::ice::IceServer;
use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

/// First path segments that mean something else.
const RESERVED: [&str; 2] = ["rooms", "healthz"];

/// What the shell hangs on rooms and on who is in them.
pub(crate) trait Handles {
    /// On a room.
    type Room;
    /// On the master's control socket.
    type Control;
    /// On a volunteer's signalling socket.
    type Peer;
    /// On a volunteer that waits for its master to come for a link.
    type Link;
}

/// How a master asks for a room.
#[derive(Debug, Clone)]
pub(crate) struct Opening {
    /// First path segment of its URL.
    pub(crate) token: String,
    /// What the master shows to come back.
    pub(crate) key: String,
    /// Bytes of the function that it will upload.
    pub(crate) size: u64,
}

/// What a room's page needs.
#[derive(Debug, Clone)]
pub(crate) struct Content {
    /// The function's bundle.
    pub(crate) function: Bytes,
    /// Its hash, as the master says.
    pub(crate) hash: String,
    /// Whether it runs in the page.
    pub(crate) dom: bool,
    /// Whether it reaches nothing from a tab but the relay.
    pub(crate) deny_net: bool,
    /// Name or address by which the master reaches the relay.
    pub(crate) host: String,
    /// STUN and TURN servers for its volunteers in place of the relay's; none: the relay's.
    pub(crate) ice_servers: Vec<IceServer>,
}

/// A room that is gone.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ended<R> {
    /// Its public id.
    pub(crate) id: String,
    /// What hung on it.
    pub(crate) handle: R,
    /// How long it lasted.
    pub(crate) lasted: Duration,
    /// How many times a volunteer came.
    pub(crate) visits: u64,
}

/// How many there are.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Rooms.
    pub(crate) rooms: usize,
    /// Signalling sockets.
    pub(crate) peers: usize,
    /// Links whose bytes pass through, or that wait for their master.
    pub(crate) links: usize,
}

/// See the module.
pub(crate) struct Rooms<H: Handles> {
    limits: Limits,
    rooms: HashMap<String, Room<H>>,
    /// Tokens by public id.
    tokens: HashMap<String, String>,
    /// Last number given to a lease or a peer.
    last: u64,
}

struct Room<H: Handles> {
    id: String,
    key: String,
    handle: H::Room,
    since: Instant,
    lease: u64,
    state: State<H::Control>,
    content: Option<Content>,
    /// Bytes on their way.
    uploading: u64,
    peers: HashMap<u64, H::Peer>,
    waiting: HashMap<String, H::Link>,
    joined: HashSet<String>,
    visits: u64,
}

#[derive(Debug)]
enum State<C> {
    Uploading,
    Open(C),
    Lost(Instant),
}

/// What masters do.
impl<H: Handles> Rooms<H> {
    /// No rooms yet.
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, rooms: HashMap::new(), tokens: HashMap::new(), last: 0 }
    }

    /// A master asks for a room: a new one, with `id` and `handle`, or its own from before. Gives a lease, to be cited.
    ///
    /// A socket that had the room until now no longer has it; who signalled with it has to start again.
    pub(crate) fn open(&mut self, opening: &Opening, id: String, handle: H::Room, now: Instant) -> Result<u64, Refusal> {
        self.check(opening)?;
        self.last += 1;
        let lease = self.last;
        if let Some(room) = self.rooms.get_mut(&opening.token) {
            room.lose(State::Uploading);
            (room.lease, room.uploading) = (lease, opening.size);
            return Ok(lease);
        }
        self.tokens.insert(id.clone(), opening.token.clone());
        let room = Room {
            id,
            key: opening.key.clone(),
            handle,
            since: now,
            lease,
            state: State::Uploading,
            content: None,
            uploading: opening.size,
            peers: HashMap::new(),
            waiting: HashMap::new(),
            joined: HashSet::new(),
            visits: 0,
        };
        self.rooms.insert(opening.token.clone(), room);
        Ok(lease)
    }

    fn check(&self, opening: &Opening) -> Result<(), Refusal> {
        let Opening { token, key, size } = opening;
        let fine = |c: u8| c.is_ascii_alphanumeric() || c == b'-' || c == b'_';
        if !(4..=64).contains(&token.len()) || !token.bytes().all(fine) || RESERVED.contains(&token.as_str()) {
            return Err(Refusal::Token);
        }
        if !(16..=128).contains(&key.len()) || !key.bytes().all(fine) {
            return Err(Refusal::Key);
        }
        if *size > self.limits.max_function {
            return Err(Refusal::TooLarge { size: *size, most: self.limits.max_function });
        }
        let own = self.rooms.get(token);
        if own.is_some_and(|room| !same(key, &room.key)) {
            return Err(Refusal::Taken);
        }
        if own.is_none() && self.rooms.len() >= self.limits.max_rooms {
            return Err(Refusal::TooManyRooms);
        }
        // What the room has already is about to be replaced.
        let others = self.bytes() - own.map_or(0, Room::bytes);
        if others.saturating_add(*size) > self.limits.max_memory {
            return Err(Refusal::NoMemory);
        }
        Ok(())
    }

    /// The function has come: volunteers may. False when the room is no longer this master's.
    pub(crate) fn opened(&mut self, token: &str, lease: u64, content: Content, control: H::Control) -> bool {
        let Some(room) = self.leased(token, lease) else { return false };
        room.uploading = 0;
        room.content = Some(content);
        room.state = State::Open(control);
        true
    }

    /// The master's socket is lost: the room waits for it, unless its function never came. False when the room is not its own.
    pub(crate) fn lost(&mut self, token: &str, lease: u64, now: Instant) -> bool {
        let Some(room) = self.leased(token, lease) else { return false };
        room.uploading = 0;
        room.lose(State::Lost(now));
        if room.content.is_none() {
            self.remove(token, now);
        }
        true
    }

    /// The run is over: the room goes at once.
    pub(crate) fn end(&mut self, token: &str, lease: u64, now: Instant) -> Option<Ended<H::Room>> {
        self.leased(token, lease)?;
        self.remove(token, now)
    }

    /// What hangs on a volunteer that signals.
    pub(crate) fn peer(&self, token: &str, lease: u64, peer: u64) -> Option<&H::Peer> {
        self.rooms.get(token).filter(|room| room.lease == lease)?.peers.get(&peer)
    }

    /// The master is done with a volunteer's signalling.
    pub(crate) fn dismiss(&mut self, token: &str, lease: u64, peer: u64) {
        if let Some(room) = self.leased(token, lease) {
            room.peers.remove(&peer);
        }
    }

    /// The master comes for a link; the link counts until [`unlink`](Self::unlink).
    pub(crate) fn claim(&mut self, token: &str, key: &str, link: &str) -> Result<H::Link, Unclaimed> {
        let room = self.rooms.get_mut(token).ok_or(Unclaimed::Unknown)?;
        if !same(key, &room.key) {
            return Err(Unclaimed::WrongKey);
        }
        let handle = room.waiting.remove(link).ok_or(Unclaimed::Unknown)?;
        room.joined.insert(link.to_owned());
        Ok(handle)
    }

    fn leased(&mut self, token: &str, lease: u64) -> Option<&mut Room<H>> {
        self.rooms.get_mut(token).filter(|room| room.lease == lease)
    }
}

/// What volunteers do.
impl<H: Handles> Rooms<H> {
    /// What the page of a room needs; none when there is no such room, or its function has not come yet.
    pub(crate) fn content(&self, token: &str) -> Option<&Content> {
        self.rooms.get(token)?.content.as_ref()
    }

    /// What hangs on a room.
    pub(crate) fn handle(&self, token: &str) -> Option<&H::Room> {
        self.rooms.get(token).map(|room| &room.handle)
    }

    /// Whether one more volunteer may come.
    pub(crate) fn has_place(&self, token: &str) -> Result<(), NoEntry> {
        let room = self.rooms.get(token).filter(|room| room.content.is_some()).ok_or(NoEntry::Unknown)?;
        match room.state {
            State::Open(_) if room.crowd() >= self.limits.max_volunteers => Err(NoEntry::Full),
            State::Open(_) => Ok(()),
            _ => Err(NoEntry::NoMaster),
        }
    }

    /// A volunteer comes to signal; gives the number by which the master will know it.
    pub(crate) fn enter(&mut self, token: &str, peer: H::Peer) -> Result<u64, NoEntry> {
        self.has_place(token)?;
        self.last += 1;
        let room = self.rooms.get_mut(token).ok_or(NoEntry::Unknown)?;
        room.peers.insert(self.last, peer);
        room.visits += 1;
        Ok(self.last)
    }

    /// The master of a volunteer that signals; none when it no longer has one.
    pub(crate) fn master_of(&self, token: &str, peer: u64) -> Option<&H::Control> {
        let room = self.rooms.get(token)?;
        room.peers.get(&peer).and(room.control())
    }

    /// A volunteer's signalling is over; gives the master, if it is to be told.
    pub(crate) fn leave(&mut self, token: &str, peer: u64) -> Option<&H::Control> {
        let room = self.rooms.get_mut(token)?;
        room.peers.remove(&peer)?;
        room.control()
    }

    /// A volunteer waits for the master to come for `link`; gives the master, which is to be told.
    pub(crate) fn wait(&mut self, token: &str, link: String, handle: H::Link) -> Result<&H::Control, NoEntry> {
        self.has_place(token)?;
        let room = self.rooms.get_mut(token).ok_or(NoEntry::Unknown)?;
        room.waiting.insert(link, handle);
        room.visits += 1;
        room.control().ok_or(NoEntry::NoMaster)
    }

    /// A link is over, or nobody came for it.
    pub(crate) fn unlink(&mut self, token: &str, link: &str) {
        if let Some(room) = self.rooms.get_mut(token) {
            room.waiting.remove(link);
            room.joined.remove(link);
        }
    }
}

/// What time does, and who asks about all of them.
impl<H: Handles> Rooms<H> {
    /// Removes rooms that have waited for their master for too long. One whose links still stand has a master that lives.
    pub(crate) fn expire(&mut self, now: Instant) -> Vec<Ended<H::Room>> {
        let keep = self.limits.keep;
        let over = |room: &Room<H>| match room.state {
            State::Lost(since) => room.joined.is_empty() && now.saturating_duration_since(since) >= keep,
            _ => false,
        };
        let tokens: Vec<String> = self.rooms.iter().filter(|(_, room)| over(room)).map(|(token, _)| token.clone()).collect();
        tokens.iter().filter_map(|token| self.remove(token, now)).collect()
    }

    /// What hangs on the room with this public id.
    pub(crate) fn by_id(&self, id: &str) -> Option<&H::Room> {
        self.handle(self.tokens.get(id)?)
    }

    /// The public id of a room.
    pub(crate) fn id(&self, token: &str) -> Option<&str> {
        self.rooms.get(token).map(|room| room.id.as_str())
    }

    /// How many there are.
    pub(crate) fn counts(&self) -> Counts {
        let mut counts = Counts { rooms: self.rooms.len(), ..Counts::default() };
        for room in self.rooms.values() {
            counts.peers += room.peers.len();
            counts.links += room.waiting.len() + room.joined.len();
        }
        counts
    }

    /// Bytes of functions, here or on their way.
    fn bytes(&self) -> u64 {
        self.rooms.values().map(Room::bytes).sum()
    }

    fn remove(&mut self, token: &str, now: Instant) -> Option<Ended<H::Room>> {
        let room = self.rooms.remove(token)?;
        self.tokens.remove(&room.id);
        let lasted = now.saturating_duration_since(room.since);
        Some(Ended { id: room.id, handle: room.handle, lasted, visits: room.visits })
    }
}

impl<H: Handles> Room<H> {
    fn control(&self) -> Option<&H::Control> {
        match &self.state {
            State::Open(control) => Some(control),
            _ => None,
        }
    }

    /// Without a master nobody can signal or wait; links that stand go on.
    fn lose(&mut self, state: State<H::Control>) {
        self.state = state;
        self.peers.clear();
        self.waiting.clear();
    }

    fn crowd(&self) -> usize {
        self.peers.len() + self.waiting.len() + self.joined.len()
    }

    fn bytes(&self) -> u64 {
        self.uploading + self.content.as_ref().map_or(0, |content| content.function.len() as u64)
    }
}
