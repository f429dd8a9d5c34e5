//! Lines that children print outside the function's own messages.

use crate::engine::{CoreEvent, CoreEvents, CoreId};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};

/// Longest line that is shown, in bytes.
const LONGEST_LINE: usize = 8 * 1024;
/// Most bytes of the first lines that are kept.
const FIRST_WORDS: usize = 2000;
/// How long reading the rest of a dead child's output may take.
pub(super) const LAST_WORDS: Duration = Duration::from_millis(200);

/// Passes on the lines of `output` until its end; returns the first lines.
pub(super) async fn stray(
    output: impl AsyncRead + Unpin,
    id: CoreId,
    events: CoreEvents,
) -> String {
    let mut words = String::new();
    let mut output = BufReader::new(output);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = (&mut output).take(LONGEST_LINE as u64).read_until(b'\n', &mut line).await;
        if !matches!(read, Ok(1..)) {
            return words;
        }
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        if words.len() + text.len() < FIRST_WORDS {
            words.push_str(&text);
            words.push('\n');
        }
        if events.send((id, CoreEvent::Stray(text))).await.is_err() {
            return words;
        }
    }
}
