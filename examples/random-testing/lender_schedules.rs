//! Runs random schedules against the crate `stream-lender`, for `pando --exec`. The schedules and
//! the model are part of the crate's own tests.

mod answer;
mod broken;
#[path = "../../crates/stream-lender/tests/schedules/model.rs"]
mod model;
#[path = "../../crates/stream-lender/tests/schedules/random.rs"]
mod random;
#[path = "../../crates/stream-lender/tests/schedules/schedule.rs"]
mod schedule;
#[allow(dead_code, reason = "the crate's tests also ask what was never reached")]
#[path = "../../crates/stream-lender/tests/schedules/seen.rs"]
mod seen;
#[path = "../../crates/stream-lender/tests/schedules/source.rs"]
mod source;
#[path = "../../crates/stream-lender/tests/schedules/steps.rs"]
mod steps;

use std::any::Any;
use std::io::{self, Write};
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;

use answer::{Answer, Tested, Violation};
use anyhow::Context;
use broken::{Bug, Lender};
use clap::{Parser, ValueEnum};
use schedule::Schedule;

/// Run the random schedules of each line "SEED COUNT" or "SEED COUNT BUG" of standard input, and
/// answer with a line of JSON.
///
/// The seeds are SEED, SEED + 1, …; when COUNT is 1, standard error shows all events.
#[derive(Parser)]
#[command(name = "lender-schedules", version)]
struct Options {}

fn main() -> ExitCode {
    Options::parse();
    // The answer of a failed schedule contains its panic message.
    panic::set_hook(Box::new(|_| {}));
    pando_examples::run("lender-schedules", || {
        let mut out = io::stdout().lock();
        pando_examples::for_each_line(|line| {
            let (first, count, bug) = parse(line)?;
            serde_json::to_writer(&mut out, &test(first, count, bug))?;
            writeln!(out)?;
            Ok(out.flush()?)
        })
    })
}

fn parse(line: &str) -> anyhow::Result<(u64, u64, Option<Bug>)> {
    let mut words = line.split(' ');
    let mut number = || words.next()?.parse().ok();
    let numbers = number().zip(number()).filter(|(_, count)| *count > 0);
    let (first, count) =
        numbers.with_context(|| format!("not \"SEED COUNT\" or \"SEED COUNT BUG\": {line:?}"))?;
    let bug = words
        .next()
        .map(|bug| Bug::from_str(bug, false).map_err(|_| anyhow::anyhow!("no such bug: {bug:?}")))
        .transpose()?;
    anyhow::ensure!(words.next().is_none(), "more than three words: {line:?}");
    Ok((first, count, bug))
}

/// Runs the schedules until the first violation.
fn test(first: u64, count: u64, bug: Option<Bug>) -> Answer {
    let mut answer = Answer { lender: Tested::StreamLender, schedules: 0, violation: None };
    for seed in first..first.saturating_add(count) {
        answer.schedules += 1;
        let run = || Schedule::new(seed, count == 1, |window| Lender::new(window, bug)).run();
        if let Err(panic) = panic::catch_unwind(AssertUnwindSafe(run)) {
            let bug = bug.and_then(|bug| Some(bug.to_possible_value()?.get_name().to_owned()));
            answer.violation = Some(Violation {
                seed,
                bug,
                property: None,
                what: words(&*panic),
                events: Vec::new(),
            });
            break;
        }
    }
    answer
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    let lines = text.unwrap_or("it panicked").lines().map(str::trim);
    lines.collect::<Vec<_>>().join(", ")
}
