//! The time until the first result.

use super::Setup;
use crate::{
    lines::GeneratedLines,
    program::EchoRun,
    table::{Row, Samples},
};

/// The number of starts for each run of the other measures.
const STARTS: usize = 5;

/// The time from the start of the process to the first byte of its output, with this machine's
/// cores.
pub(super) fn first_result(setup: &Setup) -> anyhow::Result<Vec<Row>> {
    let mut first = Samples::default();
    for _ in 0..setup.runs.max(1) * STARTS {
        first.push(
            EchoRun::start(&setup.pando, &[])?
                .run(GeneratedLines::numbers(10))?
                .first
                .as_secs_f64()
                * 1000.0,
        );
    }
    eprintln!("first: {}", first.show(|ms| format!("{ms:.0} ms")));
    let reached = first.median() <= 500.0;
    Ok(vec![Row::goal(
        "first result of this machine's cores after the start",
        first.show(|ms| format!("{ms:.0} ms")),
        "≤ 500 ms",
        reached,
    )])
}
