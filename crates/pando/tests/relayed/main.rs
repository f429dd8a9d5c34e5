//! Master, relay and tabs together: the real binary twice, and real Chromium.

mod below;
mod cuts;
mod departures;
mod errors;
mod hostile;
mod local_network;
mod moves;
mod networks;
mod proxies;
mod values;

use pando_testing::{PandoCommand, RelayProcess, RunningProgram, Tab};

/// A run for tabs that connect through `relay`.
fn tabs_only(function: &str, relay: &RelayProcess) -> PandoCommand {
    relay.used_by(PandoCommand::f(function)).args(["--cores", "0"])
}

/// A tab with the name `name` that lends one core of a device elsewhere.
fn tab(run: &RunningProgram, name: &str) -> Tab {
    Tab::open(&run.room(), &format!("device={name};cores=1;"))
}
