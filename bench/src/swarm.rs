//! Many light volunteers in one process: real hosts with simulated cores, which compute nothing and
//! answer each value with itself.

pub(crate) mod cores;
pub(crate) mod link;
mod volunteer;

use anyhow::{Context, bail};
use clap::Args;
use link::Address;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::sync::Notify;

/// The number and the behaviour of the volunteers.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// The URL that pando prints
    pub url: String,

    /// Number of volunteers
    #[arg(long, default_value_t = 8, value_name = "N")]
    pub volunteers: u64,

    /// Cores that each volunteer lends
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub cores: u32,

    /// Time for each value, such as 50ms
    #[arg(long, default_value = "0s", value_name = "DUR", value_parser = humantime::parse_duration)]
    pub compute: Duration,

    /// Latency of the network, each way
    #[arg(long, default_value = "0s", value_name = "DUR", value_parser = humantime::parse_duration)]
    pub delay: Duration,

    /// Fraction of the values that get an error as their answer
    #[arg(long, default_value_t = 0.0, value_name = "FRACTION", value_parser = fraction)]
    pub failure_rate: f64,

    /// Fraction of the values at which the volunteer crashes and comes back as a new one
    #[arg(long, default_value_t = 0.0, value_name = "FRACTION", value_parser = fraction)]
    pub leave_rate: f64,
}

fn fraction(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|f| (0.0..=1.0).contains(f))
        .ok_or_else(|| "give a number from 0 to 1".into())
}

/// The counts of all volunteers together.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    joins: AtomicU64,
    values: AtomicU64,
    frames: AtomicU64,
    errors: AtomicU64,
    crashes: AtomicU64,
    lost: AtomicU64,
    all_joined: Notify,
}

/// Runs the volunteers until the master has said goodbye to each. Prints a line when all have
/// joined, and figures at the end.
///
/// # Errors
/// When the URL is not a URL of pando, or a volunteer is refused or cannot reach the master.
pub async fn run(options: Options) -> anyhow::Result<()> {
    let address = Address::parse(&options.url)
        .with_context(|| format!("{} is not a URL that pando says", options.url))?;
    let (options, address, counts) =
        (Arc::new(options), Arc::new(address), Arc::new(Counts::default()));
    let start = Instant::now();
    let volunteers: Vec<_> = (1..=options.volunteers)
        .map(|number| {
            tokio::spawn(volunteer::live(number, options.clone(), address.clone(), counts.clone()))
        })
        .collect();
    let told = tokio::spawn(tell_when_joined(options.volunteers, counts.clone(), start));
    let mut refused = None;
    for volunteer in volunteers {
        if let Err(error) = volunteer.await.context("a volunteer panicked")? {
            refused = Some(error);
        }
    }
    told.abort();
    println!("{}", figures(&counts, start.elapsed()));
    match refused {
        Some(error) => bail!(error),
        None => Ok(()),
    }
}

async fn tell_when_joined(volunteers: u64, counts: Arc<Counts>, start: Instant) {
    while counts.joins.load(Relaxed) < volunteers {
        counts.all_joined.notified().await;
    }
    println!("all joined in {:.3} s", start.elapsed().as_secs_f64());
}

fn figures(counts: &Counts, elapsed: Duration) -> String {
    let [joins, values, frames, errors, crashes, lost] = [
        &counts.joins,
        &counts.values,
        &counts.frames,
        &counts.errors,
        &counts.crashes,
        &counts.lost,
    ]
    .map(|count| count.load(Relaxed));
    format!(
        "joins {joins}, values {values}, frames {frames}, errors {errors}, crashes {crashes}, links lost {lost}, {:.3} s",
        elapsed.as_secs_f64()
    )
}
