//! Measures the traffic that a relay carries.

use clap::Parser;
use pando_bench::{
    relay::{RelayLoadOptions, run},
    system::{load, machine},
    table::markdown,
};

/// Measures pando relay with a crowd of volunteers whose traffic it passes on, and prints a table
#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    options: RelayLoadOptions,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Cli { options } = Cli::parse();
    println!("{}", machine(&options.binary.to_string_lossy()));
    println!("Load of the machine before: {}", load());
    println!("\n{}", markdown(&run(&options).await?));
    Ok(())
}
