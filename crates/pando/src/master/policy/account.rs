//! The words about an item that failed for good.

use super::failure_kinds::on_one_line;
use crate::{
    failed::FailedInput,
    master::{items::Items, job::Job},
    protocol::{Failure, Form},
};
use bytes::Bytes;
use stream_lender::Index;

/// The most characters of the input of a failed item.
const LONGEST_INPUT: usize = 80;
/// The most lines of a stack for people.
const MOST_LINES: usize = 40;
/// The most bytes of a stack in a list of failed items.
const LONGEST_STACK: usize = 64 << 10;

/// What is known of an item that failed for good.
pub(super) struct Account {
    /// The item, its device, its message, its input and its attempts, on one line.
    pub(super) line: String,
    /// What else the last attempt says: its stack, or the rest of its message.
    details: String,
}

impl Account {
    /// Describes a failed item: `what` says which item failed where, and why.
    pub(super) fn new(what: &str, input: &FailedInput, attempts: u32, details: String) -> Self {
        let input = excerpt(input.bytes(), LONGEST_INPUT).replace(['\n', '\r'], " ");
        let attempts =
            if attempts == 0 { String::new() } else { format!("; attempts: {attempts}") };
        Self { line: format!("{what} (its input: {input}{attempts})"), details }
    }

    /// The line, followed by the details.
    pub(super) fn in_full(&self) -> String {
        let mut text = self.line.clone();
        for line in self.details.lines().take(MOST_LINES) {
            text.push_str("\n  ");
            text.push_str(line.trim_end());
        }
        text
    }
}

/// The stack of a failure with places in the function's files; without a place, a message of
/// several lines.
pub(super) fn details(job: &Job, failure: &Failure) -> String {
    let message = &failure.message;
    let stack = failure.stack.as_ref().map(|stack| job.function.trace(stack));
    match stack
        .filter(|stack| stack != message && stack.strip_prefix("Error: ") != Some(message.as_str()))
    {
        Some(stack) => stack,
        None if on_one_line(message) != *message => message.clone(),
        None => String::new(),
    }
}

/// The stack for a list of failed items.
pub(super) fn stack(job: &Job, failure: &Failure) -> Option<String> {
    let mut stack = job.function.trace(failure.stack.as_ref()?);
    stack.truncate(stack.floor_char_boundary(LONGEST_STACK));
    Some(stack)
}

/// The input of the item `index`, which is not settled.
pub(super) fn input(items: &Items, job: &Job, index: Index) -> FailedInput {
    if let Some(name) = job.files.as_ref().and_then(|files| files.name(index)) {
        return FailedInput::Text(name.into());
    }
    match items.lender().value(index) {
        Some(value) if value.form == Form::Json => FailedInput::Json(value.bytes.clone()),
        value => FailedInput::Text(value.map(|value| value.bytes.clone()).unwrap_or_default()),
    }
}

/// The input of the item `index`, for a list of failed items. The list must not keep alive a whole
/// block of the input.
pub(super) fn kept(input: FailedInput) -> FailedInput {
    let copied = |bytes: Bytes| Bytes::copy_from_slice(&bytes);
    match input {
        FailedInput::Text(bytes) => FailedInput::Text(copied(bytes)),
        FailedInput::Json(bytes) => FailedInput::Json(copied(bytes)),
        FailedInput::Unusable(bytes) => FailedInput::Unusable(copied(bytes)),
    }
}

/// The first `most` characters of a value, for a message.
pub(crate) fn excerpt(bytes: &[u8], most: usize) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(4 * most)]);
    let short: String = text.chars().take(most).collect();
    if short.len() < bytes.len() { format!("{short}… ({} bytes)", bytes.len()) } else { short }
}
