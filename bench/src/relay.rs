//! A load test of a relay: rooms with scripted masters, and volunteers whose traffic passes
//! through the relay.
//!
//! Masters and volunteers all run in this process. The relay is the real program, and the test
//! measures its memory and processor time.

mod bare;
mod link;
mod room;

use crate::{
    program,
    table::{Row, megabytes, thousands},
};
use anyhow::Context;
use clap::Args;
use link::{EchoCounts, Phase};
use pando_testing::{Cpu, RunningProgram};
use room::LoadRoom;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::watch, time::sleep};

/// The time for a new load to become steady.
const SETTLE: Duration = Duration::from_secs(1);

/// The size of the load.
#[derive(Debug, Clone, Args)]
pub struct RelayLoadOptions {
    /// The program to measure
    #[arg(long, default_value = "target/release/pando", value_name = "FILE")]
    pub binary: PathBuf,

    /// Number of rooms
    #[arg(long, default_value_t = 100, value_name = "N")]
    pub rooms: usize,

    /// Number of volunteers in all rooms together
    #[arg(long, default_value_t = 1000, value_name = "N")]
    pub volunteers: usize,

    /// Time for each measure
    #[arg(long, default_value = "10s", value_name = "DUR", value_parser = humantime::parse_duration)]
    pub time: Duration,

    /// Time between the values of each volunteer in the paced loads
    #[arg(long, default_value = "50ms", value_name = "DUR", value_parser = humantime::parse_duration)]
    pub pace: Duration,
}

/// A crowd of volunteers and their masters, whose values pass through a process.
struct Crowd {
    process: u32,
    orders: watch::Sender<Phase>,
    counts: Arc<EchoCounts>,
}

/// The figures for one load.
struct RelayFigures {
    echoes: f64,
    seconds: f64,
    cpu: Cpu,
    memory: u64,
    round_trips: Vec<u32>,
}

/// Runs all measures.
///
/// # Errors
/// When the relay does something wrong.
pub async fn run(options: &RelayLoadOptions) -> anyhow::Result<Vec<Row>> {
    let (mut relay, url) = start(options)?;
    let id = relay.pid();
    let mut rows = vec![Row::plain("memory of the relay at first", megabytes(memory(id) as f64))];
    let (crowd, phase) = Crowd::new(id);
    let start = Instant::now();
    let rooms = crowd.open_rooms(&url, options.rooms, &phase).await?;
    let opened = start.elapsed();
    rows.push(Row::plain(
        format!("{} rooms opened, each with a function of 100 kB", options.rooms),
        seconds(opened),
    ));
    rows.push(Row::plain("… memory of the relay", megabytes(memory(id) as f64)));
    let start = Instant::now();
    let joining =
        (0..options.volunteers).map(|number| rooms[number % rooms.len()].join(phase.clone()));
    let volunteers = futures_util::future::try_join_all(joining).await?;
    rows.push(Row::plain(
        format!("{} volunteers join", options.volunteers),
        seconds(start.elapsed()),
    ));
    sleep(SETTLE).await;

    let quiet = crowd.measure(options.time).await;
    rows.push(Row::plain(
        "… memory of the relay, when they only send signs of life",
        megabytes(quiet.memory as f64),
    ));
    rows.push(Row::plain("… processor time", share(&quiet)));
    let pace = options.pace;
    let loads = [
        (
            format!("a value of 100 bytes per volunteer and {} ms", pace.as_millis()),
            Phase::Paced { size: 100, pace },
        ),
        (
            format!("a value of 10 kB per volunteer and {} ms", pace.as_millis()),
            Phase::Paced { size: 10_000, pace },
        ),
        ("values of 100 bytes, as fast as can be".into(), Phase::Full { size: 100 }),
        ("values of 10 kB, as fast as can be".into(), Phase::Full { size: 10_000 }),
        ("parts of 64 KiB, as fast as can be".into(), Phase::Full { size: 65_536 }),
    ];
    for (what, phase) in loads {
        let figures = crowd.under(&phase, options.time).await?;
        tell(&mut rows, &what, &phase, &figures);
    }
    drop((crowd, volunteers));
    sleep(SETTLE).await;
    for room in rooms {
        room.end().await?;
    }
    relay.hears("room-ended").context("the rooms end")?;
    rows.push(Row::plain("memory of the relay when all have gone", megabytes(memory(id) as f64)));
    Ok(rows)
}

fn start(options: &RelayLoadOptions) -> anyhow::Result<(RunningProgram, String)> {
    // The limits are high because all connections come from one address.
    let many = "100000";
    let mut relay = program::relay(
        &options.binary,
        &["--port", "0", "--bind", "127.0.0.1", "--no-udp", "--secret", room::SECRET]
            .into_iter()
            .chain([
                "--max-connections",
                many,
                "--max-connections-per-address",
                many,
                "--max-rooms",
                many,
                "--room-rate",
                "4G",
            ])
            .collect::<Vec<_>>(),
    )?;
    let line = relay.hears("Relay listening at ")?;
    Ok((relay, line.rsplit(' ').next().unwrap_or_default().to_owned()))
}

/// The processor time per value there and back, in microseconds: of the relay, or of the prototype
/// `bare` that copies between sockets. Each volunteer gets one value of 100 bytes per `pace`.
///
/// # Errors
/// When a program fails, or a value comes back wrong.
pub async fn micros_per_value(
    options: &RelayLoadOptions,
    bare: Option<&Path>,
) -> anyhow::Result<f64> {
    let phase = Phase::Paced { size: 100, pace: options.pace };
    let figures = if let Some(bare) = bare {
        let (program, address) = bare::start(bare)?;
        let (crowd, orders) = Crowd::new(program.pid());
        for _ in 0..options.volunteers {
            bare::link(&address, &orders, &crowd.counts).await?;
        }
        crowd.under(&phase, options.time).await?
    } else {
        let (relay, url) = start(options)?;
        let (crowd, orders) = Crowd::new(relay.pid());
        let rooms = crowd.open_rooms(&url, options.rooms, &orders).await?;
        for number in 0..options.volunteers {
            rooms[number % rooms.len()].join(orders.clone()).await?;
        }
        crowd.under(&phase, options.time).await?
    };
    Ok(figures.cpu.sum().as_secs_f64() * 1e6 / figures.echoes)
}

impl Crowd {
    /// A crowd without members; these follow the orders.
    fn new(process: u32) -> (Self, watch::Receiver<Phase>) {
        let (orders, phase) = watch::channel(Phase::Quiet);
        (Self { process, orders, counts: Arc::default() }, phase)
    }

    /// Opens rooms at the relay at `url`, whose masters follow the orders.
    async fn open_rooms(
        &self,
        url: &str,
        count: usize,
        orders: &watch::Receiver<Phase>,
    ) -> anyhow::Result<Vec<LoadRoom>> {
        let mut rooms = Vec::new();
        for number in 0..count {
            rooms.push(LoadRoom::open(url, number, orders.clone(), self.counts.clone()).await?);
        }
        Ok(rooms)
    }

    /// Measures a load; the crowd is quiet before and afterwards.
    async fn under(&self, phase: &Phase, time: Duration) -> anyhow::Result<RelayFigures> {
        self.orders.send(phase.clone())?;
        sleep(SETTLE).await;
        let figures = self.measure(time).await;
        self.orders.send(Phase::Quiet)?;
        sleep(SETTLE).await;
        Ok(figures)
    }

    async fn measure(&self, time: Duration) -> RelayFigures {
        self.counts.take();
        let (cpu, start) = (Cpu::of(self.process), Instant::now());
        sleep(time).await;
        let (echoes, round_trips) = self.counts.take();
        let elapsed = start.elapsed().as_secs_f64();
        RelayFigures {
            echoes: echoes as f64,
            seconds: elapsed,
            cpu: Cpu::of(self.process).since(cpu),
            memory: memory(self.process),
            round_trips,
        }
    }
}

fn tell(rows: &mut Vec<Row>, what: &str, phase: &Phase, figures: &RelayFigures) {
    let rate = figures.echoes / figures.seconds;
    rows.push(Row::plain(what, format!("{} items/s", thousands(rate))));
    rows.push(Row::plain("… processor time of the relay", share(figures)));
    let per_item = figures.cpu.sum().as_secs_f64() * 1e6 / figures.echoes;
    rows.push(Row::plain("… per item, there and back", format!("{per_item:.1} µs")));
    let size = phase.size() as f64;
    if size >= 10_000.0 {
        rows.push(Row::plain("… each way", format!("{}/s", megabytes(rate * size))));
    }
    rows.push(Row::plain("… memory of the relay", megabytes(figures.memory as f64)));
    let mut trips = figures.round_trips.clone();
    trips.sort_unstable();
    let at = |part: f64| {
        trips
            .get((trips.len() as f64 * part) as usize)
            .map_or(f64::NAN, |micros| f64::from(*micros) / 1e3)
    };
    rows.push(Row::plain(
        "… round trip: median, 99 of 100",
        format!("{:.1} ms, {:.1} ms", at(0.5), at(0.99)),
    ));
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

fn share(figures: &RelayFigures) -> String {
    let of = |time: Duration| 100.0 * time.as_secs_f64() / figures.seconds;
    format!(
        "{:.1} % of a core, of which {:.1} in the kernel",
        of(figures.cpu.sum()),
        of(figures.cpu.system)
    )
}

fn memory(id: u32) -> u64 {
    pando_testing::memory(id).unwrap_or(0)
}
