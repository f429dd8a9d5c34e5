//! Chromium's DevTools protocol.

use super::{
    processes::until,
    websocket::{Received, WebSocket},
};
use serde_json::{Value, json};
use std::{fs, mem, path::Path};

/// A connection to a browser, or to one of its tabs.
#[derive(Debug)]
pub(crate) struct DevTools {
    socket: WebSocket,
    last: u64,
    events: Vec<Value>,
}

impl DevTools {
    /// Connects to the browser or tab at this URL.
    pub(crate) fn at(url: &str) -> Self {
        Self { socket: WebSocket::open_at(url), last: 0, events: Vec::new() }
    }

    /// The address of the browser with this profile: `http://127.0.0.1:port`, and the path of the
    /// browser itself.
    pub(crate) fn place(profile: &Path) -> (String, String) {
        written(&profile.join("DevToolsActivePort"), |said| {
            let (port, path) = said.split_once('\n').filter(|(_, path)| !path.is_empty())?;
            Some((format!("http://127.0.0.1:{port}"), path.trim().to_owned()))
        })
    }

    /// Calls a method of the protocol.
    pub(crate) fn call(&mut self, method: &str, params: Value) -> Value {
        self.try_call(method, params).unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// Calls a method of the protocol. The error is the browser's error object.
    pub(crate) fn try_call(&mut self, method: &str, params: Value) -> Result<Value, Value> {
        self.last += 1;
        self.socket.text(&json!({"id": self.last, "method": method, "params": params}).to_string());
        loop {
            let Received::Text(text) = self.socket.receive() else {
                panic!("{method}: the browser is gone")
            };
            let mut answer: Value = serde_json::from_str(&text).expect("JSON");
            if answer["id"] != self.last {
                self.events.push(answer);
            } else if answer.get("error").is_some() {
                return Err(answer["error"].take());
            } else {
                return Ok(answer["result"].take());
            }
        }
    }

    /// The events since the last call.
    pub(crate) fn events(&mut self) -> Vec<Value> {
        mem::take(&mut self.events)
    }
}

/// Waits until a browser has written `file`, and returns the part that `read` finds in the file.
pub(crate) fn written<T>(file: &Path, read: impl Fn(&str) -> Option<T>) -> T {
    until("the browser opens its port", || read(&fs::read_to_string(file).ok()?))
}
