//! How a run ends.

use super::InputError;
use stream_lender::Index;

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Every item read has its output.
    Complete,
    /// The reader of the output has gone.
    ReaderLeft,
    /// The input failed. All items before the error are output.
    InputFailed(InputError),
    /// This item failed for good and ended the run. All items before are output.
    ItemFailed(Index, String),
    /// Every item read has its output, except this number of failed items.
    SomeFailed(u64),
    /// No device can ever run the function.
    CannotRun(String),
    /// The run was told to stop. All items read are output.
    Interrupted,
    /// The run was told to stop. Some of the items read are left without an output.
    CutShort(Left),
    /// Every item read has its output, or the reader of the output has gone. Some of the output may
    /// be wrong.
    InDoubt(String),
    /// The output cannot be written.
    OutputFailed(String),
}

/// The items left by a stopped run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Left {
    /// Items which were read and have no output.
    pub(crate) items: usize,
    /// How many of these items have a result which nobody took from standard output.
    pub(crate) unread: usize,
}

impl Ending {
    /// This ending, or the error if a file of the run could not be `written`, unless this ending is
    /// an error already.
    pub(crate) fn unless_written(self, written: Result<(), String>) -> Self {
        match (written, &self) {
            (
                Err(why),
                Self::Complete
                | Self::ReaderLeft
                | Self::InDoubt(_)
                | Self::SomeFailed(_)
                | Self::Interrupted
                | Self::CutShort(_),
            ) => Self::OutputFailed(why),
            _ => self,
        }
    }
}
