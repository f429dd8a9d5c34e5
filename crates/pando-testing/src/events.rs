//! The contents of the file of `--events FILE`.

use super::DEADLINE;
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    thread::sleep,
    time::{Duration, Instant},
};

/// An events file.
#[derive(Debug)]
pub struct EventsFile {
    path: PathBuf,
    _folder: tempfile::TempDir,
}

impl EventsFile {
    /// Creates the file's own folder, so that the file outlives the run.
    pub fn empty() -> Self {
        let folder = tempfile::tempdir().expect("the temporary folder can be written");
        Self { path: folder.path().join("events.ndjson"), _folder: folder }
    }

    /// The path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All events in complete lines so far.
    pub fn all(&self) -> Vec<Value> {
        let text = fs::read_to_string(&self.path).unwrap_or_default();
        let whole = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
        whole
            .lines()
            .map(|line| {
                serde_json::from_str(line)
                    .unwrap_or_else(|error| panic!("not JSON ({error}): {line}"))
            })
            .collect()
    }

    /// The events of `kind`.
    pub fn of(&self, kind: &str) -> Vec<Value> {
        self.all().into_iter().filter(|event| event["event"] == kind).collect()
    }

    /// The indices of the items with an event of `kind`.
    pub fn items(&self, kind: &str) -> Vec<u64> {
        self.of(kind).iter().filter_map(|event| event["index"].as_u64()).collect()
    }

    /// Waits for an event of `kind` that `fits`.
    #[track_caller]
    pub fn wait(&self, kind: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + DEADLINE;
        loop {
            if let Some(event) = self.of(kind).into_iter().find(|event| fits(event)) {
                return event;
            }
            assert!(Instant::now() < end, "no such event `{kind}` among {:#?}", self.all());
            sleep(Duration::from_millis(20));
        }
    }

    /// Whether there is an event `kind` of item `index` on `device`.
    pub fn has(&self, kind: &str, index: u64, device: &str) -> bool {
        self.of(kind).iter().any(|event| event["index"] == index && event["device"] == device)
    }

    /// Waits for an event `kind` of item `index` on `device`.
    #[track_caller]
    pub fn wait_item(&self, kind: &str, index: u64, device: &str) {
        self.wait(kind, |event| event["index"] == index && event["device"] == device);
    }
}
