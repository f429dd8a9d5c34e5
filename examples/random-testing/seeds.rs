//! Prints ranges of seeds, one per line: the first seed and the number of seeds.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

/// Print ranges of seeds of random schedules, one "SEED COUNT" per line.
#[derive(Parser)]
#[command(name = "seeds", version)]
struct Options {
    /// First seed of the first range
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(..1 << 48))]
    start: u64,

    /// Schedules in each range
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..1_000_000_000))]
    size: u64,

    /// Number of ranges [default: no end]
    #[arg(long)]
    count: Option<u64>,

    /// Test a lender with this deliberate bug
    #[arg(long)]
    bug: Option<String>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    pando_examples::run("seeds", || print(options))
}

fn print(options: Options) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    let bug = options.bug.map_or(String::new(), |bug| format!(" {bug}"));
    let (mut start, mut left) = (options.start, options.count);
    while left != Some(0) {
        writeln!(out, "{start} {}{bug}", options.size)?;
        start += options.size;
        left = left.map(|left| left - 1);
    }
    Ok(())
}
