//! The cost of `--journal` during a run, and the duration of a restart from a journal.

use super::{
    Setup,
    memory::growth,
    throughput::{Figures, through_swarm},
};
use crate::{
    lines::GeneratedLines,
    program::EchoRun,
    table::{Row, Samples, megabytes, thousands},
};
use std::time::Instant;

/// Volunteers that compute 10,000 values per second together.
const PACED: [&str; 6] = ["--volunteers", "100", "--cores", "2", "--compute", "20ms"];
/// The number of values for ten seconds.
const PACED_VALUES: u64 = 100_000;
/// Volunteers that answer at once.
const FAST: [&str; 2] = ["--volunteers", "8"];
/// Numbers of results in the journals for restarts. The second is also the number of values for
/// [`FAST`].
const KEPT: [u64; 2] = [100_000, 1_000_000];

/// Runs without and with a journal in turn, and restarts from complete journals.
pub(super) fn journal(setup: &Setup) -> anyhow::Result<Vec<Row>> {
    let paced = in_turns(setup, &PACED, setup.scaled(PACED_VALUES))?;
    let fast = in_turns(setup, &FAST, setup.scaled(KEPT[1]))?;
    let rate = |r| thousands(r) + " items/s";
    let micros = |m| format!("{m:.2} µs/item");
    let share = |s: f64| format!("{:.1} %", s * 100.0);
    let (kept, kept_fast) = (paced.share.median() >= 0.99, fast.share.median() >= 0.9);
    let mut rows = vec![
        Row::plain("10,000 items/s without a journal", paced.without.rate.show(rate)),
        Row::plain("… with one", paced.with.rate.show(rate)),
        Row::goal("… its speed of that without", paced.share.show(share), "≥ 99 %", kept),
        Row::plain("… processor time of the master without", paced.without.micros.show(micros)),
        Row::plain("… with one", paced.with.micros.show(micros)),
        Row::goal(
            "no-op, 8 light volunteers: speed with a journal of that without",
            fast.share.show(share),
            "≥ 90 %",
            kept_fast,
        ),
        Row::plain("… processor time of the master without", fast.without.micros.show(micros)),
        Row::plain("… with one", fast.with.micros.show(micros)),
    ];
    rows.extend(replay(setup)?);
    Ok(rows)
}

#[derive(Default)]
struct Turns {
    without: Figures,
    with: Figures,
    /// The speed of each run with a journal, relative to the previous run without one.
    share: Samples,
}

fn in_turns(setup: &Setup, volunteers: &[&str], count: u64) -> anyhow::Result<Turns> {
    let mut turns = Turns::default();
    for run in setup.runs() {
        let folder = tempfile::tempdir()?;
        let journal = folder.path().join("journal").display().to_string();
        let without = through_swarm(setup, &[], volunteers, count)?;
        let with = through_swarm(setup, &["--journal", &journal], volunteers, count)?;
        let without = turns.without.add("without a journal", run, count, &without);
        turns.share.push(turns.with.add("with one", run, count, &with) / without);
    }
    Ok(turns)
}

/// Ten times as many results should need the same memory.
fn replay(setup: &Setup) -> anyhow::Result<Vec<Row>> {
    let (mut rows, mut peaks) = (Vec::new(), Vec::new());
    for count in KEPT.map(|count| setup.scaled(count)) {
        let folder = tempfile::tempdir()?;
        let journal = folder.path().join("journal").display().to_string();
        through_swarm(setup, &["--journal", &journal], &FAST, count)?;
        let (mut time, mut memory) = (Samples::default(), Samples::default());
        for run in setup.runs() {
            let begun = Instant::now();
            let ran = EchoRun::start(&setup.pando, &["--cores", "0", "--journal", &journal])?
                .run(GeneratedLines::numbers(count))?;
            time.push(begun.elapsed().as_secs_f64());
            memory.push(ran.peak as f64);
            eprintln!(
                "replay of {count}, run {run}: {:.2} s, {}",
                begun.elapsed().as_secs_f64(),
                megabytes(ran.peak as f64)
            );
        }
        let what =
            format!("{} results from the journal, from start to end", thousands(count as f64));
        rows.push(Row::plain(what, time.show(|s| format!("{s:.2} s"))));
        rows.push(Row::plain("… peak memory", memory.show(megabytes)));
        peaks.push(memory.median());
    }
    rows.push(growth("… its growth with ten times the results", &peaks));
    Ok(rows)
}
