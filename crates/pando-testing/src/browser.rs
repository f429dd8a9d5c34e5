//! Browsers of several engines and versions, each controlled through its own protocol.
//!
//! `scripts/test` installs the browsers. If a browser is missing, its tests are skipped with a
//! message; with `CI=true` they fail.

mod bidi;
mod chromium;
mod engine;
mod program;
mod webdriver;

use serde_json::Value;
use std::{
    env,
    fmt::Debug,
    thread,
    time::{Duration, Instant},
};

pub use engine::BrowserEngine;
pub use program::BrowserProgram;

/// The operations that each protocol provides. The protocol's own id names a tab.
trait BrowserProtocol: Debug + Send {
    /// The browser's name and version.
    fn version(&mut self) -> String;

    /// Opens an empty tab.
    fn tab(&mut self) -> String;

    /// A tab that is visible. The other tabs of some drivers stay in the background.
    fn visible_tab(&mut self) -> String {
        self.tab()
    }

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
pub const ANOTHER_NAME: &str = "lan.test";

/// A running browser. Its processes are killed when this is dropped, and also when the tests end
/// for any reason.
#[derive(Debug)]
pub struct Browser {
    engine: BrowserEngine,
    driver: Box<dyn BrowserProtocol>,
    tabs: Vec<TabId>,
    // The last field, so that the connection of the protocol closes first.
    _program: BrowserProgram,
}

/// The id of a tab of a [`Browser`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TabId(String);

impl Browser {
    /// Starts a browser. Prints a message and returns `None` if the browser is missing.
    ///
    /// # Panics
    ///
    /// When the browser is missing although `CI=true` promises that everything is installed.
    pub fn start(engine: BrowserEngine) -> Option<Self> {
        Self::start_with(engine, &[])
    }

    /// Starts a browser like [`Browser::start`], with more options for Chromium.
    pub fn start_with(engine: BrowserEngine, options: &[&str]) -> Option<Self> {
        Self::start_as(engine, options, false)
    }

    /// Starts a browser like [`Browser::start`], whose person prefers dark colours.
    pub fn start_dark(engine: BrowserEngine) -> Option<Self> {
        Self::start_as(engine, &["--blink-settings=preferredColorScheme=0"], true)
    }

    fn start_as(engine: BrowserEngine, options: &[&str], is_dark: bool) -> Option<Self> {
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
        let (program, driver): (_, Box<dyn BrowserProtocol>) = match engine {
            BrowserEngine::OldChromium(_) | BrowserEngine::Chromium => {
                let hosts = format!("--host-resolver-rules=MAP {ANOTHER_NAME} 127.0.0.1");
                let options = [
                    &["--remote-debugging-port=0", "--ignore-certificate-errors", &hosts],
                    options,
                ]
                .concat();
                let program = BrowserProgram::chromium(&[], &program, &options, "about:blank");
                let driver = chromium::DrivenChromium::connect(&program.profile);
                (program, Box::new(driver))
            }
            BrowserEngine::Firefox => {
                let options = ["--remote-debugging-port=0"];
                let program =
                    BrowserProgram::firefox(&[], &program, &options, "about:blank", is_dark);
                let driver = bidi::DrivenFirefox::connect(&program.profile);
                (program, Box::new(driver))
            }
            BrowserEngine::WebKit => {
                let (program, host) = BrowserProgram::webkit(&program, is_dark);
                let driver = webdriver::DrivenWebKit::connect(&host, &program.console());
                (program, Box::new(driver))
            }
        };
        Some(Self { engine, driver, tabs: Vec::new(), _program: program })
    }

    /// The browser's engine.
    pub fn engine(&self) -> BrowserEngine {
        self.engine
    }

    /// The browser's name and version.
    pub fn version(&mut self) -> String {
        self.driver.version()
    }

    /// Opens `url` in a new tab, without waiting until the page is loaded.
    pub fn open(&mut self, url: &str) -> TabId {
        let tab = self.driver.tab();
        self.load(tab, url)
    }

    /// Opens `url` where a person sees the page: in a new tab, and in WebKit in the only window
    /// that is not in the background. A page in the background may draw nothing.
    pub fn open_visibly(&mut self, url: &str) -> TabId {
        let tab = self.driver.visible_tab();
        self.load(tab, url)
    }

    fn load(&mut self, tab: String, url: &str) -> TabId {
        let page = TabId(tab);
        self.tabs.push(page.clone());
        self.driver.load(&page.0, url);
        page
    }

    /// The same without a global that older browsers lack. None where the driver cannot take it
    /// away.
    pub fn open_without(&mut self, global: &str, url: &str) -> Option<TabId> {
        let page = TabId(self.driver.tab());
        self.tabs.push(page.clone());
        let taken = self.driver.run_first(&page.0, &format!("delete window.{global}"));
        taken.then(|| {
            self.driver.load(&page.0, url);
            page
        })
    }

    /// Reloads a page, without waiting until the page is loaded.
    pub fn reload(&mut self, page: &TabId) {
        self.driver.reload(&page.0);
    }

    /// The JSON value of `expression` in a page, after waiting for a promise. The error is the
    /// exception, or the page has navigated away.
    pub fn eval(&mut self, page: &TabId, expression: &str) -> Result<Value, String> {
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
    pub fn until(&mut self, page: &TabId, expression: &str) -> Value {
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
    pub fn close(&mut self, page: &TabId) {
        self.tabs.retain(|open| open != page);
        self.driver.close(&page.0);
    }

    /// Closes all open tabs.
    pub fn close_all(&mut self) {
        for page in std::mem::take(&mut self.tabs) {
            self.driver.close(&page.0);
        }
    }

    /// The lines that a page has written to its console so far; in WebKit the lines of all pages.
    pub fn console(&mut self, page: &TabId) -> Vec<String> {
        self.driver.console(&page.0)
    }
}
