//! What the sockets' tasks hang on rooms.

use super::{rooms::Handles, traffic::Traffic};
use hyper_util::rt::TokioIo;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot, watch};

/// Bytes after a WebSocket's handshake.
pub(crate) type Raw = TokioIo<hyper::upgrade::Upgraded>;

/// What hangs on a room.
#[derive(Debug)]
pub(crate) struct Shell {
    /// Its rates.
    pub(crate) traffic: Arc<Traffic>,
    /// Dropped with the room: so its links hear that it is gone.
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

/// Tasks' ends of queues, hung on rooms.
#[derive(Debug)]
pub(crate) enum Sockets {}

impl Handles for Sockets {
    type Room = Shell;
    type Control = mpsc::Sender<String>;
    type Peer = mpsc::Sender<String>;
    type Link = oneshot::Sender<Raw>;
}
