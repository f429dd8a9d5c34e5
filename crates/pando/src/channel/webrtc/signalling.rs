//! The messages between a browser and a master before they are connected: JSON texts with a field
//! `type`.

use serde::{Deserialize, Serialize};

/// Longest text from a browser, in bytes; an offer of one data channel has about 600.
const LONGEST: usize = 16 * 1024;

/// A message from a browser.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum FromBrowser {
    /// The offer of the browser; the first message, and the only offer.
    Offer {
        /// The session description of the browser.
        sdp: String,
    },
    /// An address of the browser.
    Candidate {
        /// `candidate:…`; empty when there are no more candidates.
        candidate: String,
    },
}

impl FromBrowser {
    /// Parses `text`, if it is a message of this type and not too long.
    pub(super) fn parse(text: &str) -> Option<Self> {
        (text.len() <= LONGEST).then(|| serde_json::from_str(text).ok()).flatten()
    }
}

/// A message from the master.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum ToBrowser {
    /// The answer to the offer.
    Answer {
        /// The session description that str0m made.
        sdp: String,
    },
    /// An address of the master.
    Candidate {
        /// `candidate:…`.
        candidate: String,
    },
    /// No connection will be made.
    Failed {
        /// The reason, for people.
        text: String,
    },
}

impl ToBrowser {
    /// The message as a JSON text.
    pub(super) fn json(&self) -> String {
        serde_json::to_string(self).expect("messages are plain data")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_offers_and_candidates_of_a_decent_length_are_understood() {
        let candidate = FromBrowser::Candidate { candidate: "candidate:1".into() };
        assert_eq!(FromBrowser::parse(r#"{"type":"candidate","candidate":"candidate:1","sdpMid":"0"}"#), Some(candidate));
        assert_eq!(FromBrowser::parse(r#"{"type":"offer","sdp":"v=0"}"#), Some(FromBrowser::Offer { sdp: "v=0".into() }));
        assert_eq!(FromBrowser::parse(&format!(r#"{{"type":"offer","sdp":"{}"}}"#, "v".repeat(LONGEST))), None);
        for other in ["", "{}", r#"{"type":"answer","sdp":""}"#, r#"{"type":"offer"}"#, r#"{"type":"candidate","candidate":1}"#] {
            assert_eq!(FromBrowser::parse(other), None, "{other}");
        }
    }

    #[test]
    fn what_the_master_says_names_its_type() {
        assert_eq!(ToBrowser::Failed { text: "no".into() }.json(), r#"{"type":"failed","text":"no"}"#);
    }
}
