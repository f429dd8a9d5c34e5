//! A tab that is operated like a person would, over Chromium's DevTools protocol. Not for measures
//! of speed: the protocol halves a tab's speed.

use super::{Chromium, DEADLINE, Tab, devtools::DevTools, until};
use anyhow::{Context, anyhow, bail};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Chromium's error messages for a page that was left before it answered.
const LEFT: [&str; 2] = ["Inspected target navigated or closed", "Execution context was destroyed"];

/// A browser of its own with one tab. Dropping this ends both.
#[derive(Debug)]
pub struct DrivenTab {
    page: DevTools,
    browser: DevTools,
    /// The id of the tab among the browser's targets.
    target: String,
    _tab: Tab,
}

impl DrivenTab {
    /// Opens `url` in a new browser.
    ///
    /// # Errors
    /// When the browser cannot be started, or finds no page at `url`.
    ///
    /// # Panics
    /// When the browser does not answer.
    pub fn open(url: &str) -> anyhow::Result<Self> {
        let chromium = Chromium::found().map_err(anyhow::Error::msg)?;
        let tab = chromium.with(&["--remote-debugging-port=0"]).open("about:blank")?;
        let (host, path) = DevTools::place(tab.profile());
        let mut browser = DevTools::at(&format!("{host}{path}"));
        let target = until("there is a page", || {
            let targets = browser.call("Target.getTargets", json!({}));
            let targets = targets["targetInfos"].as_array()?;
            let page = targets.iter().find(|target| target["type"] == "page")?;
            page["targetId"].as_str().map(str::to_owned)
        });
        let page = DevTools::at(&format!("{host}/devtools/page/{target}"));
        let mut driven = Self { page, browser, target, _tab: tab };
        let opened = driven.call("Page.navigate", json!({"url": url}))?;
        if let Some(error) = opened["errorText"].as_str() {
            bail!("{url}: {error}");
        }
        Ok(driven)
    }

    fn call(&mut self, method: &str, params: Value) -> anyhow::Result<Value> {
        self.page.try_call(method, params).map_err(|error| anyhow!("{method}: {error}"))
    }

    /// The value of a JavaScript expression. If the value is a promise, the result of the promise.
    ///
    /// # Errors
    /// When the expression throws, or the promise is rejected or takes too long.
    pub fn evaluate(&mut self, expression: &str) -> anyhow::Result<Value> {
        let params = json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        let mut answer = self.call("Runtime.evaluate", params)?;
        if let Some(thrown) = answer.get("exceptionDetails") {
            let what = thrown["exception"]["description"].as_str().or(thrown["text"].as_str());
            bail!("{}\nin: {expression}", what.unwrap_or("it throws"));
        }
        Ok(answer["result"]["value"].take())
    }

    /// Waits until the expression gives a truthy value, and returns this value. If the page is
    /// left meanwhile (a reload), the next page is asked.
    ///
    /// # Errors
    /// When the expression throws, or is not true in time. The error then contains the text of the
    /// page.
    pub fn wait_for(&mut self, expression: &str) -> anyhow::Result<Value> {
        let until = Instant::now() + DEADLINE - Duration::from_secs(5);
        loop {
            let left = until.saturating_duration_since(Instant::now()).as_millis();
            let found = self.evaluate(&format!(
                "new Promise((resolve, reject) => {{
                  const until = Date.now() + {left}
                  const look = () => {{
                    try {{
                      const found = ({expression})
                      if (found) resolve(found)
                      else if (Date.now() > until) reject(new Error('not in time; the page shows: ' + document.body.innerText))
                      else setTimeout(look, 10)
                    }} catch (error) {{ reject(error) }}
                  }}
                  look()
                }})"
            ));
            match found {
                Err(error)
                    if left > 0 && LEFT.iter().any(|words| error.to_string().contains(words)) => {}
                found => return found,
            }
        }
    }

    /// Clicks the middle of the element of a CSS selector, as with a mouse.
    ///
    /// # Errors
    /// When there is no such element, or a person could not click it because it is hidden or
    /// covered.
    pub fn click(&mut self, selector: &str) -> anyhow::Result<()> {
        let (x, y) = self.middle(selector)?;
        for (kind, buttons) in [("mouseMoved", 0), ("mousePressed", 1), ("mouseReleased", 0)] {
            let button = if kind == "mouseMoved" { "none" } else { "left" };
            let params = json!({"type": kind, "x": x, "y": y, "button": button, "buttons": buttons, "clickCount": 1});
            self.call("Input.dispatchMouseEvent", params)?;
        }
        Ok(())
    }

    /// Taps the middle of the element of a CSS selector, as with a finger.
    ///
    /// # Errors
    /// As [`DrivenTab::click`].
    pub fn tap(&mut self, selector: &str) -> anyhow::Result<()> {
        let (x, y) = self.middle(selector)?;
        self.call(
            "Input.dispatchTouchEvent",
            json!({"type": "touchStart", "touchPoints": [{"x": x, "y": y}]}),
        )?;
        self.call("Input.dispatchTouchEvent", json!({"type": "touchEnd", "touchPoints": []}))?;
        Ok(())
    }

    fn middle(&mut self, selector: &str) -> anyhow::Result<(f64, f64)> {
        let selector = json!(selector);
        let place = self.evaluate(&format!(
            "(() => {{
              const element = document.querySelector({selector})
              if (!element) throw new Error('there is no ' + {selector})
              element.scrollIntoView({{ block: 'nearest', behavior: 'instant' }})
              const box = element.getBoundingClientRect()
              const [x, y] = [box.x + box.width / 2, box.y + box.height / 2]
              const seen = document.elementFromPoint(x, y)
              if (!element.contains(seen)) throw new Error({selector} + ' cannot be reached: there is ' + (seen ? seen.outerHTML : 'nothing'))
              return [x, y]
            }})()"
        ))?;
        let coordinate = |index: usize| place[index].as_f64().context("a coordinate");
        Ok((coordinate(0)?, coordinate(1)?))
    }

    /// Presses and releases a key: a letter, or for example `Enter`, `Tab`, `Escape` or
    /// `ArrowRight`.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub fn press(&mut self, key: &str) -> anyhow::Result<()> {
        let typed = match key {
            "Enter" => "\r",
            _ if key.len() == 1 => key,
            _ => "",
        };
        let kind = if typed.is_empty() { "rawKeyDown" } else { "keyDown" };
        let code = key_code(key);
        self.call(
            "Input.dispatchKeyEvent",
            json!({"type": kind, "key": key, "text": typed, "windowsVirtualKeyCode": code}),
        )?;
        self.call(
            "Input.dispatchKeyEvent",
            json!({"type": "keyUp", "key": key, "windowsVirtualKeyCode": code}),
        )?;
        Ok(())
    }

    /// Emulates a phone: a narrow touch screen.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub fn be_a_phone(&mut self) -> anyhow::Result<()> {
        let screen = json!({"width": 360, "height": 640, "deviceScaleFactor": 2, "mobile": true});
        self.call("Emulation.setDeviceMetricsOverride", screen)?;
        self.call("Emulation.setTouchEmulationEnabled", json!({"enabled": true}))?;
        Ok(())
    }

    /// Slows down the page's thread by this factor, as on a slower device; 1 is full speed.
    /// Chromium does not slow down workers, so only functions with `--dom` become slower.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub fn throttle(&mut self, factor: f64) -> anyhow::Result<()> {
        self.call("Emulation.setCPUThrottlingRate", json!({"rate": factor})).map(drop)
    }

    /// Freezes the page, like a phone does.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub fn freeze(&mut self) -> anyhow::Result<()> {
        self.call("Page.setWebLifecycleState", json!({"state": "frozen"})).map(drop)
    }

    /// Ends the freeze.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub fn thaw(&mut self) -> anyhow::Result<()> {
        self.call("Page.setWebLifecycleState", json!({"state": "active"})).map(drop)
    }

    /// Closes the tab like a person would, so the page can handle the event.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub fn close(mut self) -> anyhow::Result<()> {
        let closed = self.browser.try_call("Target.closeTarget", json!({"targetId": self.target}));
        closed.map(drop).map_err(|error| anyhow!("Target.closeTarget: {error}"))
    }
}

/// The Windows key code of a key, which Chromium uses.
fn key_code(key: &str) -> u32 {
    match key {
        "Backspace" => 8,
        "Tab" => 9,
        "Enter" => 13,
        "Escape" => 27,
        "ArrowLeft" => 37,
        "ArrowUp" => 38,
        "ArrowRight" => 39,
        "ArrowDown" => 40,
        _ => key.chars().next().map_or(0, |letter| letter.to_ascii_uppercase().into()),
    }
}
