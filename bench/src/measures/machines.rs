//! A thousand native volunteers: real processes of `pando join`.

use super::Setup;
use crate::{
    lines::GeneratedLines,
    program::EchoRun,
    table::{Row, Samples, megabytes, thousands},
};
use anyhow::Context;
use pando_testing::{RunningProgram, Streams, memory};
use std::{process::Command, time::Instant};

/// The number of volunteers. Each has one core, which is a process of its own.
const VOLUNTEERS: u64 = 1000;
/// The number of values, which the function returns.
const VALUES: u64 = 500_000;

/// Measures volunteers that have joined, and then their work. The embedded engine needs the least
/// memory.
pub(super) fn machines(setup: &Setup) -> anyhow::Result<Vec<Row>> {
    let (volunteers, values) = (setup.scaled(VOLUNTEERS), setup.scaled(VALUES));
    let (mut joining, mut idle, mut own, mut core) =
        <(Samples, Samples, Samples, Samples)>::default();
    let (mut rate, mut micros, mut peak) = <(Samples, Samples, Samples)>::default();
    for run in setup.runs() {
        let mut pando = EchoRun::start(&setup.pando, &["--cores", "0"])?;
        let (url, started) = (pando.url()?, Instant::now());
        let machines: Vec<_> =
            (0..volunteers).map(|_| join(setup, &url)).collect::<anyhow::Result<_>>()?;
        for _ in 0..volunteers {
            pando.hears(" joined with 1 core")?;
        }
        let seconds = started.elapsed().as_secs_f64();
        joining.push(seconds);
        let resident = |id| memory(id).map(|bytes| bytes as f64).context("a process ended");
        idle.push(resident(pando.id())?);
        own.push(resident(machines[0].pid())?);
        for id in machines[0].children() {
            core.push(resident(id)?);
        }
        let ran = pando.run(GeneratedLines::numbers(values))?;
        rate.push(values as f64 / ran.elapsed.as_secs_f64());
        micros.push(ran.cpu.sum().as_secs_f64() * 1e6 / values as f64);
        peak.push(ran.peak as f64);
        let elapsed = ran.elapsed.as_secs_f64();
        eprintln!("machines, run {run}: joined in {seconds:.1} s; {elapsed:.1} s");
        for machine in machines {
            machine.succeed()?;
        }
    }
    let what = format!(
        "{} processes of pando join with the embedded engine: time for all to start and join",
        thousands(volunteers as f64)
    );
    Ok(vec![
        Row::plain(what, joining.show(|seconds| format!("{seconds:.1} s"))),
        Row::plain("… memory of the master, when all have joined", idle.show(megabytes)),
        Row::plain("… memory of a volunteer", own.show(megabytes)),
        Row::plain("… memory of its core", core.show(megabytes)),
        Row::plain(
            format!("… no-op, {} lines", thousands(values as f64)),
            rate.show(|rate| thousands(rate) + " items/s"),
        ),
        Row::plain(
            "… processor time of the master",
            micros.show(|micros| format!("{micros:.2} µs/item")),
        ),
        Row::plain("… its peak memory", peak.show(megabytes)),
    ])
}

fn join(setup: &Setup, url: &str) -> anyhow::Result<RunningProgram> {
    let mut command = Command::new(&setup.pando);
    command.args(["join", "--trust", "--cores", "1", "--engine", "embedded", url]);
    RunningProgram::try_start(&mut command, Streams::without_input())
}
