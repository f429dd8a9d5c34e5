//! WebDriver over HTTP, the protocol of WebKit's driver.

use super::BrowserProtocol;
use crate::{http, processes::until};
use serde_json::{Value, json};
use std::{
    fs,
    net::TcpStream,
    path::{Path, PathBuf},
};

/// A controlled WebKit.
#[derive(Debug)]
pub(super) struct DrivenWebKit {
    /// `127.0.0.1:port`
    host: String,
    session: String,
    version: String,
    /// The tab that keeps the browser open. Only its window is visible.
    first: String,
    output: PathBuf,
}

impl DrivenWebKit {
    pub(super) fn connect(host: &str, output: &Path) -> Self {
        until("WebKit's driver listens", || TcpStream::connect(host).ok());
        let mut webkit = Self {
            host: host.to_owned(),
            session: String::new(),
            version: String::new(),
            first: String::new(),
            output: output.to_owned(),
        };
        let wanted = json!({
            "acceptInsecureCerts": true, "pageLoadStrategy": "none", "timeouts": {"script": 30_000},
            "webkitgtk:browserOptions": {"binary": mini_browser(), "args": ["--automation", "--enable-write-console-messages-to-stdout=true"]}
        });
        let session = webkit.call("POST", "", json!({"capabilities": {"alwaysMatch": wanted}}));
        webkit.session = format!("/{}", session["sessionId"].as_str().expect("a text"));
        let told = &session["capabilities"];
        webkit.version = format!("WebKitGTK/{}", told["browserVersion"].as_str().expect("a text"));
        webkit.first =
            webkit.call("GET", "/window", Value::Null).as_str().expect("a text").to_owned();
        webkit
    }

    fn call(&self, method: &str, path: &str, body: Value) -> Value {
        self.try_call(method, path, body).unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    fn try_call(&self, method: &str, path: &str, body: Value) -> Result<Value, String> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = format!(
            "{method} /session{}{path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            self.session,
            self.host,
            body.len()
        );
        let answer = http::request(&self.host, &request);
        let mut told: Value =
            serde_json::from_str(&answer.body).unwrap_or_else(|_| panic!("no JSON: {answer:?}"));
        if answer.status == 200 { Ok(told["value"].take()) } else { Err(told["value"].to_string()) }
    }

    /// Selects the tab for the next calls.
    fn turn_to(&self, tab: &str) {
        self.call("POST", "/window", json!({"handle": tab}));
    }
}

impl BrowserProtocol for DrivenWebKit {
    fn version(&mut self) -> String {
        self.version.clone()
    }

    fn tab(&mut self) -> String {
        self.turn_to(&self.first);
        let made = self.call("POST", "/window/new", json!({"type": "tab"}));
        made["handle"].as_str().expect("a text").to_owned()
    }

    fn visible_tab(&mut self) -> String {
        self.first.clone()
    }

    fn load(&mut self, tab: &str, url: &str) {
        self.turn_to(tab);
        self.call("POST", "/url", json!({"url": url}));
    }

    fn run_first(&mut self, _: &str, _: &str) -> bool {
        false
    }

    fn reload(&mut self, tab: &str) {
        self.turn_to(tab);
        self.call("POST", "/refresh", json!({}));
    }

    fn evaluate(&mut self, tab: &str, script: &str) -> Result<Option<String>, String> {
        self.turn_to(tab);
        let script = format!(
            "const done = arguments[arguments.length - 1]; ({script}).then(text => done([text]), error => done(String(error)))"
        );
        let answer =
            self.try_call("POST", "/execute/async", json!({"script": script, "args": []}))?;
        match answer {
            Value::String(error) => Err(error),
            answer => Ok(answer[0].as_str().map(str::to_owned)),
        }
    }

    fn close(&mut self, tab: &str) {
        if tab == self.first {
            return self.load(tab, "about:blank");
        }
        self.turn_to(tab);
        self.call("DELETE", "/window", Value::Null);
    }

    fn console(&mut self, _: &str) -> Vec<String> {
        // The driver and the browser write to the same file.
        fs::read_to_string(&self.output).unwrap_or_default().lines().map(str::to_owned).collect()
    }
}

/// The test browser that comes with the driver. The name of its folder depends on the machine's
/// architecture.
fn mini_browser() -> PathBuf {
    let libraries = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let mut found = libraries.flat_map(|folder| {
        ["webkit2gtk-4.1", "webkit2gtk-4.0", "webkitgtk-6.0"]
            .map(|name| folder.path().join(name).join("MiniBrowser"))
    });
    found.find(|file| file.is_file()).expect("WebKit's driver comes with MiniBrowser")
}
