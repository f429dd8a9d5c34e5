//! What a master and a relay say to each other on the master's control socket: JSON texts with a
//! field `type`.

use crate::{
    ice::IceServer,
    page::{PageOptions, is_false},
    signalling::{MasterSignal, VolunteerSignal},
};
use serde::{Deserialize, Serialize};

/// Version of this dialect; both sides must speak the same.
pub const VERSION: u32 = 1;

/// What a master says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum ToRelay {
    /// Opens a room; the function's bundle follows in binary messages.
    Open(Open),
    /// Something for a volunteer, on its signalling socket.
    Signal {
        /// The volunteer, as the relay numbers it.
        peer: u64,
        /// The message.
        message: MasterSignal,
    },
    /// Ends a volunteer's signalling socket.
    Left {
        /// The volunteer, as the relay numbers it.
        peer: u64,
    },
    /// The run is over.
    End,
}

/// The room that a master asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// Version of the dialect that the master speaks.
    pub version: u32,
    /// The relay's address as this master knows it, which a proxy may have changed on the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// The room's name, which is the join token too.
    pub token: String,
    /// Proves, after a lost connection, that the room is this master's.
    pub key: String,
    /// The settings of the room's page.
    #[serde(flatten)]
    pub page: PageOptions,
    /// Length of the bundle, in bytes.
    pub size: u64,
    /// STUN and TURN servers for volunteers; empty: the relay's.
    #[serde(default, rename = "iceServers", skip_serializing_if = "Vec::is_empty")]
    pub ice_servers: Vec<IceServer>,
}

/// What a relay says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum FromRelay {
    /// The room is open.
    Opened {
        /// Where volunteers join.
        url: String,
        /// STUN servers for the master, as `host:port`.
        #[serde(default)]
        stun: Vec<String>,
        /// Whether the page closes the network to the function, where that was asked for.
        #[serde(default, rename = "denyNet")]
        deny_net: bool,
        /// Whether the relay passes assets on, where the run has some.
        #[serde(default, skip_serializing_if = "is_false")]
        assets: bool,
    },
    /// The room cannot be opened.
    Refused {
        /// The reason, for people.
        text: String,
    },
    /// Something from a volunteer, on its signalling socket.
    Signal {
        /// The volunteer, as the relay numbers it.
        peer: u64,
        /// The message.
        message: VolunteerSignal,
    },
    /// A volunteer's signalling socket ended.
    Left {
        /// The volunteer, as the relay numbers it.
        peer: u64,
    },
    /// A volunteer came over a WebSocket: it waits at `/rooms/TOKEN/links/ID`.
    Link {
        /// The link's name.
        id: LinkId,
    },
    /// A volunteer wants an asset. The master answers on a link of this name by an [`AssetHead`] as
    /// text, and the bytes in binary messages.
    Asset {
        /// The link's name.
        id: LinkId,
        /// The path of the asset.
        name: String,
        /// The first byte.
        #[serde(default)]
        from: u64,
        /// The byte after the last one; the end of the asset if this is missing.
        #[serde(default)]
        to: Option<u64>,
        /// Whether only the head is wanted.
        #[serde(default)]
        head: bool,
    },
    /// What later relays may say.
    #[serde(other)]
    Other,
}

/// The start of a master's answer to a request for an asset.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssetHead {
    /// Why there is no such asset, in words for people; empty if there is one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub no: String,
    /// Length of the whole asset.
    #[serde(default)]
    pub length: u64,
    /// The first byte that follows.
    #[serde(default)]
    pub from: u64,
    /// The byte after the last one that follows.
    #[serde(default)]
    pub to: u64,
    /// Hash of the whole asset.
    #[serde(default)]
    pub hash: String,
    /// The media type.
    #[serde(default)]
    pub kind: String,
}

/// A link's name at the relay: letters that are no more than one segment of a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct LinkId(String);

impl LinkId {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for LinkId {
    type Error = &'static str;

    fn try_from(id: String) -> Result<Self, Self::Error> {
        let is_fine = (1..=64).contains(&id.len())
            && id.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_');
        is_fine.then_some(Self(id)).ok_or("this is no link's name")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_s_name_brings_nothing_else_into_a_path() {
        let link = |id: &str| {
            serde_json::from_value::<FromRelay>(serde_json::json!({"type": "link", "id": id}))
        };
        assert!(
            matches!(link("abcdefghijkmnpqrstuvwxyz"), Ok(FromRelay::Link { id }) if id.as_str() == "abcdefghijkmnpqrstuvwxyz")
        );
        for wrong in [
            "",
            ".",
            "..",
            "../../x?",
            "a/b",
            "a?b",
            "a#b",
            "a%2fb",
            "a\\b",
            "a b",
            "a\r\nb",
            "é",
            &"a".repeat(65),
        ] {
            assert!(link(wrong).is_err(), "{wrong:?}");
        }
    }
}
