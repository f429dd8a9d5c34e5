//! A device with a browser tab: headless Chromium in its own process.

use super::process::Group;
use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use tempfile::TempDir;

/// One tab with its own browser, like one device. Its processes are killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Tab {
    group: Group,
    profile: TempDir,
}

impl Tab {
    /// Opens `url` with `fragment` after its `#` (`"cores=2;"`, or nothing).
    pub(crate) fn open(url: &str, fragment: &str) -> Self {
        Self::open_inside(&[], url, fragment)
    }

    /// Opens `url` with more options for the browser.
    pub(crate) fn open_with(options: &[&str], url: &str, fragment: &str) -> Self {
        Self::launch(&[], options, url, fragment)
    }

    /// Opens `url` with the words of `launcher` before the command, as in `ip netns exec NAME`.
    pub(crate) fn open_inside(launcher: &[String], url: &str, fragment: &str) -> Self {
        Self::launch(launcher, &[], url, fragment)
    }

    fn launch(launcher: &[String], options: &[&str], url: &str, fragment: &str) -> Self {
        let profile = tempfile::Builder::new()
            .prefix("pando-tab-")
            .tempdir()
            .expect("the temporary folder can be written");
        let chromium =
            found(&CHROMIUMS).expect("Chromium is needed: install it, or name it in CHROMIUM");
        let mut words = launcher.iter().map(OsStr::new).chain([chromium.as_os_str()]);
        let mut command = Command::new(words.next().expect("the browser at least"));
        command.args(words);
        command.args(OPTIONS).args(options);
        if url.starts_with("https://127.0.0.1") {
            command.arg("--ignore-certificate-errors");
        }
        command.arg(format!("--user-data-dir={}", profile.path().display()));
        command.arg(if fragment.is_empty() { url.to_owned() } else { format!("{url}#{fragment}") });
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self { group: Group::start(&mut command), profile }
    }

    /// The folder of the browser's profile.
    pub(crate) fn profile(&self) -> &Path {
        self.profile.path()
    }

    /// The browser's main process, which leads the process group.
    pub(crate) fn pid(&self) -> u32 {
        self.group.0.id()
    }

    /// Sends a signal to all processes of the browser: `STOP` is like a device that falls asleep.
    pub(crate) fn signal(&self, signal: &str) {
        super::kill(signal, -i64::from(self.pid()));
    }

    /// Kills all processes of the browser at once, like an empty battery.
    pub(crate) fn kill(mut self) {
        self.group.kill();
    }
}

/// The names of Chromium's programs.
pub(super) const CHROMIUMS: [&str; 4] =
    ["chromium", "google-chrome", "chromium-browser", "google-chrome-stable"];

/// The options for every version of Chromium: without a window, also as root, and quiet.
pub(super) const OPTIONS: [&str; 12] = [
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

/// The first of these programs on PATH; for Chromium, the program in `CHROMIUM` comes first. The
/// error names the missing program.
pub(super) fn found(names: &[&str]) -> Result<PathBuf, String> {
    if let Some(named) = env::var_os("CHROMIUM").filter(|_| names == CHROMIUMS) {
        return Ok(named.into());
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let mut files =
        names.iter().flat_map(|name| env::split_paths(&path).map(move |folder| folder.join(name)));
    files
        .find(|file| file.is_file())
        .ok_or_else(|| format!("there is no {} on PATH", names.join(" or ")))
}
