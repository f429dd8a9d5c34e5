//! Counts schedules, and prints their violations, each with a command that repeats it.

mod answer;

use std::io::{self, Write};
use std::process::ExitCode;

use answer::{Answer, Tested, Violation};
use anyhow::Context;
use clap::Parser;

/// Print the violations among the answers on standard input, each with a command that repeats it,
/// and count the schedules.
///
/// The exit status is 1 when there was a violation.
#[derive(Parser)]
#[command(name = "violations", version)]
struct Options {
    /// Stop at the first violation
    #[arg(long)]
    first: bool,
}

fn main() -> ExitCode {
    let Options { first } = Options::parse();
    let mut found = 0;
    let status = pando_examples::run("violations", || print(first, &mut found));
    if found > 0 { ExitCode::FAILURE } else { status }
}

fn print(first: bool, found: &mut u64) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    let mut schedules = 0;
    for (index, line) in io::stdin().lines().enumerate() {
        let line = line.with_context(|| format!("line {}", index + 1))?;
        let answer: Answer = serde_json::from_str(&line)
            .with_context(|| format!("line {}: not an answer: {line:?}", index + 1))?;
        schedules += answer.schedules;
        if let Some(violation) = answer.violation {
            *found += 1;
            print_one(&mut out, &answer.lender, &violation)?;
        }
        if first && *found > 0 {
            break;
        }
    }
    let violations = if *found == 1 { "violation" } else { "violations" };
    writeln!(out, "{schedules} schedules, {found} {violations}")?;
    Ok(())
}

fn print_one(out: &mut impl Write, lender: &Tested, violation: &Violation) -> io::Result<()> {
    let Violation { seed, bug, property, what, events } = violation;
    for event in events {
        writeln!(out, "  {event}")?;
    }
    match property {
        Some(0) => writeln!(out, "violation of the protocol: {what}")?,
        Some(property) => writeln!(out, "violation of property {property}: {what}")?,
        None => writeln!(out, "violation: {what}")?,
    }
    let bug = bug.as_ref().map_or(String::new(), |bug| format!(" {bug}"));
    match lender {
        Tested::PullStream => writeln!(
            out,
            "  again: target/release/pando --local examples/random-testing/random-testing.js '{seed} 1{bug}' | target/release/violations"
        )?,
        Tested::StreamLender => {
            writeln!(
                out,
                "  again: echo '{seed} 1{bug}' | target/release/lender-schedules | target/release/violations"
            )?;
        }
    }
    out.flush()
}
