//! Measures how much each connected device computes for each application.

use clap::Parser;
use pando_bench::{
    devices::{DevicesOptions, run},
    system::{load, machine},
};

/// Runs each application for a while, and prints how much every device did
#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    options: DevicesOptions,
}

fn main() -> anyhow::Result<()> {
    let Cli { options } = Cli::parse();
    println!("{}", machine(&options.chromium.to_string_lossy()));
    println!("Load of the machine before: {}", load());
    println!("\n{}", run(&options)?);
    Ok(())
}
