//! A picture whose tiles are the results of a run.

use serde::Serialize;
use std::{
    io,
    sync::{Arc, Mutex, MutexGuard},
};

/// A picture in equal tiles. Its items are the tiles, row by row. Clones share the results.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Mosaic {
    pub(crate) columns: u32,
    pub(crate) rows: u32,
    /// The results so far, in order, each with a line feed.
    #[serde(skip)]
    results: Arc<Mutex<Vec<u8>>>,
}

impl Mosaic {
    /// A picture without results.
    pub(crate) fn new(columns: u32, rows: u32) -> Self {
        Self { columns, rows, results: Arc::default() }
    }

    /// The results so far, in order, each with a line feed.
    pub(crate) fn results(&self) -> MutexGuard<'_, Vec<u8>> {
        self.results.lock().expect("nobody panics with it")
    }
}

/// Takes the results that an ordinary run writes to standard output.
impl io::Write for Mosaic {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.results().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
