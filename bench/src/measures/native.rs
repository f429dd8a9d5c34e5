//! Native volunteers (`pando join`): the cost of one volunteer per item, by engine and sandbox, and
//! the time until it computes.

use super::Setup;
use crate::{
    lines::GeneratedLines,
    program::EchoRun,
    table::{Row, Samples, thousands},
};
use anyhow::Context;
use pando_testing::{Cpu, RunningProgram, Streams, find_program, until};
use std::{
    os::unix::fs::symlink,
    process::Command,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// The number of values for an engine like Node, and for the embedded engine.
const VALUES: u64 = 2_000_000;
const VALUES_EMBEDDED: u64 = 200_000;

/// An engine, and what holds it.
struct Case {
    engine: &'static str,
    /// `None`: the function is trusted.
    sandbox: Option<&'static str>,
    /// A folder for PATH with nothing but the engine, and `bwrap` if that is to hold it.
    path: TempDir,
}

/// Each engine of this machine without a sandbox, and in each sandbox.
fn cases() -> anyhow::Result<Vec<Case>> {
    let mut cases = Vec::new();
    for engine in ["node", "deno", "bun", "embedded"] {
        let program = find_program(engine);
        if program.is_none() && engine != "embedded" {
            eprintln!("native: there is no {engine} on PATH");
            continue;
        }
        for sandbox in [None, Some("bwrap"), Some("Landlock")] {
            let path = tempfile::tempdir()?;
            if let Some(program) = &program {
                symlink(program, path.path().join(engine))?;
            }
            if sandbox == Some("bwrap") {
                let Some(bubblewrap) = find_program("bwrap") else { continue };
                symlink(bubblewrap, path.path().join("bwrap"))?;
            }
            cases.push(Case { engine, sandbox, path });
        }
    }
    Ok(cases)
}

/// No-op values through one native volunteer with one core, and nothing else.
pub(super) fn native(setup: &Setup) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for case in cases()? {
        let is_embedded = case.engine == "embedded";
        let count = setup.scaled(if is_embedded { VALUES_EMBEDDED } else { VALUES });
        let (mut start, mut rate, mut micros, mut master) =
            (Samples::default(), Samples::default(), Samples::default(), Samples::default());
        let mut name = String::new();
        for run in setup.runs() {
            let mut pando = EchoRun::start(&setup.pando, &["--cores", "0"])?;
            let url = pando.url()?;
            let began = Instant::now();
            let mut volunteer = join(setup, &case, &url)?;
            let line = volunteer.hears(" compute")?;
            let ready = began.elapsed();
            name = line.rsplit(" with ").next().context("it names its engine")?.to_owned();
            let before = Cpu::with_children(volunteer.pid());
            let ran = pando.run(GeneratedLines::numbers(count))?;
            // The core has ended, and is counted, when the volunteer looks for the next run.
            volunteer.hears("waiting for the next run")?;
            until("its core ends", || volunteer.children().is_empty().then_some(()));
            let cpu = Cpu::with_children(volunteer.pid()).since(before);
            let per_item = |time: Duration| time.as_secs_f64() * 1e6 / count as f64;
            start.push(ready.as_secs_f64() * 1000.0);
            rate.push(count as f64 / ran.elapsed.as_secs_f64());
            micros.push(per_item(cpu.sum()));
            master.push(per_item(ran.cpu.sum()));
            eprintln!(
                "native, {name}, run {run}: started in {:.0} ms, {} items/s",
                ready.as_secs_f64() * 1000.0,
                thousands(count as f64 / ran.elapsed.as_secs_f64())
            );
        }
        let micros_per_item = |m: f64| format!("{m:.2} µs/item");
        rows.extend([
            Row::plain(
                format!("one native volunteer with one core, {name}: no-op"),
                rate.show(|r| thousands(r) + " items/s"),
            ),
            Row::plain("… its start, until it computes", start.show(|ms| format!("{ms:.0} ms"))),
            Row::plain(
                match case.sandbox {
                    // Nobody waits for a core inside bubblewrap, so its time is not known.
                    Some("bwrap") => "… its processor time, without its core",
                    _ => "… its processor time, with its core",
                },
                micros.show(micros_per_item),
            ),
            Row::plain("… processor time of the master", master.show(micros_per_item)),
        ]);
    }
    Ok(rows)
}

fn join(setup: &Setup, case: &Case, url: &str) -> anyhow::Result<RunningProgram> {
    let mut command = Command::new(&setup.pando);
    command.args(["join", "--wait", "--cores", "1", "--engine", case.engine, url]);
    if case.sandbox.is_none() {
        command.arg("--trust");
    }
    command.env("PATH", case.path.path());
    RunningProgram::try_start(&mut command, Streams::without_input())
}
