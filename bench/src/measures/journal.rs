//! What `--journal` costs while results come, and what going on with one takes.

use super::Setup;
use crate::{
    lines::Lines,
    program::{Pando, Ran, swarm},
    table::{Row, Samples, megabytes, thousands},
};
use std::{path::Path, time::Instant};

/// Volunteers that do 10,000 values a second together.
const PACED: [&str; 6] = ["--volunteers", "100", "--cores", "2", "--compute", "20ms"];
/// Ten seconds' worth.
const PACED_VALUES: u64 = 100_000;
/// Volunteers that do as many as they are sent.
const FAST: [&str; 2] = ["--volunteers", "8"];
/// Counts of results that are gone on with; also as fast as can be.
const KEPT: [u64; 2] = [100_000, 1_000_000];

/// Runs with and without a journal in turns, and runs that find all results in theirs.
pub(super) fn journal(setup: &Setup) -> anyhow::Result<Vec<Row>> {
    let paced = in_turns(setup, &PACED, setup.scaled(PACED_VALUES))?;
    let fast = in_turns(setup, &FAST, setup.scaled(KEPT[1]))?;
    let rate = |r| thousands(r) + " items/s";
    let micros = |m| format!("{m:.2} µs/item");
    let share = |s: f64| format!("{:.1} %", s * 100.0);
    let kept = paced.share.median();
    let mut rows = vec![
        Row::plain("10,000 items/s without a journal", paced.without.0.show(rate)),
        Row::plain("… with one", paced.with.0.show(rate)),
        Row::goal("… its speed of that without", paced.share.show(share), "≥ 95 %", kept >= 0.95),
        Row::plain("… processor time of the master without", paced.without.1.show(micros)),
        Row::plain("… with one", paced.with.1.show(micros)),
        Row::plain("no-op, 8 light volunteers: speed with a journal of that without", fast.share.show(share)),
        Row::plain("… processor time of the master without", fast.without.1.show(micros)),
        Row::plain("… with one", fast.with.1.show(micros)),
    ];
    rows.extend(replay(setup)?);
    Ok(rows)
}

/// Items per second and processor time of the master per item.
type Figures = (Samples, Samples);

#[derive(Default)]
struct Turns {
    without: Figures,
    with: Figures,
    /// Speed of one run with a journal, of the one before it without.
    share: Samples,
}

fn in_turns(setup: &Setup, volunteers: &[&str], count: u64) -> anyhow::Result<Turns> {
    let mut turns = Turns::default();
    for run in setup.runs() {
        let folder = tempfile::tempdir()?;
        let without = figures(&compute(setup, volunteers, count, None)?, count);
        let with = figures(&compute(setup, volunteers, count, Some(&folder.path().join("journal")))?, count);
        for (what, into, (rate, micros)) in [("without", &mut turns.without, without), ("with a journal", &mut turns.with, with)]
        {
            eprintln!("{what}, run {run}: {} items/s, {micros:.2} µs of the master per item", thousands(rate));
            into.0.push(rate);
            into.1.push(micros);
        }
        turns.share.push(with.0 / without.0);
    }
    Ok(turns)
}

fn figures(ran: &Ran, count: u64) -> (f64, f64) {
    (count as f64 / ran.elapsed.as_secs_f64(), ran.cpu.sum().as_secs_f64() * 1e6 / count as f64)
}

fn start(setup: &Setup, journal: Option<&Path>) -> anyhow::Result<Pando> {
    let journal = journal.map(|path| path.display().to_string());
    let mut options = vec!["--cores", "0"];
    options.extend(journal.iter().flat_map(|path| ["--journal", path]));
    Pando::start(&setup.pando, &options)
}

fn compute(setup: &Setup, volunteers: &[&str], count: u64, journal: Option<&Path>) -> anyhow::Result<Ran> {
    let mut pando = start(setup, journal)?;
    let mut volunteers = swarm(&setup.swarm(), &pando.url()?, volunteers)?;
    volunteers.wait_for("all joined")?;
    let ran = pando.run(Lines::numbers(count))?;
    volunteers.wait()?;
    Ok(ran)
}

/// Ten times the results should take the same memory.
fn replay(setup: &Setup) -> anyhow::Result<Vec<Row>> {
    let (mut rows, mut peaks) = (Vec::new(), Vec::new());
    for count in KEPT.map(|count| setup.scaled(count)) {
        let folder = tempfile::tempdir()?;
        let journal = folder.path().join("journal");
        compute(setup, &FAST, count, Some(&journal))?;
        let (mut time, mut memory) = (Samples::default(), Samples::default());
        for run in setup.runs() {
            let begun = Instant::now();
            let ran = start(setup, Some(&journal))?.run(Lines::numbers(count))?;
            time.push(begun.elapsed().as_secs_f64());
            memory.push(ran.peak as f64);
            eprintln!("replay of {count}, run {run}: {:.2} s, {}", begun.elapsed().as_secs_f64(), megabytes(ran.peak as f64));
        }
        let what = format!("{} results from the journal, from start to end", thousands(count as f64));
        rows.push(Row::plain(what, time.show(|s| format!("{s:.2} s"))));
        rows.push(Row::plain("… peak memory", memory.show(megabytes)));
        peaks.push(memory.median());
    }
    let growth = peaks[1] / peaks[0];
    rows.push(Row::goal(
        "… its growth with ten times the results",
        format!("× {growth:.2}"),
        "constant (≤ × 1.2)",
        growth <= 1.2,
    ));
    Ok(rows)
}
