//! The master's side of a public relay: a room there, through which volunteers outside the local network join.
//!
//! One WebSocket, the *control* socket, stays open for the run: it carries the signalling of peer connections, which then go
//! straight to this machine. A volunteer that cannot be reached directly comes over a *link*: a WebSocket of its own from here to
//! the relay, which passes its bytes through; so no volunteer waits for another's.

mod backoff;
mod client;
mod proxy;
mod room;

pub use client::Relay;

use crate::{channel::Peers, ice::IceServer, master::Master};
use pando_web::Connections;
use room::Room;
use std::{sync::Arc, time::Duration};
use tokio::sync::{mpsc, oneshot};

/// Time for the relay to hear that the run is over.
const LAST_WORD: Duration = Duration::from_millis(500);

/// What a room serves.
#[derive(Debug, Clone)]
pub struct Program {
    /// The function's bundle.
    pub function: String,
    /// Its hash.
    pub hash: String,
    /// Whether it runs in the page.
    pub dom: bool,
    /// Whether it reaches nothing from a tab but the relay.
    pub deny_net: bool,
    /// The room's name, and join token.
    pub token: String,
    /// Proves, after a lost connection, that the room is ours.
    pub key: String,
    /// STUN and TURN servers for volunteers in place of the relay's, as the list that browsers take; empty: the relay's.
    pub ice_servers: Vec<IceServer>,
}

/// An open room. It is opened again whenever the connection to the relay is lost, and goes when this is dropped.
#[derive(Debug)]
pub struct Uplink {
    /// Where volunteers join.
    pub url: String,
    end: mpsc::Sender<oneshot::Sender<()>>,
}

impl Uplink {
    /// Opens a room at `relay` whose volunteers work for `master`.
    ///
    /// # Errors
    /// When the relay cannot be reached or refuses; the text says what to do.
    pub(crate) async fn open(
        relay: Relay,
        program: Program,
        master: Arc<Master>,
        peers: Option<Peers>,
        connections: Arc<Connections>,
    ) -> Result<Self, String> {
        let mut room = Room::new(relay, program, master, peers, connections);
        let control = room.connect().await.map_err(|refused| refused.0)?;
        let url = control.url.clone();
        let (end, ends) = mpsc::channel(1);
        tokio::spawn(room.keep_open(control, ends));
        Ok(Self { url, end })
    }

    /// Tells the relay that the run is over: the room goes at once.
    pub async fn end(&self) {
        let (said, heard) = oneshot::channel();
        if self.end.send(said).await.is_ok() {
            let _ = tokio::time::timeout(LAST_WORD, heard).await;
        }
    }
}
