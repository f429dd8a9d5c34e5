//! The input of a failed item, as a list of failed items and the output show it.

use bytes::Bytes;
use serde_json::to_string;

/// The input of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FailedInput {
    /// A text: a line, an item of the command line, the name of a file.
    Text(Bytes),
    /// A JSON text.
    Json(Bytes),
    /// Something that is no value: no UTF-8, or no JSON. It is shown as text.
    Unusable(Bytes),
}

impl FailedInput {
    /// The bytes of the input.
    pub(crate) fn bytes(&self) -> &Bytes {
        let (Self::Text(bytes) | Self::Json(bytes) | Self::Unusable(bytes)) = self;
        bytes
    }

    /// Whether the input is no value.
    pub(super) fn is_unusable(&self) -> bool {
        matches!(self, Self::Unusable(_))
    }

    /// The input as JSON on one line: a string, or the JSON text as it was.
    pub(super) fn as_json(&self) -> String {
        match self {
            Self::Text(bytes) | Self::Unusable(bytes) => text(bytes),
            Self::Json(bytes) => match std::str::from_utf8(bytes) {
                // Outside of strings, these characters mean nothing; inside, JSON has none.
                Ok(json) => json.trim().replace(['\n', '\r'], " "),
                Err(_) => text(bytes),
            },
        }
    }
}

fn text(bytes: &[u8]) -> String {
    to_string(&String::from_utf8_lossy(bytes)).expect("a string has a form in JSON")
}
