//! What the examples' small programs share: how they read lines, and how they end.

#[path = "../mining/shared.rs"]
pub mod mining;
pub mod results;

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Context;

/// Runs the body of a program that reads standard input or writes standard output.
///
/// An error is told in one line on standard error and gives status 1. A reader that has gone away is none: the
/// program ends quietly with status 0, as programs in a pipe do.
pub fn run(program: &str, body: impl FnOnce() -> anyhow::Result<()>) -> ExitCode {
    match body() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // Not `eprintln!`, which panics when standard error is closed.
            let _ = writeln!(io::stderr(), "{program}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Calls `body` on every line of standard input, without its line end. Errors say the line's number, from 1.
pub fn for_each_line(mut body: impl FnMut(&str) -> anyhow::Result<()>) -> anyhow::Result<()> {
    for (index, line) in io::stdin().lines().enumerate() {
        line.map_err(anyhow::Error::from).and_then(|line| body(&line)).with_context(|| format!("line {}", index + 1))?;
    }
    Ok(())
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>()).any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}
