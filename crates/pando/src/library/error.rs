//! What can go wrong.

use crate::master::Ending;

/// Why a stream of results has an error in place of a result, or ends before its time. Values are counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The run cannot start or go on: options that do not fit, a port that is taken, a function that cannot be loaded.
    #[error("{0}")]
    Refused(String),
    /// The stream of values gave an error, or a value that has no JSON form. The results of the values before it have come.
    #[error("the input failed: {0}")]
    Input(String),
    /// A value failed for good, after its `--retries`.
    #[error("{text}")]
    Failed {
        /// Which.
        index: u64,
        /// Where, why and what the value was, and the error's stack.
        text: String,
    },
    /// All has come but the results of so many values, which failed for good (`--on-error skip`).
    #[error("{0} of the values failed and were left out")]
    LeftOut(u64),
    /// A result is not of the type that was asked for. Others may be: the stream goes on.
    #[error("the result of item {index} is not what was asked for: {why}")]
    Result {
        /// Of which value.
        index: u64,
        /// What does not fit.
        why: String,
    },
}

impl Error {
    /// Why a run ended before its time, if it did; `told` says whether values that failed have been told one by one.
    pub(super) fn of(ending: Ending, told: bool) -> Option<Self> {
        match ending {
            Ending::Complete | Ending::ReaderLeft => None,
            Ending::SomeFailed(count) => (!told).then_some(Self::LeftOut(count)),
            Ending::InputFailed(error) => Some(Self::Input(error.text)),
            Ending::ItemFailed(index, text) => Some(Self::Failed { index: index + 1, text }),
            Ending::CannotRun(why) | Ending::OutputFailed(why) => Some(Self::Refused(why)),
            Ending::Interrupted | Ending::CutShort(_) => Some(Self::Refused("the run was cut short".into())),
        }
    }

    /// The result of the value at `index`, counted from 0, as an `R`.
    pub(super) fn parse<R: serde::de::DeserializeOwned>(index: u64, result: &[u8]) -> Result<R, Self> {
        serde_json::from_slice(result).map_err(|error| Self::Result { index: index + 1, why: error.to_string() })
    }
}
