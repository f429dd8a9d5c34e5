//! Many volunteers that have nothing to do.

use super::Setup;
use crate::{
    program::{EchoRun, all_joined, launch},
    table::{Row, Samples, thousands},
};
use anyhow::Context;
use pando_testing::{Cpu, memory};
use std::{thread::sleep, time::Duration};

/// The number of volunteers. Each needs a file descriptor in the master and one in the swarm.
const VOLUNTEERS: u64 = 9_500;
/// The time for connections to become quiet, and the time of the measure: two heartbeats.
const SETTLE: Duration = Duration::from_secs(3);
const TIME: Duration = Duration::from_secs(10);
/// The number of values that go there and back at the end.
const TRIPS: u64 = 20;

/// Measures what idle volunteers cost the master.
pub(super) fn idle(setup: &Setup) -> anyhow::Result<Vec<Row>> {
    let volunteers = setup.scaled(VOLUNTEERS);
    let (mut bytes, mut joined, mut share, mut trip) =
        <(Samples, Samples, Samples, Samples)>::default();
    for run in setup.runs() {
        let mut pando = EchoRun::start(&setup.pando, &["--cores", "0"])?;
        let (url, id) = (pando.url()?, pando.id());
        let resident = || memory(id).context("the master ended");
        let before = resident()?;
        let mut swarm = launch(&setup.swarm(), &[&url, "--volunteers", &volunteers.to_string()])?;
        let said = all_joined(&mut swarm)?;
        let seconds = said.split(' ').rev().nth(1).and_then(|seconds| seconds.parse().ok());
        joined.push(seconds.context("no time to join")?);
        sleep(SETTLE);
        let cpu = Cpu::of(id);
        sleep(TIME);
        share.push(Cpu::of(id).since(cpu).sum().as_secs_f64() / TIME.as_secs_f64() * 100.0);
        bytes.push((resident()? - before) as f64 / volunteers as f64);
        for time in pando.one_by_one(TRIPS)? {
            trip.push(time.as_secs_f64() * 1e3);
        }
        swarm.succeed()?;
        eprintln!("idle, run {run}: {said}");
    }
    let goal = |what: &str, samples: &Samples, show: fn(f64) -> String, most: f64| {
        let reached = samples.median() <= most;
        Row::goal(what, samples.show(show), format!("≤ {}", show(most)), reached)
    };
    let what =
        format!("{} idle volunteers: memory of the master for each", thousands(volunteers as f64));
    Ok(vec![
        goal(&what, &bytes, |bytes| format!("{:.1} kB", bytes / 1e3), 8e3),
        goal("… time for all to join", &joined, |seconds| format!("{seconds:.2} s"), 3.0),
        goal(
            "… processor time of the master, of a core",
            &share,
            |share| format!("{share:.1} %"),
            2.0,
        ),
        goal("… one value there and back", &trip, |ms| format!("{ms:.2} ms"), 1.0),
    ])
}
