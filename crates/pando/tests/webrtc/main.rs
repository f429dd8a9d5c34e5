//! Peer connections: the real binary, real Chromium tabs that are told to use WebRTC, and signalling by hand.

#[path = "../common/mod.rs"]
mod common;

mod departures;
mod servers;
mod signalling;
mod strangers;
mod values;

use common::{Pando, Running, Tab};

/// A run that only tabs compute for.
fn tabs_only(function: &str) -> Pando {
    Pando::f(function).args(["--cores", "0"])
}

/// A tab called `name` that lends one core by a peer connection.
fn tab(run: &Running, name: &str) -> Tab {
    Tab::open(&run.url(), &format!("device={name};cores=1;protocol=webrtc;"))
}

/// `host:port` and the port of `url`.
fn place(url: &str) -> (&str, u16) {
    let host = url.split('/').nth(2).expect("a URL");
    (host, host.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port"))
}
