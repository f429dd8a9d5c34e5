//! Prints the angles of a camera over a full turn, one per line.

use std::f64::consts::TAU;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

/// Print COUNT angles over a full turn, in radians, one per line.
#[derive(Parser)]
#[command(name = "angles", version)]
struct Options {
    /// Number of angles
    #[arg(default_value_t = 100)]
    count: u32,
}

fn main() -> ExitCode {
    let Options { count } = Options::parse();
    pando_examples::run("angles", || print(count))
}

fn print(count: u32) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    for index in 0..count {
        writeln!(out, "{}", TAU * f64::from(index) / f64::from(count))?;
    }
    Ok(())
}
