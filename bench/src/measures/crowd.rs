//! A thousand volunteers.

use super::Setup;
use crate::{
    lines::GeneratedLines,
    program::{EchoRun, all_joined, launch},
    table::{Row, Samples, megabytes, thousands},
};
use anyhow::Context;

/// The number of values. With 50 ms per value, a thousand cores compute 20,000 values per second.
const VALUES: u64 = 200_000;
const IDEAL: f64 = 20_000.0;

/// Measures without faults, and then with errors, crashes and latency.
pub(super) fn thousand(setup: &Setup) -> anyhow::Result<Vec<Row>> {
    let mut rows = weather(setup, "1,000 volunteers, 50 ms per value", &[])?;
    let foul = ["--failure-rate", "0.001", "--leave-rate", "0.0005", "--delay", "25ms"];
    let worse = weather(
        setup,
        "the same 25 ms away, 0.1 % of the values failing, a crash each 2,000 values",
        &foul,
    )?;
    rows.extend(worse.into_iter().map(Row::without_goal));
    Ok(rows)
}

fn weather(setup: &Setup, what: &str, more: &[&str]) -> anyhow::Result<Vec<Row>> {
    let (mut joining, mut rate, mut micros, mut memory) =
        (Samples::default(), Samples::default(), Samples::default(), Samples::default());
    let count = setup.scaled(VALUES);
    for run in setup.runs() {
        let mut pando = EchoRun::start(&setup.pando, &["--cores", "0", "--retries", "4"])?;
        let options = [&["--volunteers", "1000", "--compute", "50ms"], more].concat();
        let mut volunteers = launch(&setup.swarm(), &[&[&*pando.url()?], &options[..]].concat())?;
        let said = all_joined(&mut volunteers)?;
        joining.push(
            said.split(' ')
                .rev()
                .nth(1)
                .and_then(|seconds| seconds.parse().ok())
                .context("no time to join")?,
        );
        let ran = pando.run(GeneratedLines::numbers(count))?;
        rate.push(count as f64 / ran.elapsed.as_secs_f64());
        micros.push(ran.cpu.sum().as_secs_f64() * 1e6 / count as f64);
        memory.push(ran.peak as f64);
        eprintln!(
            "thousand, run {run}: {said}; {:.1} s; {}",
            ran.elapsed.as_secs_f64(),
            volunteers.succeed()?.lines().join("; ")
        );
    }
    let share =
        |r: f64| format!("{} items/s, {:.0} % of the ideal", thousands(r), r / IDEAL * 100.0);
    let (fast, cheap) = (rate.median() >= 0.99 * IDEAL, micros.median() <= 8.0);
    let micros = micros.show(|m| format!("{m:.0} µs/item"));
    Ok(vec![
        Row::plain(format!("{what}: time for all to join"), joining.show(|s| format!("{s:.2} s"))),
        Row::goal("… their speed", rate.show(share), "≥ 99 % of the ideal", fast),
        Row::goal("… processor time of the master", micros, "≤ 8 µs/item", cheap),
        Row::plain("… its peak memory", memory.show(megabytes)),
    ])
}
