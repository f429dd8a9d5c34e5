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
        /// The relay's address as this master knows it, which a proxy may have changed on the way.
        at: &'a str,
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
    Link { id: LinkId },
    /// What later relays may say.
    #[serde(other)]
    Other,
}

/// A link's name at the relay: letters that are no more than one segment of a path.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct LinkId(String);

impl LinkId {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for LinkId {
    type Error = &'static str;

    fn try_from(id: String) -> Result<Self, Self::Error> {
        let is_fine = (1..=64).contains(&id.len()) && id.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_');
        is_fine.then_some(Self(id)).ok_or("this is no link's name")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_s_name_brings_nothing_else_into_a_path() {
        let link = |id: &str| serde_json::from_value::<FromRelay>(serde_json::json!({"type": "link", "id": id}));
        assert!(
            matches!(link("abcdefghijkmnpqrstuvwxyz"), Ok(FromRelay::Link { id }) if id.as_str() == "abcdefghijkmnpqrstuvwxyz")
        );
        for wrong in ["", ".", "..", "../../x?", "a/b", "a?b", "a#b", "a%2fb", "a\\b", "a b", "a\r\nb", "é", &"a".repeat(65)] {
            assert!(link(wrong).is_err(), "{wrong:?}");
        }
    }
}
