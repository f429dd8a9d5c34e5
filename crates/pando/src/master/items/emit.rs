//! Emitting: results leave, in the order of the input or as they come.

use super::{InputError, Items};
use bytes::Bytes;
use std::path::PathBuf;
use stream_lender::Output;

/// The result of an item, `None` if the item is left out, and the file for the result.
pub(crate) type Outgoing = (Option<Bytes>, Option<PathBuf>);

impl Items {
    /// Takes the next item: in the order of the input, or as results come.
    #[inline]
    pub(crate) fn emit(&mut self) -> Output<Outgoing, InputError> {
        match self.lender.next_output() {
            Output::Item(index, result) => Output::Item(index, (result, self.targets.take(index))),
            Output::Pending => Output::Pending,
            Output::Done => Output::Done,
            Output::Failed(error) => Output::Failed(error),
        }
    }

    /// Whether an item is ready, the output has ended, or a message to the program waits.
    pub(crate) fn has_output(&self) -> bool {
        self.lender.has_output()
            || self.program.as_ref().is_some_and(|program| program.has_said())
            || self.upstream.as_ref().is_some_and(|upstream| upstream.has_said())
    }
}
