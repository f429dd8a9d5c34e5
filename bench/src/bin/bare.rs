//! The prototypes with which `bench` compares Pando.

use clap::Parser;
use pando_bench::bare::{Peers, PeersTask, copies, master, volunteers};
use std::net::SocketAddr;

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
    /// Copies bytes between pairs of connections
    Copies,
    /// Connects two pages, and prints the time for all values in seconds
    Peers {
        /// Where the page is served
        #[arg(long, value_name = "ADDRESS:PORT")]
        bind: SocketAddr,
        #[command(flatten)]
        task: PeersTask,
    },
}

#[tokio::main(worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    match Cli::parse() {
        Cli::Master => master().await,
        Cli::Volunteers { url, volunteers: count } => volunteers(&url, count).await,
        Cli::Copies => copies().await,
        Cli::Peers { bind, task } => {
            let mut peers = Peers::serve_at(bind).await?;
            println!("{}", peers.url());
            println!("took {}", peers.measure(&task).await?.as_secs_f64());
            Ok(())
        }
    }
}
