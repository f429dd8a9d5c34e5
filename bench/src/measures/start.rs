//! The time until the URL, and until the first result.

use super::Setup;
use crate::{
    lines::GeneratedLines,
    program::EchoRun,
    table::{Row, Samples},
};
use std::{
    process::Command,
    time::{Duration, Instant},
};

/// The number of starts for each run of the other measures.
const STARTS: usize = 5;

/// The times from the start of the process to the first URL, and to the first byte of its output
/// with this machine's cores; and in turn the time of an empty script of Node.
pub(super) fn first_result(setup: &Setup) -> anyhow::Result<Vec<Row>> {
    let (mut first, mut url, mut node, mut ratio) =
        <(Samples, Samples, Samples, Samples)>::default();
    let millis = |time: Duration| time.as_secs_f64() * 1e3;
    for _ in 0..setup.runs.max(1) * STARTS {
        let start = Instant::now();
        let mut pando = EchoRun::start(&setup.pando, &[])?;
        pando.url()?;
        url.push(millis(start.elapsed()));
        let result = millis(pando.run(GeneratedLines::numbers(10))?.first);
        let start = Instant::now();
        Command::new("node").args(["-e", "0"]).status()?;
        let empty = millis(start.elapsed());
        first.push(result);
        node.push(empty);
        ratio.push(result / empty);
    }
    eprintln!("first: {}", first.show(|ms| format!("{ms:.0} ms")));
    let show = |ms| format!("{ms:.0} ms");
    let (in_time, soon) = (ratio.median() <= 2.0, url.median() <= 20.0);
    Ok(vec![
        Row::plain("first result of this machine's cores after the start", first.show(show)),
        Row::goal(
            "… times an empty script of Node",
            ratio.show(|ratio| format!("× {ratio:.1}")),
            "≤ × 2",
            in_time,
        ),
        Row::plain("… an empty script of Node", node.show(show)),
        Row::goal("the URL for volunteers after the start", url.show(show), "≤ 20 ms", soon),
    ])
}
