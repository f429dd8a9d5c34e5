//! The master's side of a public relay: a room for volunteers outside the local network.
//!
//! A WebSocket, the *control* socket, stays open for the run. The control socket carries the
//! signalling of peer connections, which then go straight to this machine. A volunteer without a
//! direct path comes over a *link*: a separate WebSocket from here to the relay. The relay passes
//! the bytes through, so no volunteer waits for another volunteer.

mod client;
mod room;

pub(crate) use client::RelayClient;

use crate::{assets::AssetSource, channel::Peers, ice::IceServer, master::Master};
use pando_protocol::page::PageOptions;
use pando_web::Connections;
use room::RoomClient;
use std::{sync::Arc, time::Duration};
use tokio::sync::{mpsc, oneshot};

/// How long telling the relay about the end of the run may take.
const LAST_WORD: Duration = Duration::from_millis(500);

/// The content and the settings of a room.
#[derive(Debug, Clone)]
pub(crate) struct RoomContent {
    /// The function's bundle.
    pub(crate) function: String,
    /// The settings of the page.
    pub(crate) page: PageOptions,
    /// The room's name, and the join token.
    pub(crate) token: String,
    /// The proof, after a lost connection, of owning the room.
    pub(crate) key: String,
    /// The assets of the run, if it has some.
    pub(crate) assets: Option<AssetSource>,
    /// STUN and TURN servers for volunteers. If empty, volunteers get the relay's servers.
    pub(crate) ice_servers: Vec<IceServer>,
}

/// An open room. A room is opened again after each loss of the connection to the relay; dropping
/// this value closes the room.
#[derive(Debug)]
pub(crate) struct Uplink {
    /// Where volunteers join.
    pub(crate) url: String,
    end: mpsc::Sender<oneshot::Sender<()>>,
}

impl Uplink {
    /// Opens a room at `relay` whose volunteers work for `master`.
    ///
    /// # Errors
    /// When the relay cannot be reached or refuses, with the remedy.
    pub(crate) async fn open(
        relay: RelayClient,
        content: RoomContent,
        master: Arc<Master>,
        peers: Option<Peers>,
        connections: Arc<Connections>,
    ) -> Result<Self, String> {
        let mut room = RoomClient::new(relay, content, master, peers, connections);
        let control = room.connect().await.map_err(|refused| refused.0)?;
        let url = control.url.clone();
        let (end, ends) = mpsc::channel(1);
        tokio::spawn(room.keep_open(control, ends));
        Ok(Self { url, end })
    }

    /// Tells the relay that the run is over: the room goes at once.
    pub(crate) async fn end(&self) {
        let (said, heard) = oneshot::channel();
        if self.end.send(said).await.is_ok() {
            let _ = tokio::time::timeout(LAST_WORD, heard).await;
        }
    }
}
