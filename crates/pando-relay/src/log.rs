//! The relay's log for its operator: one JSON object per line on standard error. Rooms appear by
//! their public ids; tokens, keys, secrets and names of volunteers never appear.

use pando_process::console::Console;
use pando_web::TokenBucket;
use serde_json::Value;
use std::{
    sync::{Arc, Mutex},
    time::{Instant, SystemTime},
};

/// Most lines per second, and at once. So a flood of strangers cannot flood the log.
const LINES: (f64, f64) = (20.0, 500.0);

/// The log; cheap to clone.
#[derive(Clone)]
pub(crate) struct Log {
    console: Console,
    lines: Arc<Mutex<(TokenBucket, u64)>>,
}

impl Log {
    pub(crate) fn new(console: Console) -> Self {
        let bucket = TokenBucket::new(LINES.0, LINES.1, Instant::now());
        Self { console, lines: Arc::new(Mutex::new((bucket, 0))) }
    }

    /// Logs a normal event; `fields` is an object.
    pub(crate) fn info(&self, event: &str, fields: Value) {
        self.write("info", event, fields);
    }

    /// Logs an event that may need action by the operator.
    pub(crate) fn warn(&self, event: &str, fields: Value) {
        self.write("warn", event, fields);
    }

    fn write(&self, level: &str, event: &str, mut fields: Value) {
        {
            let mut lines = self.lines.lock().expect("nobody panics with it");
            if !lines.0.take(1.0, Instant::now()) {
                lines.1 += 1;
                return;
            }
            if lines.1 > 0 {
                fields["unsaid"] = lines.1.into();
                lines.1 = 0;
            }
        }
        fields["time"] = humantime::format_rfc3339_millis(SystemTime::now()).to_string().into();
        fields["level"] = level.into();
        fields["event"] = event.into();
        self.console.say(fields.to_string());
    }
}
