//! How values become items, and results lines.

use crate::{cli::Rows, master::Shape};

/// The options about rows, chunks and the form of results.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ShapeOptions {
    /// The byte between the fields of a table (`--csv`, `--tsv`).
    pub(crate) delimiter: Option<u8>,
    /// Whether values are combinations (`--grid`).
    pub(crate) grid: bool,
    /// The number of values per item (`--chunk`).
    pub(crate) chunk: Option<u64>,
    /// Whether results are printed with their inputs (`--tag`).
    pub(crate) tags: bool,
    /// The number of values after which reading ends (`--head`).
    pub(crate) head: Option<u64>,
}

impl ShapeOptions {
    /// The options of `rows`.
    pub(super) fn new(rows: &Rows) -> Self {
        let delimiter = if rows.tsv { Some(b'\t') } else { rows.csv.then_some(b',') };
        Self {
            delimiter,
            grid: !rows.grid.is_empty(),
            chunk: rows.chunk,
            tags: rows.tag,
            head: rows.head,
        }
    }

    /// Whether values are JSON objects because of these options.
    pub(super) fn makes_objects(&self) -> bool {
        self.delimiter.is_some() || self.grid
    }

    /// The number of items for this many values, if somebody knows.
    pub(super) fn items_of(&self, values: Option<u64>) -> Option<u64> {
        let values = values?.min(self.head.unwrap_or(u64::MAX));
        Some(values.div_ceil(self.chunk.unwrap_or(1)))
    }

    /// The shape of a run with these options.
    pub(crate) fn shape(&self) -> Shape {
        Shape::new(self.delimiter, self.chunk, self.tags, self.head)
    }
}
