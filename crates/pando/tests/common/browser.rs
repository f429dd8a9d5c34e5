//! Browsers of several engines and ages, each driven by its own protocol.
//!
//! `scripts/test` sets them up. Where one cannot be had, its tests are skipped in words; with `CI=true` they fail.

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

/// What a browser is built on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    /// A Chromium of this age, from an npm package.
    OldChromium(u32),
    /// The Chromium of the system.
    Chromium,
    /// The Firefox of the system.
    Firefox,
    /// WebKitGTK's MiniBrowser. Debian builds it without WebRTC.
    WebKit,
}

impl Engine {
    /// Whether peer connections can be had in it.
    pub(crate) fn has_webrtc(self) -> bool {
        self != Self::WebKit
    }

    /// The program that is started; an error says what is missing.
    fn program(self) -> Result<PathBuf, String> {
        match self {
            Self::OldChromium(version) => {
                let file = downloaded().join(format!("{version}/chromium"));
                if file.is_file() { Ok(file) } else { Err(format!("there is no {}", file.display())) }
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

/// Where `scripts/test` puts old Chromiums: below the folder that holds the binary's profile.
fn downloaded() -> PathBuf {
    let target = Path::new(super::BINARY).ancestors().nth(2).expect("the binary lies in target/PROFILE/");
    target.join("chromiums")
}

/// What each engine's protocol must be able to do. A tab is named by a text of the protocol's own.
trait Driver: Debug + Send {
    /// The browser's name and version.
    fn version(&mut self) -> String;

    /// Opens an empty tab.
    fn tab(&mut self) -> String;

    /// Lets a tab load `url`; does not wait for it.
    fn load(&mut self, tab: &str, url: &str);

    /// Loads what the tab shows once more; does not wait for it.
    fn reload(&mut self, tab: &str);

    /// Gives the JSON text that `script` comes to: an expression whose value is a promise.
    fn evaluate(&mut self, tab: &str, script: &str) -> Result<Option<String>, String>;

    /// Closes a tab, as a person does.
    fn close(&mut self, tab: &str);

    /// What the tab has written to its console so far.
    fn console(&mut self, tab: &str) -> Vec<String>;
}

/// Another name of this machine, in Chromiums and Firefox: to them a page there is no safe place, as one on a phone's network is.
pub(crate) const ANOTHER_NAME: &str = "lan.test";

/// A browser that runs; killed, with all its processes, when dropped, and when the tests end, however they end.
#[derive(Debug)]
pub(crate) struct Browser {
    engine: Engine,
    driver: Box<dyn Driver>,
    tabs: Vec<Page>,
    // Last: the protocol's connection is closed first.
    _program: Program,
}

/// A tab of a [`Browser`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Page(String);

impl Browser {
    /// Starts it. None where it cannot be had, in words.
    ///
    /// # Panics
    ///
    /// When it cannot be had although `CI=true` says that everything is set up.
    pub(crate) fn start(engine: Engine) -> Option<Self> {
        Self::start_with(engine, &[])
    }

    /// The same with further options for a Chromium.
    pub(crate) fn start_with(engine: Engine, options: &[&str]) -> Option<Self> {
        let program = match engine.program() {
            Ok(program) => program,
            Err(why) => {
                assert!(env::var("CI").as_deref() != Ok("true"), "{engine} is needed: {why}; scripts/test sets it up");
                eprintln!("skipped: {engine} cannot be had: {why}; scripts/test sets it up");
                return None;
            }
        };
        let (program, driver): (_, Box<dyn Driver>) = match engine {
            Engine::OldChromium(_) | Engine::Chromium => {
                let hosts = format!("--host-resolver-rules=MAP {ANOTHER_NAME} 127.0.0.1");
                let options = [&["--remote-debugging-port=0", "--ignore-certificate-errors", &hosts], options].concat();
                let program = Program::chromium(&[], &program, &options, "about:blank");
                let driver = devtools::Chromium::connect(&program.profile);
                (program, Box::new(driver))
            }
            Engine::Firefox => {
                let program = Program::firefox(&[], &program, &["--remote-debugging-port=0"], "about:blank");
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

    /// Its name and version.
    pub(crate) fn version(&mut self) -> String {
        self.driver.version()
    }

    /// Opens `url` in a new tab; does not wait until it is loaded.
    pub(crate) fn open(&mut self, url: &str) -> Page {
        let page = Page(self.driver.tab());
        self.tabs.push(page.clone());
        self.driver.load(&page.0, url);
        page
    }

    /// Loads it once more; does not wait for it.
    pub(crate) fn reload(&mut self, page: &Page) {
        self.driver.reload(&page.0);
    }

    /// What `expression` comes to in a page, as JSON has it; a promise is waited for. An error is what was thrown, or that the
    /// page went elsewhere meanwhile.
    pub(crate) fn eval(&mut self, page: &Page, expression: &str) -> Result<Value, String> {
        let script = format!("Promise.resolve().then(() => ({expression})).then(value => JSON.stringify(value))");
        let text = self.driver.evaluate(&page.0, &script)?;
        Ok(text.map_or(Value::Null, |text| serde_json::from_str(&text).expect("JSON.stringify wrote it")))
    }

    /// Waits until `expression` comes to something that is true, and gives it.
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
                panic!("not in time: {expression}: {found:?}; the page shows {shown:?}; its console has {console:#?}");
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Closes a tab, as a person does.
    pub(crate) fn close(&mut self, page: &Page) {
        self.tabs.retain(|open| open != page);
        self.driver.close(&page.0);
    }

    /// Closes all tabs that are open.
    pub(crate) fn close_all(&mut self) {
        for page in std::mem::take(&mut self.tabs) {
            self.driver.close(&page.0);
        }
    }

    /// What a page has written to its console so far; in WebKit, all pages.
    pub(crate) fn console(&mut self, page: &Page) -> Vec<String> {
        self.driver.console(&page.0)
    }
}

/// A browser's processes and its profile.
#[derive(Debug)]
pub(crate) struct Program {
    _guard: Guard,
    /// The screen that it shows itself on.
    _screen: Option<Guard>,
    profile: PathBuf,
}

impl Program {
    /// Opens `url` in a browser of its own that nobody drives, behind the words of `launcher`. None where it cannot be had, as above.
    pub(crate) fn open(launcher: &[String], engine: Engine, url: &str) -> Option<Self> {
        let program = engine.program().ok()?;
        Some(match engine {
            Engine::Firefox => Self::firefox(launcher, &program, &[], url),
            Engine::WebKit => panic!("MiniBrowser is driven only"),
            // An old one that nobody may drive ends when it has loaded the page.
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
        fs::write(profile.join("user.js"), PREFERENCES.to_owned() + &host).expect("the profile can be written");
        let folder = profile.display().to_string();
        let words = [&["--headless", "--no-remote", "--profile", &folder], options, &[url]].concat();
        Self::start(launcher, program, &words, profile, &[])
    }

    /// WebKit's driver, on a screen of its own; and the host and port where it listens.
    fn webkit(program: &Path) -> (Self, String) {
        let (screen, display) = screen();
        let host = format!("127.0.0.1:{}", free_port());
        let port = format!("--port={}", host.rsplit(':').next().expect("a port"));
        // Its sandbox wants more than a container gives; only pages of tests are shown.
        let variables =
            [("DISPLAY", display.as_str()), ("WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS", "1"), ("LIBGL_ALWAYS_SOFTWARE", "1")];
        let started = Self::start(&[], program, &[&port, "--host=127.0.0.1"], profile(), &variables);
        (Self { _screen: Some(screen), ..started }, host)
    }

    fn start(launcher: &[String], program: &Path, words: &[&str], profile: PathBuf, variables: &[(&str, &str)]) -> Self {
        let output = fs::File::create(profile.join(OUTPUT)).expect("the profile can be written");
        let guard = Guard::start(launcher, program, words, &profile, |command| {
            command.stdout(output.try_clone().expect("a file")).stderr(output);
            // Nothing of this person's is used, or changed.
            command.env("HOME", &profile).env("XDG_RUNTIME_DIR", &profile).envs(variables.iter().copied());
        });
        Self { _guard: guard, _screen: None, profile }
    }

    /// The file with what it has written to its outputs.
    fn console(&self) -> PathBuf {
        self.profile.join(OUTPUT)
    }
}

/// The file in the profile that has what the browser writes to its outputs.
const OUTPUT: &str = "output.txt";

/// Firefox sets most of what tests want by itself when it is driven.
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
    let folder = tempfile::Builder::new().prefix("pando-browser-").tempdir().expect("the temporary folder can be written");
    folder.keep()
}

/// A screen that nobody sees, and its name.
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

/// A program in a process group of its own. A shell ends all of it, and removes its folder, when this is dropped or when the tests
/// end, however they end: then its standard input ends.
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

    fn start(launcher: &[String], program: &Path, words: &[&str], folder: &Path, set_up: impl FnOnce(&mut Command)) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", Self::SCRIPT, "sh"]).arg(folder).args(launcher).arg(program).args(words);
        set_up(&mut command);
        Self(command.process_group(0).stdin(Stdio::piped()).spawn().expect("`sh` starts"))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // This closes its standard input as well.
        let _ = self.0.wait();
    }
}

/// Waits until a browser has written `file`, and gives what `read` finds in it.
fn written<T>(file: &Path, read: impl Fn(&str) -> Option<T>) -> T {
    until("the browser opens its port", || read(&fs::read_to_string(file).ok()?))
}
