//! The events file of a run.

use crate::common::{Running, until};
use serde_json::Value;
use std::{fs, path::PathBuf};

pub(crate) const FILE: &str = "events.jsonl";

pub(crate) struct Events(PathBuf);

impl Events {
    pub(crate) fn of(run: &Running) -> Self {
        Self(run.folder().join(FILE))
    }

    /// All events so far.
    pub(crate) fn all(&self) -> Vec<Value> {
        let text = fs::read_to_string(&self.0).unwrap_or_default();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
    }

    /// Waits for an event `kind` of item `index` on `device`.
    pub(crate) fn wait(&self, kind: &str, index: u64, device: &str) {
        until(&format!("{kind} of item {index} on {device}"), || {
            self.find(kind, index, device).then_some(())
        });
    }

    pub(crate) fn find(&self, kind: &str, index: u64, device: &str) -> bool {
        self.all().iter().any(|event| {
            event["event"] == kind && event["index"] == index && event["device"] == device
        })
    }
}
