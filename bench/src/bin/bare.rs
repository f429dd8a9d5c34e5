//! The prototypes with which `bench` compares Pando.

use clap::Parser;
use pando_bench::bare::{master, volunteers};

/// Maps lines over WebSockets, as barely as can be
#[derive(Debug, Parser)]
enum Cli {
    /// Reads lines, sends them to volunteers, and prints the results in order
    Master,
    /// Answers each value with itself
    Volunteers {
        /// The URL that the master prints
        url: String,
        /// Number of volunteers
        #[arg(long, default_value_t = 8, value_name = "N")]
        volunteers: usize,
    },
}

#[tokio::main(worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    match Cli::parse() {
        Cli::Master => master().await,
        Cli::Volunteers { url, volunteers: count } => volunteers(&url, count).await,
    }
}
