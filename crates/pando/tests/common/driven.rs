//! A tab that a test drives, over Chromium's DevTools protocol.

use super::{Received, Tab, WebSocket, until};
use serde_json::{Value, json};
use std::fs;

/// See the module.
#[derive(Debug)]
pub(crate) struct Driven {
    socket: WebSocket,
    session: String,
    last: u64,
    _tab: Tab,
}

impl Driven {
    /// Opens `url` with `fragment` behind its `#`.
    pub(crate) fn open(url: &str, fragment: &str) -> Self {
        let tab = Tab::open_with(&["--remote-debugging-port=0"], url, fragment);
        let file = tab.profile().join("DevToolsActivePort");
        let place = until("the browser opens its port", || {
            let said = fs::read_to_string(&file).ok()?;
            let (port, path) = said.split_once('\n').filter(|(_, path)| !path.is_empty())?;
            Some(format!("http://127.0.0.1:{port}{}", path.trim()))
        });
        let mut driven = Self { socket: WebSocket::open_at(&place), session: String::new(), last: 0, _tab: tab };
        let target = until("there is a page", || {
            let targets = driven.call("Target.getTargets", json!({}));
            let page = targets["targetInfos"].as_array()?.iter().find(|target| target["type"] == "page")?;
            Some(page["targetId"].clone())
        });
        let attached = driven.call("Target.attachToTarget", json!({"targetId": target, "flatten": true}));
        driven.session = attached["sessionId"].as_str().expect("a session").to_owned();
        driven
    }

    /// Freezes the page, as a phone does.
    pub(crate) fn freeze(&mut self) {
        self.call("Page.setWebLifecycleState", json!({"state": "frozen"}));
    }

    /// Ends that.
    pub(crate) fn thaw(&mut self) {
        self.call("Page.setWebLifecycleState", json!({"state": "active"}));
    }

    /// What the page shows of an element.
    pub(crate) fn text(&mut self, id: &str) -> String {
        let expression = format!("document.getElementById('{id}').textContent");
        let shown = self.call("Runtime.evaluate", json!({"expression": expression, "returnByValue": true}));
        shown["result"]["value"].as_str().unwrap_or_default().to_owned()
    }

    fn call(&mut self, method: &str, params: Value) -> Value {
        self.last += 1;
        let mut request = json!({"id": self.last, "method": method, "params": params});
        if !self.session.is_empty() {
            request["sessionId"] = json!(self.session);
        }
        self.socket.text(&request.to_string());
        loop {
            let Received::Text(text) = self.socket.receive() else { panic!("the browser is gone") };
            let mut answer: Value = serde_json::from_str(&text).expect("JSON");
            // Anything else is an event.
            if answer["id"] == self.last {
                assert!(answer.get("error").is_none(), "{method}: {answer}");
                return answer["result"].take();
            }
        }
    }
}
