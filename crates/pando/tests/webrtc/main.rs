//! Peer connections: the real binary, real Chromium tabs that use WebRTC, and simulated
//! signalling.

mod departures;
mod servers;
mod signalling;
mod strangers;
mod values;

use pando_testing::{PandoCommand, RunningProgram, Tab};

/// A run for tabs only.
fn tabs_only(function: &str) -> PandoCommand {
    PandoCommand::f(function).args(["--cores", "0"])
}

/// A tab with the name `name` that lends one core over a peer connection.
fn tab(run: &RunningProgram, name: &str) -> Tab {
    Tab::open(&run.url(), &format!("device={name};cores=1;protocol=webrtc;"))
}

/// `host:port` and the port of `url`.
fn place(url: &str) -> (&str, u16) {
    let host = url.split('/').nth(2).expect("a URL");
    (host, host.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port"))
}
