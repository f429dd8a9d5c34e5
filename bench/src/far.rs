//! Two computers far from each other: network namespaces (as root, with iproute2) with [`delay`]
//! between them.

use crate::delay;
use anyhow::{Context, ensure};
use pando_testing::{Internet, RunningProgram, Streams};
use std::{path::Path, time::Duration};

/// The master's computer, the volunteer's computer, and the delay between them. Dropping this
/// removes all three.
#[derive(Debug)]
pub struct Far {
    // The first field, so that the program ends before its network is removed.
    _between: RunningProgram,
    internet: Internet,
}

impl Far {
    /// The options of a master that volunteers reach through the delay.
    pub const OPTIONS: [&str; 6] =
        ["--bind", delay::MASTER, "--port", delay::PORT, "--ice-servers", delay::STUN];

    /// Creates the two computers. Packets between them are delayed by `late` in both directions.
    /// `program` is the `delay` program.
    ///
    /// # Errors
    /// When the system allows no network namespaces.
    pub fn new(program: &Path, late: Duration) -> anyhow::Result<Self> {
        let internet = Internet::of_two_cables()
            .context("no network namespaces: they need root and iproute2")?;
        let mut command = internet.command("pub", program);
        command.arg(late.as_millis().to_string());
        let mut between = RunningProgram::try_start(&mut command, Streams::without_input())?;
        ensure!(between.line().is_some(), "{} did not start", program.display());
        Ok(Self { _between: between, internet })
    }

    /// The words before a command on the master's computer.
    pub fn at_master(&self) -> [String; 4] {
        self.internet.inside("mas")
    }

    /// The words before a command on the volunteer's computer.
    pub fn at_volunteer(&self) -> [String; 4] {
        self.internet.inside("bro")
    }

    /// The address for the volunteer, from the master's own `url`.
    pub fn url(url: &str) -> String {
        url.replace(delay::MASTER, delay::FRONT)
    }
}
