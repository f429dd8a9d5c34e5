//! The rooms of a relay: their masters, their volunteers, and their lifetimes. Pure: no sockets,
//! no clock, no runtime.
//!
//! A room belongs to one running master, which opens it with a token (the path of its URL) and a
//! key (known only to the master). Calls come in this order: [`open`](Rooms::open), then
//! [`opened`](Rooms::opened) when the function has arrived. From then on volunteers can
//! [`enter`](Rooms::enter) to signal or [`wait`](Rooms::wait) for a link, until the master is
//! [`lost`](Rooms::lost) or makes an [`end`](Rooms::end). A master that opens a room again, with
//! the same key, gets a new lease; calls with an older lease have no effect.
//!
//! The sockets' tasks attach handles to rooms, masters, volunteers and links ([`Handles`]). A
//! handle is dropped with its owner, and the drop tells the task about the end.

mod refusal;
mod room;
#[cfg(test)]
mod tests;

pub(crate) use refusal::{NoEntry, RoomRefusal, Unclaimed};

use super::{limits::Limits, secrets::same};
use bytes::Bytes;
use pando_protocol::{ice::IceServer, page::PageOptions};
use room::{Room, RoomState};
use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

/// Tokens with another meaning as first segment of a path.
const RESERVED: [&str; 2] = ["rooms", "healthz"];

/// The types of the handles for rooms and their members.
pub(crate) trait Handles {
    /// The handle of a room.
    type RoomHandle;
    /// The handle of a master's control socket.
    type ControlHandle;
    /// The handle of a volunteer's signalling socket.
    type PeerHandle;
    /// The handle of a volunteer that waits for its master to open a link.
    type LinkHandle;
}

/// A master's request for a room.
#[derive(Debug, Clone)]
pub(crate) struct RoomRequest {
    /// The first path segment of the room's URL.
    pub(crate) token: String,
    /// The secret with which the master can come back.
    pub(crate) key: String,
    /// Bytes of the function to be uploaded.
    pub(crate) size: u64,
}

/// The content of a room's page.
#[derive(Debug, Clone)]
pub(crate) struct Content {
    /// The function's bundle.
    pub(crate) function: Bytes,
    /// The settings of the page, as given by the master.
    pub(crate) page: PageOptions,
    /// The name or address by which the master reaches the relay.
    pub(crate) host: String,
    /// STUN and TURN servers for the room's volunteers. If empty, they get the relay's servers.
    pub(crate) ice_servers: Vec<IceServer>,
}

/// A room that has ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct EndedRoom<R> {
    /// The room's public id.
    pub(crate) id: String,
    /// The room's handle.
    pub(crate) handle: R,
    /// How long the room existed.
    pub(crate) lasted: Duration,
    /// How many times a volunteer came.
    pub(crate) visits: u64,
}

/// The numbers of members of all rooms.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct RoomCounts {
    /// The number of rooms.
    pub(crate) rooms: usize,
    /// The number of signalling sockets.
    pub(crate) peers: usize,
    /// The number of links, including links that wait for their master.
    pub(crate) links: usize,
}

/// All rooms; see the module.
pub(crate) struct Rooms<H: Handles> {
    limits: Limits,
    rooms: HashMap<String, Room<H>>,
    /// Tokens by public id.
    tokens: HashMap<String, String>,
    /// The last number given to a lease or a peer.
    last: u64,
}

/// Actions of masters.
impl<H: Handles> Rooms<H> {
    /// An empty set of rooms.
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, rooms: HashMap::new(), tokens: HashMap::new(), last: 0 }
    }

    /// Opens a room for a master: a new one, with `id` and `handle`, or the master's earlier room.
    /// Returns a lease for later calls.
    ///
    /// An earlier socket of the master loses the room, and volunteers in signalling have to start
    /// again.
    pub(crate) fn open(
        &mut self,
        opening: &RoomRequest,
        id: String,
        handle: H::RoomHandle,
        now: Instant,
    ) -> Result<u64, RoomRefusal> {
        self.check(opening)?;
        self.last += 1;
        let lease = self.last;
        if let Some(room) = self.rooms.get_mut(&opening.token) {
            room.lose(RoomState::Uploading);
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
            state: RoomState::Uploading,
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

    fn check(&self, opening: &RoomRequest) -> Result<(), RoomRefusal> {
        let RoomRequest { token, key, size } = opening;
        let fine = |c: u8| c.is_ascii_alphanumeric() || c == b'-' || c == b'_';
        if !(4..=64).contains(&token.len())
            || !token.bytes().all(fine)
            || RESERVED.contains(&token.as_str())
        {
            return Err(RoomRefusal::Token);
        }
        if !(16..=128).contains(&key.len()) || !key.bytes().all(fine) {
            return Err(RoomRefusal::Key);
        }
        if *size > self.limits.max_function {
            return Err(RoomRefusal::TooLarge { size: *size, most: self.limits.max_function });
        }
        let own = self.rooms.get(token);
        if own.is_some_and(|room| !same(key, &room.key)) {
            return Err(RoomRefusal::Taken);
        }
        if own.is_none() && self.rooms.len() >= self.limits.max_rooms {
            return Err(RoomRefusal::TooManyRooms);
        }
        // The present function of the room is about to be replaced.
        let others = self.bytes() - own.map_or(0, Room::bytes);
        if others.saturating_add(*size) > self.limits.max_memory {
            return Err(RoomRefusal::NoMemory);
        }
        Ok(())
    }

    /// Opens the room to volunteers after its function has arrived. Returns false if the lease is
    /// no longer valid.
    pub(crate) fn opened(
        &mut self,
        token: &str,
        lease: u64,
        content: Content,
        control: H::ControlHandle,
    ) -> bool {
        let Some(room) = self.leased(token, lease) else { return false };
        room.uploading = 0;
        room.content = Some(content);
        room.state = RoomState::Open(control);
        true
    }

    /// Notes that the master's socket is lost. The room is kept for the master, unless its
    /// function never arrived. Returns false if the lease is no longer valid.
    pub(crate) fn lost(&mut self, token: &str, lease: u64, now: Instant) -> bool {
        let Some(room) = self.leased(token, lease) else { return false };
        room.uploading = 0;
        room.lose(RoomState::Lost(now));
        if room.content.is_none() {
            self.remove(token, now);
        }
        true
    }

    /// Ends the room at once, because the run is over.
    pub(crate) fn end(
        &mut self,
        token: &str,
        lease: u64,
        now: Instant,
    ) -> Option<EndedRoom<H::RoomHandle>> {
        self.leased(token, lease)?;
        self.remove(token, now)
    }

    /// The handle of a volunteer that signals.
    pub(crate) fn peer(&self, token: &str, lease: u64, peer: u64) -> Option<&H::PeerHandle> {
        self.rooms.get(token).filter(|room| room.lease == lease)?.peers.get(&peer)
    }

    /// Ends a volunteer's signalling on behalf of the master.
    pub(crate) fn dismiss(&mut self, token: &str, lease: u64, peer: u64) {
        if let Some(room) = self.leased(token, lease) {
            room.peers.remove(&peer);
        }
    }

    /// Hands a waiting link to the master. The link counts until [`unlink`](Self::unlink).
    pub(crate) fn claim(
        &mut self,
        token: &str,
        key: &str,
        link: &str,
    ) -> Result<H::LinkHandle, Unclaimed> {
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

/// Actions of volunteers.
impl<H: Handles> Rooms<H> {
    /// The content of a room's page; `None` if there is no such room or its function has not
    /// arrived.
    pub(crate) fn content(&self, token: &str) -> Option<&Content> {
        self.rooms.get(token)?.content.as_ref()
    }

    /// The handle of a room.
    pub(crate) fn handle(&self, token: &str) -> Option<&H::RoomHandle> {
        self.rooms.get(token).map(|room| &room.handle)
    }

    /// Checks that one more volunteer may come.
    pub(crate) fn has_place(&self, token: &str) -> Result<(), NoEntry> {
        let room =
            self.rooms.get(token).filter(|room| room.content.is_some()).ok_or(NoEntry::Unknown)?;
        match room.state {
            RoomState::Open(_) if room.crowd() >= self.limits.max_volunteers => Err(NoEntry::Full),
            RoomState::Open(_) => Ok(()),
            _ => Err(NoEntry::NoMaster),
        }
    }

    /// Lets a volunteer in for signalling; returns the number by which the master knows the
    /// volunteer.
    pub(crate) fn enter(&mut self, token: &str, peer: H::PeerHandle) -> Result<u64, NoEntry> {
        self.has_place(token)?;
        self.last += 1;
        let room = self.rooms.get_mut(token).ok_or(NoEntry::Unknown)?;
        room.peers.insert(self.last, peer);
        room.visits += 1;
        Ok(self.last)
    }

    /// The master of a volunteer that signals; `None` if the signalling or the master has ended.
    pub(crate) fn master_of(&self, token: &str, peer: u64) -> Option<&H::ControlHandle> {
        let room = self.rooms.get(token)?;
        room.peers.get(&peer).and(room.control())
    }

    /// Ends a volunteer's signalling; returns the master to be told, if there is one.
    pub(crate) fn leave(&mut self, token: &str, peer: u64) -> Option<&H::ControlHandle> {
        let room = self.rooms.get_mut(token)?;
        room.peers.remove(&peer)?;
        room.control()
    }

    /// Notes that a volunteer waits for the master to open `link`; returns the master to be told.
    pub(crate) fn wait(
        &mut self,
        token: &str,
        link: String,
        handle: H::LinkHandle,
    ) -> Result<&H::ControlHandle, NoEntry> {
        self.has_place(token)?;
        let room = self.rooms.get_mut(token).ok_or(NoEntry::Unknown)?;
        room.waiting.insert(link, handle);
        room.visits += 1;
        room.control().ok_or(NoEntry::NoMaster)
    }

    /// Removes a link that has ended, or for which the master did not come.
    pub(crate) fn unlink(&mut self, token: &str, link: &str) {
        if let Some(room) = self.rooms.get_mut(token) {
            room.waiting.remove(link);
            room.joined.remove(link);
        }
    }
}

/// Expiry, and questions about all rooms.
impl<H: Handles> Rooms<H> {
    /// Removes rooms that have waited too long for their master. A room with open links is kept,
    /// because its master is alive.
    pub(crate) fn expire(&mut self, now: Instant) -> Vec<EndedRoom<H::RoomHandle>> {
        let keep = self.limits.keep;
        let over = |room: &Room<H>| match room.state {
            RoomState::Lost(since) => {
                room.joined.is_empty() && now.saturating_duration_since(since) >= keep
            }
            _ => false,
        };
        let tokens: Vec<String> = self
            .rooms
            .iter()
            .filter(|(_, room)| over(room))
            .map(|(token, _)| token.clone())
            .collect();
        tokens.iter().filter_map(|token| self.remove(token, now)).collect()
    }

    /// The handle of the room with this public id.
    pub(crate) fn by_id(&self, id: &str) -> Option<&H::RoomHandle> {
        self.handle(self.tokens.get(id)?)
    }

    /// The public id of a room.
    pub(crate) fn id(&self, token: &str) -> Option<&str> {
        self.rooms.get(token).map(|room| room.id.as_str())
    }

    /// Counts the members of all rooms.
    pub(crate) fn counts(&self) -> RoomCounts {
        let mut counts = RoomCounts { rooms: self.rooms.len(), ..RoomCounts::default() };
        for room in self.rooms.values() {
            counts.peers += room.peers.len();
            counts.links += room.waiting.len() + room.joined.len();
        }
        counts
    }

    /// Bytes of functions, uploaded or being uploaded.
    fn bytes(&self) -> u64 {
        self.rooms.values().map(Room::bytes).sum()
    }

    fn remove(&mut self, token: &str, now: Instant) -> Option<EndedRoom<H::RoomHandle>> {
        let room = self.rooms.remove(token)?;
        self.tokens.remove(&room.id);
        let lasted = now.saturating_duration_since(room.since);
        Some(EndedRoom { id: room.id, handle: room.handle, lasted, visits: room.visits })
    }
}
