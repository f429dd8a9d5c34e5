//! Runs of pando with people as volunteers: the test reads the pages, clicks and types.

use pando_testing::{DrivenTab, RunningProgram, Streams};

use crate::devices::pando;

/// Starts pando for functions that run in pages, with `input` on standard input.
pub(crate) fn start(arguments: &[&str], input: Vec<u8>) -> RunningProgram {
    let mut command = pando();
    command.args(arguments).args(["--stdin", "--dom", "--batch-size", "1", "--port", "0"]);
    RunningProgram::start(&mut command, Streams::with_input(input))
}

/// Opens the page of `run` on a device with this name.
pub(crate) fn join(run: &mut RunningProgram, name: &str) -> DrivenTab {
    let tab = DrivenTab::open(&format!("{}#device={name};", run.url())).expect("a tab");
    run.hears(&format!("{name} joined")).expect("the device joins");
    tab
}
