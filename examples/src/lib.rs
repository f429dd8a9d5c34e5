//! Shared parts of the examples' small programs: they read lines, and handle errors.

#[path = "../mining/shared.rs"]
pub mod mining;
pub mod results;

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Context;

/// Runs the body of a program that reads standard input or writes standard output.
///
/// An error is printed as one line on standard error, and gives status 1. If the reader of the
/// output is gone, the program ends quietly with status 0, like other programs in a pipe.
pub fn run(program: &str, body: impl FnOnce() -> anyhow::Result<()>) -> ExitCode {
    match body() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // `eprintln!` would panic when standard error is closed.
            let _ = writeln!(io::stderr(), "{program}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Calls `body` for every line of standard input, without the newline. Errors name the line,
/// counted from 1.
pub fn for_each_line(mut body: impl FnMut(&str) -> anyhow::Result<()>) -> anyhow::Result<()> {
    for (index, line) in io::stdin().lines().enumerate() {
        line.map_err(anyhow::Error::from)
            .and_then(|line| body(&line))
            .with_context(|| format!("line {}", index + 1))?;
    }
    Ok(())
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}
