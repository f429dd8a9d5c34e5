//! WebDriver BiDi over a WebSocket, the protocol of Firefox.

use super::BrowserProtocol;
use crate::devtools::{DevTools, written};
use serde_json::{Value, json};
use std::{collections::HashMap, path::Path};

/// A controlled Firefox. The messages of BiDi have the same form as the messages of DevTools.
#[derive(Debug)]
pub(super) struct DrivenFirefox {
    connection: DevTools,
    version: String,
    console: HashMap<String, Vec<String>>,
}

impl DrivenFirefox {
    pub(super) fn connect(profile: &Path) -> Self {
        let place = written(&profile.join("WebDriverBiDiServer.json"), |said| {
            let said: Value = serde_json::from_str(said).ok()?;
            Some(format!("http://{}:{}/session", said["ws_host"].as_str()?, said["ws_port"]))
        });
        let mut connection = DevTools::at(&place);
        let session = connection.call(
            "session.new",
            json!({"capabilities": {"alwaysMatch": {"acceptInsecureCerts": true}}}),
        );
        let told = &session["capabilities"];
        let version = format!(
            "{}/{}",
            told["browserName"].as_str().expect("a text"),
            told["browserVersion"].as_str().expect("a text")
        );
        connection.call("session.subscribe", json!({"events": ["log.entryAdded"]}));
        Self { connection, version, console: HashMap::new() }
    }
}

impl BrowserProtocol for DrivenFirefox {
    fn version(&mut self) -> String {
        self.version.clone()
    }

    fn tab(&mut self) -> String {
        let made = self.connection.call("browsingContext.create", json!({"type": "tab"}));
        made["context"].as_str().expect("a text").to_owned()
    }

    fn load(&mut self, tab: &str, url: &str) {
        self.connection
            .call("browsingContext.navigate", json!({"context": tab, "url": url, "wait": "none"}));
    }

    fn run_first(&mut self, tab: &str, script: &str) -> bool {
        let function = format!("() => {{ {script} }}");
        self.connection.call(
            "script.addPreloadScript",
            json!({"functionDeclaration": function, "contexts": [tab]}),
        );
        true
    }

    fn reload(&mut self, tab: &str) {
        self.connection.call("browsingContext.reload", json!({"context": tab, "wait": "none"}));
    }

    fn evaluate(&mut self, tab: &str, script: &str) -> Result<Option<String>, String> {
        let params =
            json!({"expression": script, "target": {"context": tab}, "awaitPromise": true});
        let answer = self
            .connection
            .try_call("script.evaluate", params)
            .map_err(|error| error.to_string())?;
        match answer["type"].as_str() {
            Some("success") => Ok(answer["result"]["value"].as_str().map(str::to_owned)),
            _ => Err(answer["exceptionDetails"]["text"].as_str().unwrap_or_default().to_owned()),
        }
    }

    fn close(&mut self, tab: &str) {
        self.connection
            .call("browsingContext.close", json!({"context": tab, "promptUnload": false}));
    }

    fn console(&mut self, tab: &str) -> Vec<String> {
        // The events of earlier console output arrive before this answer.
        self.connection.call("session.status", json!({}));
        for event in self.connection.events() {
            let entry = &event["params"];
            let (level, text) = (
                entry["level"].as_str().unwrap_or_default(),
                entry["text"].as_str().unwrap_or_default(),
            );
            let tab = entry["source"]["context"].as_str().unwrap_or_default().to_owned();
            self.console.entry(tab).or_default().push(format!("{level}: {text}"));
        }
        self.console.get(tab).cloned().unwrap_or_default()
    }
}
