//! The measures. Each one runs the real program from start to end, and verifies its output.

mod crowd;
mod distance;
mod idle;
mod journal;
mod large;
mod machines;
mod memory;
mod monitoring;
mod native;
mod peers;
mod relay;
mod start;
mod throughput;
mod ways;
mod work;

use crate::table::Row;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// The options of all measures.
#[derive(Debug, Clone, Args)]
pub struct Setup {
    /// The program that is measured
    #[arg(long, default_value = "target/release/pando", value_name = "FILE")]
    pub pando: PathBuf,

    /// The program of the light volunteers [default: `swarm` beside this program]
    #[arg(long, value_name = "FILE")]
    pub swarm: Option<PathBuf>,

    /// The browser
    #[arg(long, default_value = "chromium", value_name = "FILE")]
    pub chromium: PathBuf,

    /// Runs of each measure; the table shows the median
    #[arg(long, default_value_t = 3, value_name = "N")]
    pub runs: usize,

    /// Fraction of the usual number of values, for a quick look: short runs give worse figures
    #[arg(long, default_value_t = 1.0, value_name = "FRACTION")]
    pub scale: f64,
}

impl Setup {
    fn swarm(&self) -> PathBuf {
        let beside = || std::env::current_exe().unwrap_or_default().with_file_name("swarm");
        self.swarm.clone().unwrap_or_else(beside)
    }

    fn bare(&self) -> PathBuf {
        self.swarm().with_file_name("bare")
    }

    fn delay(&self) -> PathBuf {
        self.swarm().with_file_name("delay")
    }

    fn scaled(&self, count: u64) -> u64 {
        ((count as f64 * self.scale) as u64).max(1)
    }

    fn runs(&self) -> impl Iterator<Item = usize> + use<> {
        1..=self.runs.max(1)
    }
}

/// One measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Measure {
    /// Items per second of the master, with 8 light volunteers
    Master,
    /// Items per second of one tab
    Tab,
    /// WebSocket and WebRTC side by side, with values of three lengths
    Ways,
    /// The same over a long distance, 50 ms in each direction (as root, with iproute2)
    Far,
    /// Values of 1 MB through a tab, compared with the tab's bare WebSocket
    Large,
    /// Time to the first result from this machine's cores
    First,
    /// A thousand volunteers, without and with faults
    Thousand,
    /// One very long line through this machine's cores
    Line,
    /// Ten million lines through this machine's cores
    Lines,
    /// The cost of the monitoring page with a thousand volunteers
    Monitoring,
    /// The cost of a journal, and a restart from it
    Journal,
    /// One native volunteer with each engine and sandbox
    Native,
    /// A thousand native volunteers, each a process
    Machines,
    /// What a relay needs to pass a value on, compared with two bare sockets
    Relay,
    /// Devices that are far away compute as much as devices nearby
    Distance,
    /// Many volunteers that have nothing to do
    Idle,
    /// A tab computes as fast as the function alone
    Work,
    /// The same work by other programs that spread it over this machine's cores
    Peers,
}

impl Measure {
    /// Runs the measure.
    ///
    /// # Errors
    /// When an output is wrong, or a program fails.
    pub fn run(self, setup: &Setup) -> anyhow::Result<Vec<Row>> {
        match self {
            Self::Master => throughput::master(setup),
            Self::Tab => throughput::tab(setup),
            Self::Ways => ways::near(setup),
            Self::Far => ways::far(setup),
            Self::Large => large::one_megabyte(setup),
            Self::First => start::first_result(setup),
            Self::Thousand => crowd::thousand(setup),
            Self::Line => memory::long_line(setup),
            Self::Lines => memory::many_lines(setup),
            Self::Monitoring => monitoring::monitoring(setup),
            Self::Journal => journal::journal(setup),
            Self::Native => native::native(setup),
            Self::Machines => machines::machines(setup),
            Self::Relay => relay::relay(setup),
            Self::Distance => distance::distance(setup),
            Self::Idle => idle::idle(setup),
            Self::Work => work::work(setup),
            Self::Peers => peers::peers(setup),
        }
    }
}
