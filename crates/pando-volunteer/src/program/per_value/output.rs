//! The output of a command: a result on standard output, lines for people on standard error.

use crate::{
    engine::{CoreEvent, CoreEvents, CoreId},
    program::ProgramOptions,
};
use bytes::{Bytes, BytesMut};
use pando_protocol::volunteer::Failure;
use std::{future, process::ExitStatus};
use tokio::{io::AsyncReadExt, process::ChildStderr};

/// The most bytes of the last lines that are kept for a failure.
const LAST: usize = 4000;
/// The most characters of the line that stands in a message.
const LONGEST_LINE: usize = 1000;
/// The most bytes of lines that are held back, and of a line that is shown.
const MOST_HELD: usize = 8 * 1024;

/// The standard error of a command.
pub(super) struct Errors {
    id: CoreId,
    events: CoreEvents,
    /// The last bytes.
    last: Vec<u8>,
    /// Bytes that are not shown yet.
    held: Vec<u8>,
    /// Whether each line is shown as it comes.
    live: bool,
}

impl Errors {
    pub(super) fn new(id: CoreId, events: CoreEvents) -> Self {
        Self { id, events, last: Vec::new(), held: Vec::new(), live: false }
    }

    pub(super) fn is_live(&self) -> bool {
        self.live
    }

    /// Reads some bytes; returns false at the end.
    pub(super) async fn read(&mut self, pipe: &mut Option<ChildStderr>) -> bool {
        let Some(pipe) = pipe else { return future::pending().await };
        let mut block = [0; 4096];
        // If this future is dropped here, nothing was read.
        let Ok(count @ 1..) = pipe.read(&mut block).await else { return false };
        self.last.extend_from_slice(&block[..count]);
        self.last.drain(..self.last.len().saturating_sub(LAST));
        self.held.extend_from_slice(&block[..count]);
        true
    }

    /// Shows the whole lines so far, and later lines as they come.
    pub(super) async fn go_live(&mut self) {
        self.live = true;
        self.show_lines().await;
    }

    /// Shows the whole lines so far, if lines are shown as they come or too many are held back.
    pub(super) async fn show_lines(&mut self) {
        self.live |= self.held.len() > MOST_HELD;
        if !self.live {
            return;
        }
        let whole = match memchr::memrchr(b'\n', &self.held) {
            Some(at) => at + 1,
            None if self.held.len() > MOST_HELD => self.held.len(),
            None => 0,
        };
        let lines: Vec<u8> = self.held.drain(..whole).collect();
        self.show(&lines).await;
    }

    /// Shows everything that is held back.
    pub(super) async fn flush(&mut self) {
        let held = std::mem::take(&mut self.held);
        self.show(&held).await;
    }

    async fn show(&self, bytes: &[u8]) {
        for line in String::from_utf8_lossy(bytes).lines() {
            let _ = self.events.send((self.id, CoreEvent::Stray(line.trim_end().into()))).await;
        }
    }
}

/// The failure of a command that ended with `status`. Its message has the line of standard error
/// that names the error, its stack all last lines.
pub(super) fn failed_with(status: ExitStatus, errors: &Errors) -> Failure {
    let said = String::from_utf8_lossy(&errors.last);
    let said = said.trim();
    let lines = || said.lines().map(str::trim_end).filter(|line| !line.trim().is_empty());
    let names_error = |line: &&str| line.contains("rror") || line.contains("xception");
    let line = lines().rfind(names_error).or_else(|| lines().next_back()).unwrap_or_default();
    let mut message = format!("the command did not succeed ({status})");
    if !line.is_empty() {
        message += ": ";
        message.extend(line.trim().chars().take(LONGEST_LINE));
    }
    let stack = (lines().count() > 1).then(|| said.to_owned());
    Failure { stack, ..Failure::new(message, "status") }
}

/// The result in the output of a command that succeeded.
pub(super) fn result_of(mut output: BytesMut, options: &ProgramOptions) -> Result<Bytes, Failure> {
    if options.to_files {
        return Ok(output.freeze());
    }
    let last = output.last().copied();
    if last.is_some_and(|last| last == b'\n' || last == options.separator) {
        output.truncate(output.len() - 1);
    }
    if !options.json {
        return Ok(output.freeze());
    }
    if let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(&output) {
        let what = if output.is_empty() { "it has no output, which" } else { "its output" };
        return Err(Failure::new(format!("{what} is not valid JSON: {error}"), "json"));
    }
    Ok(if memchr::memchr(b'\n', &output).is_some() {
        on_one_line(&output).into()
    } else {
        output.freeze()
    })
}

/// A JSON text without white space between its parts.
fn on_one_line(json: &[u8]) -> Vec<u8> {
    let (mut is_string, mut is_escaped) = (false, false);
    let mut line = Vec::with_capacity(json.len());
    for byte in json {
        if is_string || !byte.is_ascii_whitespace() {
            line.push(*byte);
        }
        is_string ^= *byte == b'"' && !is_escaped;
        is_escaped = is_string && *byte == b'\\' && !is_escaped;
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::ExecCommand;

    fn result(output: &str, json: bool, to_files: bool, separator: u8) -> Result<Bytes, String> {
        let command = ExecCommand::Lines(String::new());
        let options = ProgramOptions {
            command,
            separator,
            json,
            to_files,
            assets: None,
            concurrency: 1,
            timeout: None,
        };
        result_of(output.as_bytes().into(), &options).map_err(|failure| failure.message)
    }

    #[test]
    fn the_last_line_end_is_no_part_of_a_result_unless_it_becomes_a_file() {
        for (output, separator, expected) in [
            ("4\n", b'\n', "4"),
            ("4", b'\n', "4"),
            ("a\n\n", b'\n', "a\n"),
            ("", b'\n', ""),
            ("a\n", 0, "a"),
            ("a\n\0", 0, "a\n"),
        ] {
            assert_eq!(result(output, false, false, separator).unwrap(), expected, "{output:?}");
        }
        assert_eq!(result("a\n", true, true, b'\n').unwrap(), "a\n");
    }

    #[test]
    fn json_of_several_lines_becomes_one_line() {
        let pretty = "{\n  \"a\": \"b \\\" c\\\\\",\n  \"d\": [1, 2]\n}\n";
        assert_eq!(
            result(pretty, true, false, b'\n').unwrap(),
            "{\"a\":\"b \\\" c\\\\\",\"d\":[1,2]}"
        );
        assert_eq!(result("[1, 2]\n", true, false, b'\n').unwrap(), "[1, 2]");
        assert!(result("", true, false, b'\n').unwrap_err().contains("no output"));
        assert!(result("a", true, false, b'\n').unwrap_err().contains("not valid JSON"));
    }
}
