//! Prints ranges of consecutive numbers, one per line: the first number and the length.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use num_bigint::BigUint;

/// Print ranges of consecutive numbers, one "START SIZE" per line.
#[derive(Parser)]
#[command(name = "collatz-ranges", version)]
struct Options {
    /// First number of the first range, at least 1
    #[arg(long, default_value = "3179389980591125407167", value_parser = positive)]
    start: BigUint,

    /// Numbers in each range
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    size: u32,

    /// Number of ranges [default: no end]
    #[arg(long)]
    count: Option<u64>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    pando_examples::run("collatz-ranges", || print(options))
}

fn print(options: Options) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    let mut start = options.start;
    let mut left = options.count;
    while left != Some(0) {
        writeln!(out, "{start} {}", options.size)?;
        start += options.size;
        left = left.map(|left| left - 1);
    }
    Ok(())
}

fn positive(text: &str) -> Result<BigUint, String> {
    match text.parse::<BigUint>() {
        Ok(number) if number > BigUint::ZERO => Ok(number),
        _ => Err("not a whole number from 1".to_owned()),
    }
}
