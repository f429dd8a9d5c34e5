//! Prints learning rates, one per line, with the number of learning steps and the seed.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

/// Print learning rates, "RATE STEPS SEED" per line, with a constant factor between neighbours.
#[derive(Parser)]
#[command(name = "learning-rates", version)]
struct Options {
    /// Lowest rate
    #[arg(long, default_value = "0.00001", value_parser = positive)]
    from: f64,

    /// Highest rate
    #[arg(long, default_value = "1", value_parser = positive)]
    to: f64,

    /// Number of rates
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(2..=100_000))]
    count: u32,

    /// Pushes of the cart while the agent learns
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..))]
    steps: u32,

    /// Seed of the random numbers: the same seed gives the same results
    #[arg(long, default_value_t = 1)]
    seed: u32,
}

fn main() -> ExitCode {
    let options = Options::parse();
    pando_examples::run("learning-rates", || print(options))
}

fn print(Options { from, to, count, steps, seed }: Options) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    for index in 0..count {
        let rate = from * (to / from).powf(f64::from(index) / f64::from(count - 1));
        // Three significant digits are enough.
        let rate: f64 = format!("{rate:.2e}").parse()?;
        writeln!(out, "{rate} {steps} {seed}")?;
    }
    Ok(())
}

fn positive(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|rate: &f64| rate.is_finite() && *rate > 0.0)
        .ok_or_else(|| "not a number above 0".to_owned())
}
