//! What people who look at a run are told of single calls: the newest failed attempts, and the
//! newest lines that the function printed.

use super::recent::{Recent, start_of};
use std::time::Instant;
use stream_lender::Index;

/// The most failed attempts that are kept.
const MOST_ATTEMPTS: usize = 50;
/// The most printed lines that are kept.
const MOST_LINES: usize = 100;
/// The most characters of a text of a device.
const LONGEST_TEXT: usize = 2_000;

/// The newest failed attempts.
pub(crate) type FailedAttempts = Recent<FailedAttempt>;
/// The newest printed lines.
pub(crate) type PrintedLines = Recent<PrintedLine>;

/// A failed attempt.
#[derive(Debug)]
pub(crate) struct FailedAttempt {
    pub(crate) at: Instant,
    pub(crate) item: Index,
    /// The start of the value.
    pub(crate) input: String,
    /// The name of the device.
    pub(crate) device: String,
    pub(crate) message: String,
    /// The stack as the device sent it, with places in the bundle.
    pub(crate) stack: String,
}

impl FailedAttempt {
    /// As the fields, with long texts cut.
    pub(crate) fn shortened(self) -> Self {
        Self {
            message: start_of(&self.message, LONGEST_TEXT),
            stack: start_of(&self.stack, LONGEST_TEXT),
            ..self
        }
    }
}

/// Something that the function printed.
#[derive(Debug)]
pub(crate) struct PrintedLine {
    pub(crate) at: Instant,
    /// The name of the device.
    pub(crate) device: String,
    /// The number of the item, from 1.
    pub(crate) item: Option<u64>,
    pub(crate) level: String,
    pub(crate) text: String,
    pub(crate) count: u64,
}

impl PrintedLine {
    /// As the fields, with long texts cut.
    pub(crate) fn shortened(self) -> Self {
        Self { level: start_of(&self.level, 20), text: start_of(&self.text, LONGEST_TEXT), ..self }
    }
}

/// No failed attempt yet.
pub(crate) fn no_attempts() -> FailedAttempts {
    Recent::new(MOST_ATTEMPTS)
}

/// No printed line yet.
pub(crate) fn no_lines() -> PrintedLines {
    Recent::new(MOST_LINES)
}
