//! The errors of a run.

use crate::master::Ending;

/// An error in the place of a result, or at an early end of the stream. Values are counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The run cannot start or go on: the options are wrong, a port is taken, the function cannot
    /// be loaded. At the end of the results: a file about the run cannot be written.
    #[error("{0}")]
    Refused(String),
    /// The stream of values gave an error, or a value without a JSON form. The results of earlier
    /// values have come.
    #[error("the input failed: {0}")]
    Input(String),
    /// A value failed for good, after its `--retries`.
    #[error("{text}")]
    Failed {
        /// The value's number.
        index: u64,
        /// A text with the position, the reason, the value, and the error's stack.
        text: String,
    },
    /// This many values failed for good ([`OnError::Skip`](crate::OnError::Skip)). All other
    /// results have come.
    #[error("{0} of the values failed and were left out")]
    LeftOut(u64),
    /// A result does not have the requested type. The stream goes on, because other results may
    /// have it.
    #[error("the result of item {index} is not what was asked for: {why}")]
    Result {
        /// The number of the value.
        index: u64,
        /// The mismatch between the result and the type.
        why: String,
    },
}

impl Error {
    /// The error for a run that ended early; `None` otherwise. `told`: whether each failed value
    /// has already been reported.
    pub(super) fn of(ending: Ending, told: bool) -> Option<Self> {
        match ending {
            Ending::Complete | Ending::ReaderLeft => None,
            Ending::SomeFailed(count) => (!told).then_some(Self::LeftOut(count)),
            Ending::InputFailed(error) => Some(Self::Input(error.text)),
            Ending::ItemFailed(index, text) => Some(Self::Failed { index: index + 1, text }),
            Ending::CannotRun(why) | Ending::OutputFailed(why) | Ending::InDoubt(why) => {
                Some(Self::Refused(why))
            }
            Ending::Interrupted | Ending::CutShort(_) => {
                Some(Self::Refused("the run was cut short".into()))
            }
        }
    }

    /// Parses the result of the value at `index`, counted from 0, as an `R`.
    pub(super) fn parse<R: serde::de::DeserializeOwned>(
        index: u64,
        result: &[u8],
    ) -> Result<R, Self> {
        serde_json::from_slice(result)
            .map_err(|error| Self::Result { index: index + 1, why: error.to_string() })
    }
}
