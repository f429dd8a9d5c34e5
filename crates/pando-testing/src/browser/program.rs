//! The processes of browsers.

use super::{ANOTHER_NAME, BrowserEngine};
use crate::{http::free_port, make_neutral, tab::OPTIONS};
use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// The processes of a browser and its profile.
#[derive(Debug)]
pub struct BrowserProgram {
    _guard: GuardedGroup,
    /// The virtual screen of the browser.
    _screen: Option<GuardedGroup>,
    pub(super) profile: PathBuf,
}

impl BrowserProgram {
    /// Opens `url` in a browser that no test controls, with the words of `launcher` before the
    /// command. `None` if the browser is missing, as above.
    pub fn open(launcher: &[String], engine: BrowserEngine, url: &str) -> Option<Self> {
        let program = engine.program().ok()?;
        Some(match engine {
            BrowserEngine::Firefox => Self::firefox(launcher, &program, &[], url, false),
            BrowserEngine::WebKit => panic!("MiniBrowser is driven only"),
            // An old Chromium without a debugging port ends as soon as it has loaded the page.
            _ => Self::chromium(launcher, &program, &["--remote-debugging-port=0"], url),
        })
    }

    pub(super) fn chromium(
        launcher: &[String],
        program: &Path,
        options: &[&str],
        url: &str,
    ) -> Self {
        let profile = profile();
        let data = format!("--user-data-dir={}", profile.display());
        let words = [&OPTIONS, options, &[data.as_str(), url]].concat();
        Self::start(launcher, program, &words, profile, &[])
    }

    pub(super) fn firefox(
        launcher: &[String],
        program: &Path,
        options: &[&str],
        url: &str,
        is_dark: bool,
    ) -> Self {
        let profile = profile();
        let host = format!("user_pref(\"network.dns.localDomains\", \"{ANOTHER_NAME}\");\n");
        let colours = if is_dark { DARK } else { "" };
        fs::write(profile.join("user.js"), PREFERENCES.to_owned() + &host + colours)
            .expect("the profile can be written");
        let folder = profile.display().to_string();
        let words =
            [&["--headless", "--no-remote", "--profile", &folder], options, &[url]].concat();
        Self::start(launcher, program, &words, profile, &[])
    }

    /// Starts WebKit's driver on its own virtual screen. Also returns the host and port of the
    /// driver.
    pub(super) fn webkit(program: &Path, is_dark: bool) -> (Self, String) {
        let (screen, display) = screen();
        let host = format!("127.0.0.1:{}", free_port());
        let port = format!("--port={}", host.rsplit(':').next().expect("a port"));
        // WebKit's sandbox does not work in a container. These tests show only their own pages.
        let variables = [
            ("DISPLAY", display.as_str()),
            ("WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS", "1"),
            ("LIBGL_ALWAYS_SOFTWARE", "1"),
            ("GTK_THEME", if is_dark { "Adwaita:dark" } else { "Adwaita" }),
        ];
        let started =
            Self::start(&[], program, &[&port, "--host=127.0.0.1"], profile(), &variables);
        (Self { _screen: Some(screen), ..started }, host)
    }

    fn start(
        launcher: &[String],
        program: &Path,
        words: &[&str],
        profile: PathBuf,
        variables: &[(&str, &str)],
    ) -> Self {
        let output = fs::File::create(profile.join(OUTPUT)).expect("the profile can be written");
        let guard = GuardedGroup::start(launcher, program, words, &profile, |command| {
            command.stdout(output.try_clone().expect("a file")).stderr(output);
            // The user's own files are neither used nor changed.
            command
                .env("HOME", &profile)
                .env("XDG_RUNTIME_DIR", &profile)
                .envs(variables.iter().copied());
        });
        Self { _guard: guard, _screen: None, profile }
    }

    /// The file with everything that the browser has written to its outputs.
    pub(super) fn console(&self) -> PathBuf {
        self.profile.join(OUTPUT)
    }
}

/// The name of the file in the profile that collects the outputs of the browser.
const OUTPUT: &str = "output.txt";

/// A controlled Firefox sets most other preferences for tests by itself.
const PREFERENCES: &str = r#"
user_pref("app.update.disabledForTesting", true);
user_pref("browser.aboutwelcome.enabled", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("browser.tabs.warnOnClose", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("toolkit.telemetry.reportingpolicy.firstRun", false);
"#;

/// Pages see a person who prefers dark colours.
const DARK: &str = "user_pref(\"layout.css.prefers-color-scheme.content-override\", 0);\n";

/// A new folder, which a [`GuardedGroup`] removes.
fn profile() -> PathBuf {
    let folder = tempfile::Builder::new()
        .prefix("pando-browser-")
        .tempdir()
        .expect("the temporary folder can be written");
    folder.keep()
}

/// A virtual screen and its name.
fn screen() -> (GuardedGroup, String) {
    let words = ["-displayfd", "1", "-nolisten", "tcp", "-screen", "0", "1280x1024x24"];
    let mut guard = GuardedGroup::start(&[], Path::new("Xvfb"), &words, &profile(), |command| {
        command.stdout(Stdio::piped()).stderr(Stdio::null());
    });
    let mut number = String::new();
    let said = BufReader::new(guard.0.stdout.take().expect("piped")).read_line(&mut number);
    assert!(said.is_ok() && !number.is_empty(), "Xvfb does not start");
    (guard, format!(":{}", number.trim()))
}

/// A program in its own process group. When this is dropped, or the tests end for any reason, the
/// standard input of a shell closes. Then the shell kills the group and removes the folder.
#[derive(Debug)]
struct GuardedGroup(Child);

impl GuardedGroup {
    const SCRIPT: &str = r#"
        folder=$1; shift
        setsid "$@" </dev/null &
        read -r _
        kill -s TERM -- -$!; kill -s KILL -- -$!; wait
        rm -rf "$folder" || { sleep 1; rm -rf "$folder"; }
    "#;

    fn start(
        launcher: &[String],
        program: &Path,
        words: &[&str],
        folder: &Path,
        set_up: impl FnOnce(&mut Command),
    ) -> Self {
        let mut command = Command::new("sh");
        command
            .args(["-c", Self::SCRIPT, "sh"])
            .arg(folder)
            .args(launcher)
            .arg(program)
            .args(words);
        make_neutral(&mut command);
        set_up(&mut command);
        Self(command.process_group(0).stdin(Stdio::piped()).spawn().expect("`sh` starts"))
    }
}

impl Drop for GuardedGroup {
    fn drop(&mut self) {
        // `wait` also closes the standard input of the shell.
        let _ = self.0.wait();
    }
}
