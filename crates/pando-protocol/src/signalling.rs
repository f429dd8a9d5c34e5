//! What a volunteer and a master say to each other before they have a peer connection: JSON texts
//! with a field `type`.
//!
//! A relay passes these messages on, without what it does not understand.
//! The dialect changes with [`crate::volunteer::VERSION`], since the hello follows it.

use crate::ice::IceServer;
use serde::{Deserialize, Serialize};

/// Longest text, in bytes; an offer of one data channel has about 600.
pub const LONGEST: usize = 16 * 1024;

/// What a volunteer says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum VolunteerSignal {
    /// The volunteer's offer, which comes once and first.
    Offer {
        /// The session description.
        sdp: String,
    },
    /// An address at which the volunteer may be reached.
    Candidate {
        /// `candidate:…`; an empty one says that there are no more.
        candidate: String,
    },
}

/// What a master says, and at first the server that the volunteer is connected to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum MasterSignal {
    /// The first message: STUN and TURN servers for the connection.
    Servers {
        /// As browsers take them.
        #[serde(rename = "iceServers")]
        ice_servers: Vec<IceServer>,
    },
    /// The answer to the offer.
    Answer {
        /// The session description.
        sdp: String,
    },
    /// An address at which the master may be reached.
    Candidate {
        /// `candidate:…`.
        candidate: String,
    },
    /// There will be no connection.
    Failed {
        /// The reason, for people.
        text: String,
    },
}

impl VolunteerSignal {
    /// Understands `text`, if it is a message of a volunteer and not too long.
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() <= LONGEST).then(|| serde_json::from_str(text).ok()).flatten()
    }
}

impl MasterSignal {
    /// The message as JSON.
    pub fn json(&self) -> String {
        serde_json::to_string(self).expect("messages are plain data")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_offers_and_candidates_of_a_decent_length_are_understood() {
        let candidate = VolunteerSignal::Candidate { candidate: "candidate:1".into() };
        assert_eq!(
            VolunteerSignal::parse(
                r#"{"type":"candidate","candidate":"candidate:1","sdpMid":"0"}"#
            ),
            Some(candidate)
        );
        assert_eq!(
            VolunteerSignal::parse(r#"{"type":"offer","sdp":"v=0"}"#),
            Some(VolunteerSignal::Offer { sdp: "v=0".into() })
        );
        assert_eq!(
            VolunteerSignal::parse(&format!(
                r#"{{"type":"offer","sdp":"{}"}}"#,
                "v".repeat(LONGEST)
            )),
            None
        );
        for other in [
            "",
            "{",
            "{}",
            "[]",
            "1",
            r#"{"type":"answer","sdp":""}"#,
            r#"{"type":"offer"}"#,
            r#"{"type":"offer","sdp":1}"#,
            r#"{"type":"candidate","candidate":1}"#,
        ] {
            assert_eq!(VolunteerSignal::parse(other), None, "{other}");
        }
    }

    #[test]
    fn what_the_master_says_names_its_type() {
        assert_eq!(
            MasterSignal::Failed { text: "no".into() }.json(),
            r#"{"type":"failed","text":"no"}"#
        );
    }
}
