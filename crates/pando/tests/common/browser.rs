//! Browsers of several engines and versions, each controlled through its own protocol.
//!
//! `scripts/test` installs the browsers. If a browser is missing, its tests are skipped with a
//! message; with `CI=true` they fail.

mod bidi;
mod devtools;
mod webdriver;

use super::{http::free_port, process::until, tab};
use serde_json::Value;
use std::{
    env,
    fmt::{self, Debug, Display, Formatter},
    fs,
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

pub(crate) use devtools::DevTools;

/// The engine of a browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    /// A Chromium of this version, from an npm package.
    OldChromium(u32),
    /// The Chromium of the system.
    Chromium,
    /// The Firefox of the system.
    Firefox,
    /// WebKitGTK's MiniBrowser. Debian builds it without WebRTC.
    WebKit,
}

impl Engine {
    /// Whether the browser supports peer connections.
    pub(crate) fn has_webrtc(self) -> bool {
        self != Self::WebKit
    }

    /// The program to start, or an error that names the missing program.
    fn program(self) -> Result<PathBuf, String> {
        match self {
            Self::OldChromium(version) => {
                let file = downloaded().join(format!("{version}/chromium"));
                if file.is_file() {
                    Ok(file)
                } else {
                    Err(format!("there is no {}", file.display()))
                }
            }
            Self::Chromium => tab::found(&tab::CHROMIUMS),
            Self::Firefox => tab::found(&["firefox-esr", "firefox"]),
            Self::WebKit => tab::found(&["Xvfb"]).and_then(|_| tab::found(&["WebKitWebDriver"])),
        }
    }
}

impl Display for Engine {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::OldChromium(version) => write!(to, "Chromium {version}"),
            other => Debug::fmt(other, to),
        }
    }
}

/// The folder of the old Chromiums from `scripts/test`: `chromiums`, beside the folder of the
/// binary's profile.
fn downloaded() -> PathBuf {
    let target =
        Path::new(super::BINARY).ancestors().nth(2).expect("the binary lies in target/PROFILE/");
    target.join("chromiums")
}

/// The operations that each protocol provides. The protocol's own id names a tab.
trait Driver: Debug + Send {
    /// The browser's name and version.
    fn version(&mut self) -> String;

    /// Opens an empty tab.
    fn tab(&mut self) -> String;

    /// Makes a tab load `url`, without waiting until the page is loaded.
    fn load(&mut self, tab: &str, url: &str);

    /// Runs `script` in the tab before any of a page's. False where the protocol has no such thing.
    fn run_first(&mut self, tab: &str, script: &str) -> bool;

    /// Reloads the page of a tab, without waiting until the page is loaded.
    fn reload(&mut self, tab: &str);

    /// Evaluates `script`, an expression with a promise of a JSON text, and returns the text.
    fn evaluate(&mut self, tab: &str, script: &str) -> Result<Option<String>, String>;

    /// Closes a tab, like a person would.
    fn close(&mut self, tab: &str);

    /// The lines that the tab has written to its console so far.
    fn console(&mut self, tab: &str) -> Vec<String>;
}

/// Another name of this machine in Chromium and Firefox. It makes no secure context, like the
/// address of a phone's network.
pub(crate) const ANOTHER_NAME: &str = "lan.test";

/// A running browser. Its processes are killed when this is dropped, and also when the tests end
/// for any reason.
#[derive(Debug)]
pub(crate) struct Browser {
    engine: Engine,
    driver: Box<dyn Driver>,
    tabs: Vec<Page>,
    // The last field, so that the connection of the protocol closes first.
    _program: Program,
}

/// A tab of a [`Browser`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Page(String);

impl Browser {
    /// Starts a browser. Prints a message and returns `None` if the browser is missing.
    ///
    /// # Panics
    ///
    /// When the browser is missing although `CI=true` promises that everything is installed.
    pub(crate) fn start(engine: Engine) -> Option<Self> {
        Self::start_with(engine, &[])
    }

    /// Starts a browser like [`Browser::start`], with more options for Chromium.
    pub(crate) fn start_with(engine: Engine, options: &[&str]) -> Option<Self> {
        let program = match engine.program() {
            Ok(program) => program,
            Err(why) => {
                assert!(
                    env::var("CI").as_deref() != Ok("true"),
                    "{engine} is needed: {why}; scripts/test sets it up"
                );
                eprintln!("skipped: {engine} cannot be had: {why}; scripts/test sets it up");
                return None;
            }
        };
        let (program, driver): (_, Box<dyn Driver>) = match engine {
            Engine::OldChromium(_) | Engine::Chromium => {
                let hosts = format!("--host-resolver-rules=MAP {ANOTHER_NAME} 127.0.0.1");
                let options = [
                    &["--remote-debugging-port=0", "--ignore-certificate-errors", &hosts],
                    options,
                ]
                .concat();
                let program = Program::chromium(&[], &program, &options, "about:blank");
                let driver = devtools::Chromium::connect(&program.profile);
                (program, Box::new(driver))
            }
            Engine::Firefox => {
                let program =
                    Program::firefox(&[], &program, &["--remote-debugging-port=0"], "about:blank");
                let driver = bidi::Firefox::connect(&program.profile);
                (program, Box::new(driver))
            }
            Engine::WebKit => {
                let (program, host) = Program::webkit(&program);
                let driver = webdriver::WebKit::connect(&host, &program.console());
                (program, Box::new(driver))
            }
        };
        Some(Self { engine, driver, tabs: Vec::new(), _program: program })
    }

    pub(crate) fn engine(&self) -> Engine {
        self.engine
    }

    /// The browser's name and version.
    pub(crate) fn version(&mut self) -> String {
        self.driver.version()
    }

    /// Opens `url` in a new tab, without waiting until the page is loaded.
    pub(crate) fn open(&mut self, url: &str) -> Page {
        let page = Page(self.driver.tab());
        self.tabs.push(page.clone());
        self.driver.load(&page.0, url);
        page
    }

    /// The same without a global that older browsers lack. None where the driver cannot take it away.
    pub(crate) fn open_without(&mut self, global: &str, url: &str) -> Option<Page> {
        let page = Page(self.driver.tab());
        self.tabs.push(page.clone());
        let taken = self.driver.run_first(&page.0, &format!("delete window.{global}"));
        taken.then(|| {
            self.driver.load(&page.0, url);
            page
        })
    }

    /// Reloads a page, without waiting until the page is loaded.
    pub(crate) fn reload(&mut self, page: &Page) {
        self.driver.reload(&page.0);
    }

    /// The JSON value of `expression` in a page, after waiting for a promise. The error is the
    /// exception, or the page has navigated away.
    pub(crate) fn eval(&mut self, page: &Page, expression: &str) -> Result<Value, String> {
        let script = format!(
            "Promise.resolve().then(() => ({expression})).then(value => JSON.stringify(value))"
        );
        let text = self.driver.evaluate(&page.0, &script)?;
        Ok(text.map_or(Value::Null, |text| {
            serde_json::from_str(&text).expect("JSON.stringify wrote it")
        }))
    }

    /// Waits until `expression` gives a truthy value, and returns this value.
    #[track_caller]
    pub(crate) fn until(&mut self, page: &Page, expression: &str) -> Value {
        let end = Instant::now() + super::DEADLINE;
        loop {
            let found = self.eval(page, expression);
            match &found {
                Ok(Value::Null | Value::Bool(false)) | Err(_) => {}
                Ok(Value::String(text)) if text.is_empty() => {}
                Ok(_) => return found.expect("it is one"),
            }
            if Instant::now() > end {
                let shown = self.eval(page, "document.body.innerText");
                let console = self.console(page);
                panic!(
                    "not in time: {expression}: {found:?}; the page shows {shown:?}; its console has {console:#?}"
                );
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Closes a tab, like a person would.
    pub(crate) fn close(&mut self, page: &Page) {
        self.tabs.retain(|open| open != page);
        self.driver.close(&page.0);
    }

    /// Closes all open tabs.
    pub(crate) fn close_all(&mut self) {
        for page in std::mem::take(&mut self.tabs) {
            self.driver.close(&page.0);
        }
    }

    /// The lines that a page has written to its console so far; in WebKit the lines of all pages.
    pub(crate) fn console(&mut self, page: &Page) -> Vec<String> {
        self.driver.console(&page.0)
    }
}

/// The processes of a browser and its profile.
#[derive(Debug)]
pub(crate) struct Program {
    _guard: Guard,
    /// The virtual screen of the browser.
    _screen: Option<Guard>,
    profile: PathBuf,
}

impl Program {
    /// Opens `url` in a browser that no test controls, with the words of `launcher` before the
    /// command. `None` if the browser is missing, as above.
    pub(crate) fn open(launcher: &[String], engine: Engine, url: &str) -> Option<Self> {
        let program = engine.program().ok()?;
        Some(match engine {
            Engine::Firefox => Self::firefox(launcher, &program, &[], url),
            Engine::WebKit => panic!("MiniBrowser is driven only"),
            // An old Chromium without a debugging port ends as soon as it has loaded the page.
            _ => Self::chromium(launcher, &program, &["--remote-debugging-port=0"], url),
        })
    }

    fn chromium(launcher: &[String], program: &Path, options: &[&str], url: &str) -> Self {
        let profile = profile();
        let data = format!("--user-data-dir={}", profile.display());
        let words = [&tab::OPTIONS, options, &[data.as_str(), url]].concat();
        Self::start(launcher, program, &words, profile, &[])
    }

    fn firefox(launcher: &[String], program: &Path, options: &[&str], url: &str) -> Self {
        let profile = profile();
        let host = format!("user_pref(\"network.dns.localDomains\", \"{ANOTHER_NAME}\");\n");
        fs::write(profile.join("user.js"), PREFERENCES.to_owned() + &host)
            .expect("the profile can be written");
        let folder = profile.display().to_string();
        let words =
            [&["--headless", "--no-remote", "--profile", &folder], options, &[url]].concat();
        Self::start(launcher, program, &words, profile, &[])
    }

    /// Starts WebKit's driver on its own virtual screen. Also returns the host and port of the
    /// driver.
    fn webkit(program: &Path) -> (Self, String) {
        let (screen, display) = screen();
        let host = format!("127.0.0.1:{}", free_port());
        let port = format!("--port={}", host.rsplit(':').next().expect("a port"));
        // WebKit's sandbox does not work in a container. These tests show only their own pages.
        let variables = [
            ("DISPLAY", display.as_str()),
            ("WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS", "1"),
            ("LIBGL_ALWAYS_SOFTWARE", "1"),
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
        let guard = Guard::start(launcher, program, words, &profile, |command| {
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
    fn console(&self) -> PathBuf {
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

/// A new folder, which a [`Guard`] removes.
fn profile() -> PathBuf {
    let folder = tempfile::Builder::new()
        .prefix("pando-browser-")
        .tempdir()
        .expect("the temporary folder can be written");
    folder.keep()
}

/// A virtual screen and its name.
fn screen() -> (Guard, String) {
    let words = ["-displayfd", "1", "-nolisten", "tcp", "-screen", "0", "1280x1024x24"];
    let mut guard = Guard::start(&[], Path::new("Xvfb"), &words, &profile(), |command| {
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
struct Guard(Child);

impl Guard {
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
        set_up(&mut command);
        Self(command.process_group(0).stdin(Stdio::piped()).spawn().expect("`sh` starts"))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // `wait` also closes the standard input of the shell.
        let _ = self.0.wait();
    }
}

/// Waits until a browser has written `file`, and returns the part that `read` finds in it.
fn written<T>(file: &Path, read: impl Fn(&str) -> Option<T>) -> T {
    until("the browser opens its port", || read(&fs::read_to_string(file).ok()?))
}
