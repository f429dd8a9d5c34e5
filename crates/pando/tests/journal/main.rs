//! `--journal FILE`: runs that end in every way, and continue.

mod by_value;
mod disk;
mod goes_on;
mod inspected;
mod kills;
mod refusals;
mod volunteers;

use pando_testing::PandoCommand;
use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

const SQUARE: &str = "(x, cb) => cb(null, x * x)";

/// The file of a journal in its own folder.
struct JournalFile {
    folder: TempDir,
}

impl JournalFile {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("the temporary folder can be written") }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("journal")
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.path()).unwrap_or_default()
    }

    fn len(&self) -> u64 {
        self.path().metadata().map_or(0, |about| about.len())
    }

    /// The indices of the items with results, from 0, in the order of writing.
    fn items(&self) -> Vec<u64> {
        pando::journal::read(&self.bytes()).map(|contents| contents.items).unwrap_or_default()
    }

    /// Adds this journal to the command line.
    fn of(&self, pando: PandoCommand) -> PandoCommand {
        pando.args(args(&self.path()))
    }
}

fn args(journal: &Path) -> [OsString; 2] {
    ["--journal".into(), journal.into()]
}

/// The squares of 1 to `end`, one per line.
fn squares(end: u64) -> String {
    (1..=end).map(|n| format!("{}\n", n * n)).collect()
}
