//! Values in rows, grids and chunks, and the form of their results.

use crate::grid::Axis;
use clap::{Args, builder::BoolishValueParser as YesOrNo};

/// See the module.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Rows")]
pub(crate) struct Rows {
    /// Values are the rows of a table with commas: the function receives each row as an object,
    /// and results become further columns (see docs/rows.md)
    #[arg(long, env = "PANDO_CSV", value_parser = YesOrNo::new())]
    pub(crate) csv: bool,

    /// As --csv, with TAB in place of commas
    #[arg(long, env = "PANDO_TSV", value_parser = YesOrNo::new())]
    pub(crate) tsv: bool,

    /// Values are all combinations of these, as objects: NAME=START:END:STEP or NAME=A,B,C
    /// (repeatable; the last name varies fastest)
    #[arg(long, env = "PANDO_GRID", value_name = "NAME=VALUES", value_delimiter = ';')]
    pub(crate) grid: Vec<Axis>,

    /// Give the function N values at once, as an array; it answers an array of N results
    #[arg(long, env = "PANDO_CHUNK", value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub(crate) chunk: Option<u64>,

    /// Print results as they come, not in the order of their inputs
    #[arg(long, env = "PANDO_UNORDERED", value_parser = YesOrNo::new())]
    pub(crate) unordered: bool,

    /// Print each result with its input: input, TAB, result; or with --json
    /// {"index":…,"input":…,"result":…}
    #[arg(long, env = "PANDO_TAG", value_parser = YesOrNo::new())]
    pub(crate) tag: bool,

    /// Compute the first N values only
    #[arg(long, env = "PANDO_HEAD", value_name = "N")]
    pub(crate) head: Option<u64>,

    /// Load the function, say what would run, and compute the first value on this machine: no
    /// device can join, and no file is written
    #[arg(long, env = "PANDO_DRY_RUN", value_parser = YesOrNo::new())]
    pub(crate) dry_run: bool,
}
