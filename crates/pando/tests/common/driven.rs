//! A tab that a test controls over Chromium's DevTools protocol.

use super::{DevTools, Tab, until};
use serde_json::json;

/// A controlled tab.
#[derive(Debug)]
pub(crate) struct Driven {
    page: DevTools,
    _tab: Tab,
}

impl Driven {
    /// Opens `url` with `fragment` after its `#`.
    pub(crate) fn open(url: &str, fragment: &str) -> Self {
        let tab = Tab::open_with(&["--remote-debugging-port=0"], url, fragment);
        let (host, path) = DevTools::place(tab.profile());
        let mut browser = DevTools::at(&format!("{host}{path}"));
        let target = until("there is a page", || {
            let targets = browser.call("Target.getTargets", json!({}));
            let page = targets["targetInfos"]
                .as_array()?
                .iter()
                .find(|target| target["type"] == "page")?;
            page["targetId"].as_str().map(str::to_owned)
        });
        Self { page: DevTools::at(&format!("{host}/devtools/page/{target}")), _tab: tab }
    }

    /// Freezes the page, like a phone does.
    pub(crate) fn freeze(&mut self) {
        self.page.call("Page.setWebLifecycleState", json!({"state": "frozen"}));
    }

    /// Ends the freeze.
    pub(crate) fn thaw(&mut self) {
        self.page.call("Page.setWebLifecycleState", json!({"state": "active"}));
    }

    /// The text of an element of the page.
    pub(crate) fn text(&mut self, id: &str) -> String {
        let expression = format!("document.getElementById('{id}').textContent");
        let shown = self
            .page
            .call("Runtime.evaluate", json!({"expression": expression, "returnByValue": true}));
        shown["result"]["value"].as_str().unwrap_or_default().to_owned()
    }
}
