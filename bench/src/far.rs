//! Two computers far from each other: network namespaces (as root, with iproute2) with [`delay`]
//! between them.

use crate::{bare::Peers, delay};
use anyhow::{Context, ensure};
use pando_testing::{Chromium, Internet, RunningProgram, Streams};
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

    /// Two pages without Pando on the two computers do `task`. Returns the seconds that they take;
    /// `bare` is the program of the prototypes.
    ///
    /// # Errors
    /// When the program or the browser cannot be started, or the pages do not connect.
    pub fn bare_pages(
        &self,
        bare: &Path,
        chromium: &Path,
        count: u64,
        length: usize,
        echo: bool,
    ) -> anyhow::Result<f64> {
        let mut command = self.internet.command("mas", bare);
        let at = format!("{}:{}", delay::MASTER, delay::PORT);
        command.args(["peers", "--bind", &at, "--stun", delay::STUN]);
        command.args(["--count", &count.to_string(), "--length", &length.to_string()]);
        command.args(echo.then_some("--echo"));
        let mut bare = RunningProgram::try_start(&mut command, Streams::without_input())?;
        let url = bare.line().context("the prototype did not start")?;
        let open = |inside: [String; 4], url: &str| {
            Chromium::at(chromium).with(Peers::BROWSER).inside(&inside).open(url)
        };
        let _first = open(self.at_master(), &url)?;
        let _second = open(self.at_volunteer(), &Self::url(&url))?;
        let took = bare.line().context("the pages did not connect")?;
        took.strip_prefix("took ").and_then(|took| took.parse().ok()).context("this is no time")
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
