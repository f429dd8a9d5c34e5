//! Two computers far from each other: network namespaces (as root, with iproute2) with [`delay`]
//! between them.

use crate::delay;
use anyhow::{Context, ensure};
use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio, id},
    time::Duration,
};
use tempfile::TempDir;

/// The two networks. Each computer has the address `.2` of its network; the router between them
/// has `.1` in both.
const NETWORKS: [(&str, &str); 2] = [("mas", "10.1.0"), ("vol", "10.2.0")];

/// The master's computer, the volunteer's computer, and the delay between them. Dropping this
/// removes all three.
#[derive(Debug)]
pub struct Far {
    prefix: String,
    folder: TempDir,
    between: Option<Child>,
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
        let mut far =
            Self { prefix: format!("pando{}", id()), folder: tempfile::tempdir()?, between: None };
        far.script(&format!(
            "ip netns add Pmid; ip -n Pmid link set lo up
             {}",
            NETWORKS
                .map(|(name, net)| format!(
                    "ip netns add P{name}; ip -n P{name} link set lo up
                 ip link add to{name} netns Pmid type veth peer name eth0 netns P{name}
                 ip -n Pmid addr add {net}.1/24 dev to{name}; ip -n Pmid link set to{name} up
                 ip -n P{name} addr add {net}.2/24 dev eth0; ip -n P{name} link set eth0 up
                 ip -n P{name} route add default via {net}.1"
                ))
                .join("\n")
        ))?;
        let mut between = Command::new(far.at("mid", program)?)
            .arg(late.as_millis().to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let said = between.stdout.take().context("standard output is a pipe")?;
        far.between = Some(between);
        ensure!(
            BufReader::new(said).lines().next().is_some(),
            "{} did not start",
            program.display()
        );
        Ok(far)
    }

    /// A script that runs `program` on the master's computer.
    ///
    /// # Errors
    /// When the temporary folder cannot be written.
    pub fn at_master(&self, program: &Path) -> anyhow::Result<PathBuf> {
        self.at("mas", program)
    }

    /// A script that runs `program` on the volunteer's computer.
    ///
    /// # Errors
    /// When the temporary folder cannot be written.
    pub fn at_volunteer(&self, program: &Path) -> anyhow::Result<PathBuf> {
        self.at("vol", program)
    }

    /// The address for the volunteer, from the master's own `url`.
    pub fn url(url: &str) -> String {
        url.replace(delay::MASTER, delay::FRONT)
    }

    fn at(&self, name: &str, program: &Path) -> anyhow::Result<PathBuf> {
        let file = self
            .folder
            .path()
            .join(format!("{name}-{}", program.file_name().unwrap_or_default().display()));
        let words = format!(
            "#!/bin/sh\nexec ip netns exec {}{name} '{}' \"$@\"\n",
            self.prefix,
            program.display()
        );
        fs::write(&file, words)?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755))?;
        Ok(file)
    }

    fn script(&self, script: &str) -> anyhow::Result<()> {
        let script = script.replace(" P", &format!(" {}", self.prefix));
        let output = Command::new("sh").args(["-ec", &script]).output()?;
        ensure!(
            output.status.success(),
            "no network namespaces: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
        Ok(())
    }
}

impl Drop for Far {
    fn drop(&mut self) {
        if let Some(between) = &mut self.between {
            let _ = between.kill();
            let _ = between.wait();
        }
        for name in ["mid", "mas", "vol"] {
            let _ = self.script(&format!("ip netns del P{name}"));
        }
    }
}
