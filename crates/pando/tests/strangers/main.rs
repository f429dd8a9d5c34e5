//! Attempts of strangers, and the defences against them. Each line of `docs/security.md` has a
//! test.

mod connections;
mod fuzzed;
mod headers;
#[cfg(target_os = "linux")]
mod held;
mod network;
mod said;
mod tls;

use pando_testing::{PandoCommand, RunningProgram};

/// A run that waits for volunteers.
fn served(args: &[&str]) -> RunningProgram {
    PandoCommand::f("(x, cb) => cb(null, x)").args(["--cores", "0"]).args(args).stdin_open().start()
}

/// `host:port` of a URL.
fn host(url: &str) -> &str {
    url.split('/').nth(2).expect("a URL")
}
