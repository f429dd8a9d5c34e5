//! One room: its master, its volunteers, and its function.

use super::{Content, Handles};
use std::{
    collections::{HashMap, HashSet},
    time::Instant,
};

/// One room.
pub(super) struct Room<H: Handles> {
    pub(super) id: String,
    pub(super) key: String,
    pub(super) handle: H::RoomHandle,
    pub(super) since: Instant,
    pub(super) lease: u64,
    pub(super) state: RoomState<H::ControlHandle>,
    pub(super) content: Option<Content>,
    /// Bytes of the function that is being uploaded.
    pub(super) uploading: u64,
    pub(super) peers: HashMap<u64, H::PeerHandle>,
    pub(super) waiting: HashMap<String, H::LinkHandle>,
    pub(super) joined: HashSet<String>,
    pub(super) visits: u64,
}

/// Where the room is in its life.
#[derive(Debug)]
pub(super) enum RoomState<C> {
    Uploading,
    Open(C),
    Lost(Instant),
}

impl<H: Handles> Room<H> {
    pub(super) fn control(&self) -> Option<&H::ControlHandle> {
        match &self.state {
            RoomState::Open(control) => Some(control),
            _ => None,
        }
    }

    /// Ends all signalling and waiting, which need a master; open links go on.
    pub(super) fn lose(&mut self, state: RoomState<H::ControlHandle>) {
        self.state = state;
        self.peers.clear();
        self.waiting.clear();
    }

    pub(super) fn crowd(&self) -> usize {
        self.peers.len() + self.waiting.len() + self.joined.len()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.uploading + self.content.as_ref().map_or(0, |content| content.function.len() as u64)
    }
}
