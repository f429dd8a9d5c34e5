//! The shape of a run: how values of the input become items, and how results become lines.

mod chunks;
mod packed;

pub(super) use chunks::{Chunks, Hole};
pub(super) use packed::Packed;

use std::{
    collections::HashSet,
    sync::{Arc, OnceLock},
};

/// See the module. By default each value is an item, and each result a line.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shape {
    /// `--csv` and `--tsv`: values are rows, and results are columns.
    pub(crate) table: Option<Table>,
    /// `--chunk`: an item is a list of values.
    pub(crate) chunks: Option<Arc<Chunks>>,
    /// `--tag`: each result is printed with its input.
    pub(crate) tags: bool,
    /// `--head`: the number of values after which reading ends.
    pub(crate) head: Option<u64>,
}

/// A table in text, as input, output or both.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    /// The byte between fields.
    pub(crate) delimiter: u8,
    /// The columns of the input, once they are known.
    pub(crate) columns: Arc<OnceLock<Vec<String>>>,
    /// The columns of the output, once its header is printed.
    pub(crate) header: Arc<OnceLock<HashSet<String>>>,
}

impl Shape {
    /// The shape of a run with a table of this delimiter, if there is one, and with `chunk` values
    /// per item.
    pub(crate) fn new(
        delimiter: Option<u8>,
        chunk: Option<u64>,
        tags: bool,
        head: Option<u64>,
    ) -> Self {
        Self {
            table: delimiter.map(|delimiter| Table {
                delimiter,
                columns: Arc::default(),
                header: Arc::default(),
            }),
            chunks: chunk.map(|size| Arc::new(Chunks::new(size))),
            tags,
            head,
        }
    }

    /// Whether the output is written from more than the results alone.
    pub(crate) fn reshapes(&self) -> bool {
        self.table.is_some() || self.chunks.is_some() || self.tags
    }
}
