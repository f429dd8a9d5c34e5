//! Memory and time for one very long line, and for very many short lines.

use super::Setup;
use crate::{
    lines::GeneratedLines,
    program::EchoRun,
    table::{Row, Samples, megabytes, thousands},
};

/// The lengths of the line, in bytes.
const LINE: [u64; 3] = [50_000_000, 100_000_000, 200_000_000];
/// The numbers of lines.
const LINES: [u64; 2] = [1_000_000, 10_000_000];

/// Twice the length should need twice the time and memory.
pub(super) fn long_line(setup: &Setup) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for length in LINE.map(|length| setup.scaled(length)) {
        let (mut time, mut memory, mut child) =
            (Samples::default(), Samples::default(), Samples::default());
        for run in setup.runs() {
            let mut pando = EchoRun::start(&setup.pando, &[])?;
            pando.url()?;
            let ran = pando.run(GeneratedLines::long(1, length as usize))?;
            eprintln!(
                "line of {} MB, run {run}: {:.2} s, {}",
                length / 1_000_000,
                ran.elapsed.as_secs_f64(),
                megabytes(ran.peak as f64)
            );
            time.push(ran.elapsed.as_secs_f64());
            memory.push(ran.peak as f64);
            child.push(ran.child_peak as f64);
        }
        let speed = |s: f64| format!("{s:.2} s");
        rows.push(Row::plain(
            format!("one line of {} through a local core", megabytes(length as f64)),
            time.show(speed),
        ));
        let each = |bytes: f64| {
            format!("{}, {:.1} for each of the line", megabytes(bytes), bytes / length as f64)
        };
        let goal = |what, memory: Samples, most: f64| {
            let reached = memory.median() <= most * length as f64;
            Row::goal(what, memory.show(each), format!("≤ {most}"), reached)
        };
        rows.push(goal("… peak memory of the master", memory, 1.6));
        rows.push(goal("… peak memory of the core's Node", child, 3.0));
    }
    Ok(rows)
}

/// Ten times as many lines should need the same memory.
pub(super) fn many_lines(setup: &Setup) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    let mut peaks = Vec::new();
    for count in LINES.map(|count| setup.scaled(count)) {
        let (mut rate, mut memory) = (Samples::default(), Samples::default());
        for run in setup.runs() {
            let ran = EchoRun::start(&setup.pando, &[])?.run(GeneratedLines::numbers(count))?;
            rate.push(count as f64 / ran.elapsed.as_secs_f64());
            memory.push(ran.peak as f64);
            eprintln!(
                "{count} lines, run {run}: {:.2} s, {}",
                ran.elapsed.as_secs_f64(),
                megabytes(ran.peak as f64)
            );
        }
        rows.push(Row::plain(
            format!("{} lines through a local core", thousands(count as f64)),
            rate.show(|r| thousands(r) + " items/s"),
        ));
        rows.push(Row::plain("… peak memory of the master", memory.show(megabytes)));
        peaks.push(memory.median());
    }
    rows.push(growth("… its growth with ten times the lines", &peaks));
    Ok(rows)
}

/// The ratio of the second peak to the first. The goal is constant memory.
pub(super) fn growth(what: &str, peaks: &[f64]) -> Row {
    let growth = peaks[1] / peaks[0];
    Row::goal(what, format!("× {growth:.2}"), "constant (≤ × 1.2)", growth <= 1.2)
}
