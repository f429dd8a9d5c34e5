//! The files for results of items that are not yet output.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};
use stream_lender::Index;

/// See the module. Empty if results are printed.
#[derive(Debug, Default)]
pub(super) struct Targets {
    files: BTreeMap<Index, PathBuf>,
    /// The index of the next item.
    next: Index,
}

impl Targets {
    /// Adds the file for the result of the next item, if results go to files.
    pub(super) fn push(&mut self, target: Option<PathBuf>) {
        if let Some(target) = target {
            self.files.insert(self.next, target);
        }
        self.next += 1;
    }

    /// Passes over the next `count` items, whose results are printed.
    pub(super) fn pass(&mut self, count: u64) {
        self.next += count;
    }

    /// The file for the result of an item.
    pub(super) fn file(&self, index: Index) -> Option<&Path> {
        self.files.get(&index).map(PathBuf::as_path)
    }

    /// Takes the file for the result of an item, which is output now.
    #[inline]
    pub(super) fn take(&mut self, index: Index) -> Option<PathBuf> {
        if self.files.is_empty() { None } else { self.files.remove(&index) }
    }

    /// Whether no file is known.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}
