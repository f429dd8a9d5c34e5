//! Chaos: random jobs on random volunteers, with random faults. The output must be right all the
//! same.
//!
//! Each run has a seed, and the seed gives the [`ChaosPlan`]: the job, the volunteers, and the
//! faults of the volunteers and of the master. The moment of each event depends on the machine. So
//! a seed repeats the circumstances of a run, but not its exact timing.

mod chance;
mod context;
mod counts;
mod edits;
mod job;
mod judge;
mod kept;
mod lies;
mod machine;
mod master;
mod plan;
mod relay;
mod run;
mod session;
mod stranger;
mod tab;
mod trust;
mod values;
mod volunteer;

pub use judge::difference;
pub use plan::ChaosPlan;
pub use run::Violation;

use anyhow::{Context as _, bail};
use clap::Args;
use pando_testing::Chromium;
use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// The default number of runs when no seed is given.
const RUNS: u64 = 200;
/// The time between two lines about progress.
const TELL: Duration = Duration::from_secs(60);

/// The options of `chaos`.
#[derive(Debug, Clone, Args)]
pub struct ChaosOptions {
    /// Number of runs [default: 200; with --seed 1]
    #[arg(long, value_name = "N")]
    pub runs: Option<u64>,

    /// Seed of the first run; each later run adds 1 to it [default: by chance]
    #[arg(long, value_name = "S")]
    pub seed: Option<u64>,

    /// Start new runs until this time has passed, such as 30m
    #[arg(long, value_name = "DUR", value_parser = humantime::parse_duration, conflicts_with = "runs")]
    pub time: Option<Duration>,

    /// Share of the runs in which a tab of a real Chromium takes part, from 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub tabs: f64,

    /// Share of the runs in which machines take part: real processes of pando join, some of which
    /// are gateways, from 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub machines: f64,

    /// Factor by which everything takes longer, heartbeats too: for a machine that has other work
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub pace: u32,

    /// Runs side by side [default: four for each core of this machine]
    #[arg(long, value_name = "N")]
    pub lanes: Option<usize>,

    /// The pando under test [default: the one beside this program]
    #[arg(long, value_name = "FILE")]
    pub pando: Option<PathBuf>,

    /// Folder for the records of each violation [default: the system's temporary folder]
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,

    /// Let volunteers also answer wrongly for values that they hold, which must be found: shows
    /// that this program can fail
    #[arg(long)]
    pub forge: bool,
}

/// The outcome of all runs.
#[derive(Debug)]
pub struct Summary {
    /// The seed of the first run.
    pub seed: u64,
    /// The number of runs.
    pub runs: u64,
    /// Counts over all runs, as text.
    pub counts: String,
    /// The duration of all runs together.
    pub elapsed: Duration,
    /// One entry for each run whose output or behaviour was wrong.
    pub violations: Vec<Violation>,
}

/// Runs chaos, and prints each violation on standard error as soon as it is found.
///
/// # Errors
/// When no run is possible: no pando, no Chromium.
pub async fn chaos(options: ChaosOptions) -> anyhow::Result<Summary> {
    let setup = Arc::new(ChaosSetup::of(&options)?);
    let seed = options.seed.unwrap_or_else(|| fastrand::u64(..1 << 32));
    let runs = match (options.runs, options.time, options.seed) {
        (Some(runs), _, _) => runs,
        (None, Some(_), _) => u64::MAX,
        (None, None, Some(_)) => 1,
        (None, None, None) => RUNS,
    };
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let lanes = options.lanes.unwrap_or(cores * 4).max(1);
    let start = Instant::now();
    let until = options.time.map(|time| start + time);
    let (next, done) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let found = Arc::new(Mutex::new(Vec::new()));
    let lanes: Vec<_> = (0..lanes)
        .map(|_| {
            let (setup, next, done, found) =
                (setup.clone(), next.clone(), done.clone(), found.clone());
            tokio::spawn(async move {
                while until.is_none_or(|until| Instant::now() < until) {
                    let number = next.fetch_add(1, Relaxed);
                    if number >= runs {
                        return;
                    }
                    if let Err(violation) = run::run(&setup, seed.wrapping_add(number)).await {
                        eprintln!("{violation}");
                        found.lock().expect("nobody panics with it").push(violation);
                    }
                    done.fetch_add(1, Relaxed);
                }
            })
        })
        .collect();
    let telling = tokio::spawn(tell(done.clone(), found.clone(), start));
    for lane in lanes {
        if let Err(error) = lane.await {
            bail!("a run could not be had: {error}");
        }
    }
    telling.abort();
    let violations = std::mem::take(&mut *found.lock().expect("nobody panics with it"));
    let counts = setup.counts.to_string();
    Ok(Summary { seed, runs: done.load(Relaxed), counts, elapsed: start.elapsed(), violations })
}

/// State that all runs share.
struct ChaosSetup {
    pando: PathBuf,
    /// The browser of the tabs, if tabs take part.
    chromium: Option<Chromium>,
    tabs: f64,
    machines: f64,
    pace: u32,
    keep: PathBuf,
    forge: bool,
    counts: counts::FaultCounts,
}

impl ChaosSetup {
    fn of(options: &ChaosOptions) -> anyhow::Result<Self> {
        let pando = match &options.pando {
            Some(pando) => pando.clone(),
            None => std::env::current_exe()?.with_file_name("pando"),
        };
        if !pando.exists() {
            bail!(
                "{} is missing: cargo build --workspace, or name it with --pando",
                pando.display()
            );
        }
        let keep = options.keep.clone().unwrap_or_else(std::env::temp_dir);
        std::fs::create_dir_all(&keep)
            .with_context(|| format!("{} cannot be made", keep.display()))?;
        Ok(Self {
            pando: pando.canonicalize()?,
            chromium: (options.tabs > 0.0)
                .then(Chromium::found)
                .transpose()
                .map_err(anyhow::Error::msg)?,
            tabs: options.tabs,
            machines: options.machines,
            pace: options.pace.max(1),
            keep,
            forge: options.forge,
            counts: counts::FaultCounts::default(),
        })
    }
}

async fn tell(done: Arc<AtomicU64>, found: Arc<Mutex<Vec<Violation>>>, start: Instant) {
    loop {
        tokio::time::sleep(TELL).await;
        let (runs, found) =
            (done.load(Relaxed), found.lock().expect("nobody panics with it").len());
        eprintln!("{runs} runs in {} s, {found} violations", start.elapsed().as_secs());
    }
}
