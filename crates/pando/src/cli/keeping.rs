//! What stays for a later run.

use clap::{Args, builder::BoolishValueParser as YesOrNo};
use std::path::PathBuf;

/// See the module.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Keeping results")]
pub(crate) struct Keeping {
    /// Keep results in this file as they come: the same command, given again, goes on where this
    /// run ended, however that was, and computes only what is new if the input was edited
    #[arg(long, env = "PANDO_JOURNAL", value_name = "FILE")]
    pub(crate) journal: Option<PathBuf>,

    /// With --journal: go on with the results that are there although the function or its options
    /// have changed; inputs without a result are computed
    #[arg(long, env = "PANDO_JOURNAL_KEEP", value_parser = YesOrNo::new())]
    pub(crate) journal_keep: bool,
}
