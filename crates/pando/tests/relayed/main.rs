//! Master, relay and tabs together: the real binary twice, and real Chromium.

#[path = "../common/mod.rs"]
mod common;

mod below;
mod cuts;
mod departures;
mod errors;
mod hostile;
mod internet;
mod moves;
mod networks;
mod proxies;
mod relay;
mod values;

use common::{Pando, Running, Tab};
use relay::Relay;

/// A run for tabs that connect through `relay`.
fn tabs_only(function: &str, relay: &Relay) -> Pando {
    relay.used_by(Pando::f(function)).args(["--cores", "0"])
}

/// The URL of the room: the first URL that the master prints.
fn room(run: &Running) -> String {
    let line = run.says("Serving volunteer code at ");
    line[line.find("http").expect("a URL")..].trim().to_owned()
}

/// A tab with the name `name` that lends one core of a device elsewhere.
fn tab(run: &Running, name: &str) -> Tab {
    Tab::open(&room(run), &format!("device={name};cores=1;"))
}
