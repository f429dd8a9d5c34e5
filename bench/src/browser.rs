//! Chromium without anything that listens in: a DevTools client would halve a tab's speed.

use anyhow::Context;
use std::{
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

const OPTIONS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-renderer-backgrounding",
    "--disable-background-timer-throttling",
];

/// Time that a browser has to end.
const PATIENCE: Duration = Duration::from_secs(3);

/// A browser with one tab and a profile of its own, ended when dropped.
#[derive(Debug)]
pub struct Browser {
    child: Child,
    _profile: TempDir,
}

impl Browser {
    /// Opens `url`.
    ///
    /// # Errors
    /// When the browser cannot be started.
    pub fn open(binary: &Path, url: &str) -> anyhow::Result<Self> {
        let profile = tempfile::tempdir()?;
        let child = Command::new(binary)
            .args(OPTIONS)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(url)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .with_context(|| format!("{} cannot be started", binary.display()))?;
        Ok(Self { child, _profile: profile })
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Asked to end, it ends its many processes itself; what is left of its group is killed.
        let id = self.child.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &id]).status();
        let until = Instant::now() + PATIENCE;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = Command::new("kill").args(["-KILL", "--", &format!("-{id}")]).stderr(Stdio::null()).status();
        let _ = self.child.wait();
    }
}
