//! The job of a run: what is the same from its start to its end.

use super::{files::Files, items::Framing};
use crate::{
    config::{BatchSize, FailureLimit, OnError},
    failed::FailedItems,
    protocol::{Failure, Form, JobOptions},
};
use bytes::Bytes;
use pando_bundler::Bundle;
use std::{sync::Arc, time::Duration};
use stream_lender::Index;

/// The job of a run: its function and options, which stay the same from start to end.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    /// A random identifier, different for each run.
    pub(crate) id: String,
    /// The function's bundle.
    pub(crate) function: Arc<Bundle>,
    /// The options sent to volunteers.
    pub(crate) options: JobOptions,
    /// How the input is cut into values and how results are separated.
    pub(crate) framing: Framing,
    /// Values per lent core that a device may hold.
    pub(crate) batch_size: BatchSize,
    /// Retries of an item after its first attempt.
    pub(crate) retries: u32,
    /// `--speculate`: idle devices get copies of values in progress elsewhere.
    pub(crate) speculate: bool,
    /// `--sync-stdio`: a program in the loop sends values and receives each result at once.
    pub(crate) sync: bool,
    /// `--confirm`: a result counts only after a command has confirmed it.
    pub(crate) confirms: bool,
    /// `--files`: values are names of files.
    pub(crate) files: Option<Arc<Files>>,
    /// The reaction to an item that failed on its last attempt.
    pub(crate) on_error: OnError,
    /// How many items may fail before the run ends (`--max-failures`).
    pub(crate) max_failures: Option<FailureLimit>,
    /// The list of items that failed for good (`--failed`).
    pub(crate) failed: Option<Arc<FailedItems>>,
    /// The numbers of the items in the whole input, if this run has only some of them
    /// (`--only-failed`).
    pub(crate) numbers: Option<Arc<[u64]>>,
    /// Only the cores of this machine can compute the function.
    pub(crate) local_only: bool,
    /// `--exec`: a program computes the results.
    pub(crate) by_program: bool,
    /// The window: the most values that are read and not yet output.
    pub(crate) window: usize,
    /// What is known of the number of items before the input is read.
    pub(crate) size: InputSize,
    /// `--quiet`: output printed by the function is hidden.
    pub(crate) quiet: bool,
    /// `--verbose`: people are told why values are recalled, and who gets them.
    pub(crate) explains: bool,
}

/// What is known of the number of items before the input is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InputSize {
    Unknown,
    /// The number of items.
    Items(u64),
    /// The number of bytes, with the separators.
    Bytes(u64),
}

impl Job {
    /// Values per core: the fixed batch size, or else the calls open at a time.
    pub(super) fn per_core(&self) -> u64 {
        match self.batch_size {
            BatchSize::Fixed(n) => n.into(),
            BatchSize::Auto => self.options.concurrency.into(),
        }
    }

    /// The number of an item in the whole input, from 1.
    pub(super) fn number(&self, index: Index) -> u64 {
        let number = self.numbers.as_ref().and_then(|numbers| numbers.get(index as usize));
        number.copied().unwrap_or(index + 1)
    }

    /// The name of an item in messages.
    pub(super) fn item(&self, index: Index) -> String {
        match self.number(index) {
            number if number == index + 1 => format!("item {number}"),
            number => format!("item {} (number {number} of the whole input)", index + 1),
        }
    }

    pub(super) fn heartbeat(&self) -> Duration {
        Duration::from_millis(self.options.heartbeat)
    }

    /// How long a device may be silent or idle before the master suspects a fault: three
    /// heartbeats.
    pub(super) fn silence_limit(&self) -> Duration {
        self.heartbeat() * 3
    }
}

/// Checks that a result contains no separator, and is JSON if the output is JSON. Otherwise the
/// result becomes a failure of the function.
pub(super) fn well_framed(
    (form, result): (Form, Bytes),
    job: &Job,
) -> Result<(Form, Bytes), Failure> {
    let separator = job.framing.separator;
    let to_file = job.files.as_ref().is_some_and(|files| files.output_dir.is_some());
    if to_file {
        return Ok((form, result));
    }
    if memchr::memchr(separator, &result).is_none() {
        return match job.framing.form != Form::Json || is_json(&result) {
            true => Ok((form, result)),
            false => Err(Failure {
                message: "its result is not JSON: answer a value rather than bytes".into(),
                stack: None,
                kind: "json".into(),
            }),
        };
    }
    let message = if separator == b'\n' {
        "its result contains a newline, which would be taken for two results: answer text without one (JSON.stringify, base64), or separate results with NUL by -0"
    } else {
        "its result contains a NUL, which would be taken for two results: answer text without one (JSON.stringify, base64)"
    };
    Err(Failure { message: message.into(), stack: None, kind: "framing".into() })
}

fn is_json(text: &[u8]) -> bool {
    std::str::from_utf8(text)
        .is_ok_and(|text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok())
}
