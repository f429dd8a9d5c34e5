//! What is said on the control socket between a master and a relay: JSON text messages.

use crate::ice::IceServer;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Version of what is said here.
pub(super) const VERSION: u32 = 1;

/// What the master says.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum ToRelay<'a> {
    /// Opens a room; the bundle follows in binary messages.
    Open {
        version: u32,
        token: &'a str,
        key: &'a str,
        function: &'a str,
        size: usize,
        dom: bool,
        #[serde(rename = "denyNet")]
        deny_net: bool,
        #[serde(rename = "iceServers", skip_serializing_if = "<[IceServer]>::is_empty")]
        ice_servers: &'a [IceServer],
    },
    /// To a volunteer, on its signalling socket.
    Signal { peer: u64, message: Value },
    /// Ends a volunteer's signalling socket.
    Left { peer: u64 },
    /// The run is over.
    End,
}

/// What the relay says.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum FromRelay {
    /// The room is open.
    Opened {
        url: String,
        /// STUN servers, as `host:port`.
        #[serde(default)]
        stun: Vec<String>,
        /// Whether the page closes the network to the function, where that was asked for.
        #[serde(default, rename = "denyNet")]
        deny_net: bool,
    },
    /// The room cannot be opened.
    Refused { text: String },
    /// From a volunteer, on its signalling socket.
    Signal { peer: u64, message: Value },
    /// A volunteer's signalling socket ended.
    Left { peer: u64 },
    /// A volunteer came over a WebSocket: it waits at `/rooms/TOKEN/links/ID`.
    Link { id: String },
    /// What later relays may say.
    #[serde(other)]
    Other,
}
