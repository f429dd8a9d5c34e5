//! Where values come from, in which form, and where results go.

use clap::{Args, builder::BoolishValueParser as YesOrNo};
use std::path::PathBuf;

/// See the module.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Input and output")]
pub(crate) struct Data {
    /// Read values from standard input, one per line
    #[arg(long, env = "PANDO_STDIN", value_parser = YesOrNo::new())]
    pub(crate) stdin: bool,

    /// Separate values and results with NUL instead of newline
    #[arg(short = '0', long, env = "PANDO_NULL", value_parser = YesOrNo::new())]
    pub(crate) null: bool,

    /// Each value and each result is one JSON text
    #[arg(long, env = "PANDO_JSON", value_parser = YesOrNo::new())]
    pub(crate) json: bool,

    /// Values are names of files, relative to this folder: the function receives each one's bytes
    #[arg(long, env = "PANDO_FILES", value_parser = YesOrNo::new())]
    pub(crate) files: bool,

    /// Write each result to a file below this folder, and print its path: with --files under the
    /// name of the input, otherwise under the number of the item, as in 000001
    #[arg(long, env = "PANDO_OUTPUT_DIR", value_name = "DIR")]
    pub(crate) output_dir: Option<PathBuf>,

    /// With --output-dir: the ending of results' names, such as png, in place of the inputs'
    #[arg(long, env = "PANDO_EXT", value_name = "E", value_parser = ext)]
    pub(crate) ext: Option<String>,

    /// With --output-dir: write over files that are there already, though never over an input. All
    /// names are read before the first file is
    #[arg(long, env = "PANDO_OVERWRITE", value_parser = YesOrNo::new())]
    pub(crate) overwrite: bool,

    /// Put a program in the loop: ask it for values as cores become free, and tell it results at
    /// once, as JSON lines (see docs/sync-stdio.md)
    #[arg(long, env = "PANDO_SYNC_STDIO", value_parser = YesOrNo::new())]
    pub(crate) sync_stdio: bool,

    /// Number of values, for the time left [default: known for items, and guessed from the bytes of
    /// a file on standard input]
    #[arg(long, env = "PANDO_TOTAL", value_name = "N")]
    pub(crate) total: Option<u64>,
}

fn ext(text: &str) -> Result<String, String> {
    if text.trim_start_matches('.').is_empty() {
        return Err("give the ending of a name, such as png".into());
    }
    if text.contains(|c| std::path::is_separator(c) || c == '\0') {
        return Err("an ending has no path separator".into());
    }
    Ok(text.into())
}
