//! The words about an item that failed for good.

use crate::{
    master::{items::Items, job::Job},
    protocol::Failure,
};
use stream_lender::Loan;

/// Describes an item failed for good: `what`, its input, its attempts and the stack of the last
/// one.
pub(super) fn account(
    items: &Items,
    job: &Job,
    loan: Loan,
    what: String,
    attempts: u32,
    failure: &Failure,
) -> String {
    let stack = failure.stack.as_deref().map(|stack| job.function.trace(stack)).unwrap_or_default();
    let value = items.lender().value(loan.index);
    let value = value.map(|value| excerpt(&value.bytes, 80)).unwrap_or_default();
    let mut text = format!("{what}\n  its input: {value}\n  attempts: {attempts}");
    for line in stack.lines().take(12) {
        text.push_str("\n  ");
        text.push_str(line.trim_end());
    }
    text
}

/// The first `most` characters of a value, for a message.
pub(super) fn excerpt(bytes: &[u8], most: usize) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(4 * most)]);
    let short: String = text.chars().take(most).collect();
    if short.len() < bytes.len() { format!("{short}… ({} bytes)", bytes.len()) } else { short }
}
