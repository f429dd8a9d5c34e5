//! What a browser and a master say to each other before they are connected: JSON texts with a field `type`.

use serde::{Deserialize, Serialize};

/// Longest text from a browser, in bytes; an offer of one data channel has about 600.
const LONGEST: usize = 16 * 1024;

/// What a browser says.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum FromBrowser {
    /// Its offer, once and first.
    Offer {
        /// As it made it.
        sdp: String,
    },
    /// An address at which it may be reached.
    Candidate {
        /// `candidate:…`; empty: there are no more.
        candidate: String,
    },
}

impl FromBrowser {
    /// Understands `text`, if it is one of these and not too long.
    pub(super) fn parse(text: &str) -> Option<Self> {
        (text.len() <= LONGEST).then(|| serde_json::from_str(text).ok()).flatten()
    }
}

/// What the master says.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum ToBrowser {
    /// Its answer to the offer.
    Answer {
        /// As str0m made it.
        sdp: String,
    },
    /// An address at which it may be reached.
    Candidate {
        /// `candidate:…`.
        candidate: String,
    },
    /// There will be no connection.
    Failed {
        /// Why, for people.
        text: String,
    },
}

impl ToBrowser {
    /// As text.
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
