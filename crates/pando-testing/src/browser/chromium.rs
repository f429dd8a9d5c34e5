//! Chromium, controlled over its DevTools protocol.

use super::BrowserProtocol;
use crate::devtools::DevTools;
use serde_json::{Value, json};
use std::{collections::HashMap, path::Path};

/// A controlled Chromium.
#[derive(Debug)]
pub(super) struct DrivenChromium {
    /// `http://127.0.0.1:port`
    host: String,
    browser: DevTools,
    tabs: HashMap<String, (DevTools, Vec<String>)>,
}

impl DrivenChromium {
    pub(super) fn connect(profile: &Path) -> Self {
        let (host, path) = DevTools::place(profile);
        let browser = DevTools::at(&format!("{host}{path}"));
        Self { host, browser, tabs: HashMap::new() }
    }

    fn devtools(&mut self, tab: &str) -> &mut DevTools {
        &mut self.tabs.get_mut(tab).expect("it is open").0
    }
}

impl BrowserProtocol for DrivenChromium {
    fn version(&mut self) -> String {
        self.browser.call("Browser.getVersion", json!({}))["product"]
            .as_str()
            .expect("a text")
            .to_owned()
    }

    fn tab(&mut self) -> String {
        let made = self.browser.call("Target.createTarget", json!({"url": "about:blank"}));
        let tab = made["targetId"].as_str().expect("a text").to_owned();
        let mut devtools = DevTools::at(&format!("{}/devtools/page/{tab}", self.host));
        for domain in ["Runtime", "Log", "Page"] {
            devtools.call(&format!("{domain}.enable"), json!({}));
        }
        self.tabs.insert(tab.clone(), (devtools, Vec::new()));
        tab
    }

    fn load(&mut self, tab: &str, url: &str) {
        self.devtools(tab).call("Page.navigate", json!({"url": url}));
    }

    fn run_first(&mut self, tab: &str, script: &str) -> bool {
        self.devtools(tab).call("Page.addScriptToEvaluateOnNewDocument", json!({"source": script}));
        true
    }

    fn reload(&mut self, tab: &str) {
        self.devtools(tab).call("Page.reload", json!({}));
    }

    fn evaluate(&mut self, tab: &str, script: &str) -> Result<Option<String>, String> {
        let params = json!({"expression": script, "awaitPromise": true, "returnByValue": true});
        let answer = self
            .devtools(tab)
            .try_call("Runtime.evaluate", params)
            .map_err(|error| error.to_string())?;
        match answer.get("exceptionDetails") {
            Some(details) => Err(thrown(details)),
            None => Ok(answer["result"]["value"].as_str().map(str::to_owned)),
        }
    }

    fn close(&mut self, tab: &str) {
        self.tabs.remove(tab);
        self.browser.call("Target.closeTarget", json!({"targetId": tab}));
    }

    fn console(&mut self, tab: &str) -> Vec<String> {
        let (devtools, lines) = self.tabs.get_mut(tab).expect("it is open");
        // The events of earlier console output arrive before this answer.
        devtools.call("Runtime.evaluate", json!({"expression": "0"}));
        lines.extend(devtools.events().iter().filter_map(line));
        lines.clone()
    }
}

/// The console line of an event.
fn line(event: &Value) -> Option<String> {
    let params = &event["params"];
    match event["method"].as_str()? {
        "Runtime.consoleAPICalled" => {
            let words: Vec<String> = params["args"].as_array()?.iter().map(word).collect();
            Some(format!("{}: {}", params["type"].as_str()?, words.join(" ")))
        }
        "Runtime.exceptionThrown" => {
            Some(format!("error: {}", thrown(&params["exceptionDetails"])))
        }
        "Log.entryAdded" => {
            let entry = &params["entry"];
            Some(format!(
                "{}: {} {}",
                entry["level"].as_str()?,
                entry["text"].as_str()?,
                entry["url"].as_str().unwrap_or("")
            ))
        }
        _ => None,
    }
}

fn word(argument: &Value) -> String {
    let text = argument["value"].as_str().or(argument["description"].as_str());
    text.map_or_else(|| argument["value"].to_string(), str::to_owned)
}

fn thrown(details: &Value) -> String {
    details["exception"]["description"]
        .as_str()
        .or(details["text"].as_str())
        .unwrap_or_default()
        .to_owned()
}
