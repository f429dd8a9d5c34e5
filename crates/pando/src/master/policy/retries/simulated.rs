//! What the simulation checks.

use super::Retries;
use stream_lender::Index;

impl Retries {
    /// The item which ends the run.
    pub(crate) fn fatal(&self) -> Option<Index> {
        self.fatal.as_ref().map(|(index, _)| *index)
    }

    /// The number of failed attempts at `index`.
    pub(crate) fn attempts(&self, index: Index) -> u32 {
        self.failures.attempts(index)
    }

    /// The values with failures on record.
    pub(crate) fn indexes(&self) -> impl Iterator<Item = Index> {
        self.failures.indexes()
    }

    /// Whether nothing is on record about any value.
    pub(crate) fn is_empty(&self) -> bool {
        self.indexes().next().is_none() && self.told.is_empty()
    }
}
