//! The handles that the sockets' tasks attach to rooms.

use super::{rooms::Handles, traffic::Traffic};
use hyper_util::rt::TokioIo;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot, watch};

/// The byte stream after a WebSocket's handshake.
pub(crate) type Raw = TokioIo<hyper::upgrade::Upgraded>;

/// The handle of a room.
#[derive(Debug)]
pub(crate) struct Shell {
    /// The room's rates and counts.
    pub(crate) traffic: Arc<Traffic>,
    /// A sender that is dropped with the room, so that the links of the room notice its end.
    pub(crate) gone: watch::Sender<()>,
}

impl Shell {
    pub(crate) fn new(traffic: Traffic) -> Self {
        Self { traffic: Arc::new(traffic), gone: watch::Sender::new(()) }
    }

    pub(crate) fn traffic(&self) -> Arc<Traffic> {
        self.traffic.clone()
    }
}

/// The handle types: senders to the sockets' tasks.
#[derive(Debug)]
pub(crate) enum Sockets {}

impl Handles for Sockets {
    type RoomHandle = Shell;
    type ControlHandle = mpsc::Sender<String>;
    type PeerHandle = mpsc::Sender<String>;
    type LinkHandle = oneshot::Sender<Raw>;
}
