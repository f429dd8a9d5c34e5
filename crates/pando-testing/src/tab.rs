//! A device with a browser tab: headless Chromium in its own processes, without control over the
//! page. Control by [DevTools](crate::DrivenTab) would halve a tab's speed.

use super::{make_neutral, processes::Group};
use anyhow::Context;
use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use tempfile::TempDir;

/// The program of Chromium, and the options for its start.
#[derive(Debug, Clone)]
pub struct Chromium {
    program: PathBuf,
    /// The words before the command.
    launcher: Vec<String>,
    options: Vec<String>,
}

impl Chromium {
    /// The Chromium of the system: `CHROMIUM`, or the first known name on PATH.
    ///
    /// # Errors
    /// When there is no Chromium. The error names the missing program.
    pub fn found() -> Result<Self, String> {
        match env::var_os("CHROMIUM") {
            Some(named) => Ok(Self::at(named)),
            None => found(&CHROMIUMS)
                .map(Self::at)
                .map_err(|why| format!("{why}: install Chromium, or name it in CHROMIUM")),
        }
    }

    /// The Chromium whose program is `program`.
    pub fn at(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into(), launcher: Vec::new(), options: Vec::new() }
    }

    /// Puts these words before the command, as in `ip netns exec NAME`.
    pub fn inside(mut self, launcher: &[String]) -> Self {
        self.launcher = launcher.to_vec();
        self
    }

    /// Adds options for the browser.
    pub fn with(mut self, options: &[&str]) -> Self {
        self.options.extend(options.iter().map(|option| (*option).to_owned()));
        self
    }

    /// The path of the program.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Opens `url` in a new browser.
    ///
    /// # Errors
    /// When the browser cannot be started.
    pub fn open(&self, url: &str) -> anyhow::Result<Tab> {
        let profile = tempfile::Builder::new().prefix("pando-tab-").tempdir()?;
        let program = self.program.display().to_string();
        let mut words = self.launcher.iter().chain([&program]);
        let mut command = Command::new(words.next().context("there is a program at least")?);
        make_neutral(&mut command);
        command.args(words).args(OPTIONS).args(&self.options);
        if url.starts_with("https://127.0.0.1") {
            command.arg("--ignore-certificate-errors");
        }
        command.arg(format!("--user-data-dir={}", profile.path().display())).arg(url);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let group =
            Group::start(&mut command).with_context(|| format!("{program} cannot be started"))?;
        Ok(Tab { group, profile })
    }
}

/// One tab with its own browser, like one device. The browser's processes are killed when this is
/// dropped.
#[derive(Debug)]
pub struct Tab {
    group: Group,
    profile: TempDir,
}

impl Tab {
    /// Opens `url` with `fragment` after its `#` (`"cores=2;"`, or nothing) in the system's
    /// Chromium.
    pub fn open(url: &str, fragment: &str) -> Self {
        Self::open_inside(&[], url, fragment)
    }

    /// Opens `url` with more options for the browser.
    pub fn open_with(options: &[&str], url: &str, fragment: &str) -> Self {
        Self::of(&needed().with(options), url, fragment)
    }

    /// Opens `url` with the words of `launcher` before the command, as in `ip netns exec NAME`.
    pub fn open_inside(launcher: &[String], url: &str, fragment: &str) -> Self {
        Self::of(&needed().inside(launcher), url, fragment)
    }

    fn of(chromium: &Chromium, url: &str, fragment: &str) -> Self {
        let url = if fragment.is_empty() { url.to_owned() } else { format!("{url}#{fragment}") };
        chromium.open(&url).unwrap_or_else(|error| panic!("{error:#}"))
    }

    /// The folder of the browser's profile.
    pub fn profile(&self) -> &Path {
        self.profile.path()
    }

    /// The browser's main process, which leads the process group of all the browser's processes.
    pub fn pid(&self) -> u32 {
        self.group.pid()
    }

    /// Sends a signal to all processes of the browser: `STOP` is like a device that falls asleep.
    pub fn signal(&self, signal: &str) {
        self.group.signal(signal);
    }

    /// Kills all processes of the browser at once, like an empty battery.
    pub fn kill(mut self) {
        self.group.kill();
    }
}

/// The names of Chromium's programs.
const CHROMIUMS: [&str; 4] =
    ["chromium", "google-chrome", "chromium-browser", "google-chrome-stable"];

/// The options for every version of Chromium: without a window, also as root, and quiet.
pub(crate) const OPTIONS: [&str; 12] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-breakpad",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-renderer-backgrounding",
    "--disable-background-timer-throttling",
];

/// The system's Chromium.
fn needed() -> Chromium {
    Chromium::found().unwrap_or_else(|why| panic!("{why}"))
}

/// The first of these programs on PATH. The error names the missing program.
pub(crate) fn found(names: &[&str]) -> Result<PathBuf, String> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut files =
        names.iter().flat_map(|name| env::split_paths(&path).map(move |folder| folder.join(name)));
    files
        .find(|file| file.is_file())
        .ok_or_else(|| format!("there is no {} on PATH", names.join(" or ")))
}
