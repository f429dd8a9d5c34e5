//! Starts Chromium without a DevTools client: such a client ([`crate::devtools`]) would halve a
//! tab's speed.

use anyhow::Context;
use std::{
    env,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
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

/// The time that a browser has to end after SIGTERM.
const PATIENCE: Duration = Duration::from_secs(3);

/// A browser with one tab and its own profile. The browser ends when this is dropped.
#[derive(Debug)]
pub struct Browser {
    child: Child,
    profile: TempDir,
}

impl Browser {
    /// Opens `url` in a new browser.
    ///
    /// # Errors
    /// When the browser cannot be started.
    pub fn open(binary: &Path, url: &str) -> anyhow::Result<Self> {
        Self::open_with(binary, url, &[])
    }

    /// Opens `url` in a new browser with more command line options.
    ///
    /// # Errors
    /// When the browser cannot be started.
    pub fn open_with(binary: &Path, url: &str, options: &[&str]) -> anyhow::Result<Self> {
        let profile = tempfile::tempdir()?;
        let child = Command::new(binary)
            .args(OPTIONS)
            .args(options)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(url)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .with_context(|| format!("{} cannot be started", binary.display()))?;
        Ok(Self { child, profile })
    }

    /// The id of the browser's main process, which leads the process group of all the browser's
    /// processes.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The folder of the browser's profile.
    pub fn profile(&self) -> &Path {
        self.profile.path()
    }
}

/// Finds the browser's program: `CHROMIUM`, or the first known name on PATH.
///
/// # Errors
/// When no browser is found.
pub fn chromium() -> anyhow::Result<PathBuf> {
    if let Some(named) = env::var_os("CHROMIUM") {
        return Ok(named.into());
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let names = ["chromium", "google-chrome", "chromium-browser", "google-chrome-stable"];
    let mut files =
        names.iter().flat_map(|name| env::split_paths(&path).map(move |folder| folder.join(name)));
    files
        .find(|file| file.is_file())
        .context("Chromium is needed: install it, or name it in CHROMIUM")
}

impl Drop for Browser {
    fn drop(&mut self) {
        // After SIGTERM the browser ends its many processes itself. The rest of the process group
        // is killed.
        let id = self.child.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &id]).status();
        let until = Instant::now() + PATIENCE;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = Command::new("kill")
            .args(["-KILL", "--", &format!("-{id}")])
            .stderr(Stdio::null())
            .status();
        let _ = self.child.wait();
    }
}
