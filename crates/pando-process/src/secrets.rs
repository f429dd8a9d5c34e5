//! Secrets in the environment, which are hidden from programs that Pando starts.

use std::{ffi::OsStr, process::Command};

/// Variables with secrets. Anyone with their values can join the run, or use a relay or a TURN
/// server.
const SECRETS: [&str; 4] =
    ["PANDO_SECRET", "PANDO_TOKEN", "PANDO_ICE_SERVERS", "PANDO_RELAY_SECRET"];

/// A command for `program` without the secrets in its environment.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    withhold(&mut command);
    command
}

/// Removes the secrets from the environment of `command`.
pub fn withhold(command: &mut Command) {
    for name in SECRETS {
        command.env_remove(name);
    }
}
