//! Filters lines "NUMBER STEPS": prints a line if it has more steps than all lines before.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;

/// Print each line "NUMBER STEPS" of standard input that has more steps than all lines before.
#[derive(Parser)]
#[command(name = "collatz-max", version)]
struct Options {}

fn main() -> ExitCode {
    Options::parse();
    pando_examples::run("collatz-max", print)
}

fn print() -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    let mut most = None;
    pando_examples::for_each_line(|line| {
        let steps =
            steps(line).with_context(|| format!("expected \"NUMBER STEPS\", got {line:?}"))?;
        if most < Some(steps) {
            most = Some(steps);
            writeln!(out, "{}", line.trim())?;
            out.flush()?;
        }
        Ok(())
    })
}

fn steps(line: &str) -> Option<u64> {
    let (number, steps) = line.trim().split_once(' ')?;
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    steps.parse().ok()
}
