//! Many light volunteers in one process.

use clap::Parser;
use pando_bench::swarm::{Options, run};

/// Joins a run of pando as many volunteers, each of which answers every value with itself
#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    options: Options,
}

#[tokio::main(worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    run(Cli::parse().options).await
}
