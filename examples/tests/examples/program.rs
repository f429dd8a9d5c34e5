//! Runs a program and returns its outputs and status.

use std::path::Path;
use std::process::Command;

use pando_testing::{Finished, Output, RunningProgram, Stdin, Streams};

/// Runs one of the crate's programs, whose path is `env!("CARGO_BIN_EXE_…")`.
pub(crate) fn run(program: &str, arguments: &[&str], input: &[u8]) -> Finished {
    feed(Command::new(program).args(arguments), input)
}

/// Applies a Pando function to each line of the input with node. `function` is a path in the
/// examples' folder.
pub(crate) fn apply(function: &str, input: &str) -> Finished {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut node = Command::new("node");
    node.arg("--no-deprecation").arg("tests/run-function.js").arg(function).current_dir(folder);
    feed(&mut node, input.as_bytes())
}

/// Runs a program and closes its standard output early, like `head`.
pub(crate) fn leave_early(program: &str, arguments: &[&str], input: &[u8]) -> Finished {
    let mut command = Command::new(program);
    let streams =
        Streams { stdin: Stdin::Open, stdout: Output::Unread, ..Streams::without_input() };
    let mut run = RunningProgram::start(command.args(arguments), streams);
    drop(run.take_stdout());
    // The program may end before it has read everything.
    let _ = std::io::Write::write_all(&mut run.take_stdin(), input);
    run.wait()
}

fn feed(command: &mut Command, input: &[u8]) -> Finished {
    RunningProgram::start(command, Streams::with_input(input)).wait()
}
