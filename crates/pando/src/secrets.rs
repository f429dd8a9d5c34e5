//! Secrets in the environment, which the programs that Pando starts have no use for.

use std::{ffi::OsStr, process::Command};

/// Who knows their values can join the run, or use a relay or a TURN server.
const SECRETS: [&str; 4] = ["PANDO_SECRET", "PANDO_TOKEN", "PANDO_ICE_SERVERS", "PANDO_RELAY_SECRET"];

/// `program`, to be started without the secrets.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    withhold(&mut command);
    command
}

/// Has `command` start without the secrets.
pub(crate) fn withhold(command: &mut Command) {
    for name in SECRETS {
        command.env_remove(name);
    }
}
