//! Volunteers' tabs: the real binary and real Chromium, one process per device.

mod assets;
mod departures;
mod figure_4;
mod frozen;
mod functions;
mod links;
mod packages;
mod poison;
mod slow_link;
mod stalled;
mod stragglers;
mod trust;
mod unfit;

use pando_testing::{PandoCommand, RunningProgram, Tab};

/// A run for tabs only.
fn tabs_only(function: &str) -> PandoCommand {
    PandoCommand::f(function).args(["--cores", "0"])
}

/// A tab with the name `name` that lends one core.
fn tab(run: &RunningProgram, name: &str) -> Tab {
    Tab::open(&run.url(), &format!("device={name};cores=1;"))
}
