//! Values in: lines (or NUL-separated texts, or JSON lines) of standard input, or the items of the command line.

use crate::protocol::{Form, Value};
use bytes::{Bytes, BytesMut};
use std::{collections::VecDeque, io};
use stream_lender::{Input, Pull};

/// Bytes asked of the input at a time.
const BLOCK: usize = 64 * 1024;

/// Why the input cannot go on, in a person's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct InputError {
    /// What happened, and what to do.
    pub text: String,
    /// The command was wrong, rather than what it met: exit status 2.
    pub usage: bool,
}

impl InputError {
    /// The input is bad, or cannot be read.
    pub fn new(text: String) -> Self {
        Self { text, usage: false }
    }

    /// The input is not as the command needs it.
    pub fn usage(text: String) -> Self {
        Self { text, usage: true }
    }
}

/// How the input is cut into values.
#[derive(Debug, Clone, Copy)]
pub struct Framing {
    /// Ends each value: newline or NUL.
    pub separator: u8,
    /// Text or JSON.
    pub form: Form,
}

/// A value of the input, or, where that is known already, its result.
#[derive(Debug)]
pub(crate) enum Read {
    Value(Value),
    Finished(Bytes),
    /// It cannot be read, and is left out.
    LeftOut,
}

/// Values that have been cut from the input and that nobody has asked for yet.
#[derive(Debug, Default)]
pub(crate) struct InputQueue {
    values: VecDeque<Read>,
    ended: Option<Result<(), InputError>>,
}

impl InputQueue {
    /// Adds values in order.
    pub(crate) fn extend(&mut self, values: impl IntoIterator<Item = Value>) {
        self.values.extend(values.into_iter().map(Read::Value));
    }

    /// Adds one that may be finished.
    pub(crate) fn push(&mut self, read: Read) {
        self.values.push_back(read);
    }

    /// Takes the result of the next value, if that is finished; it is none for one that is left out.
    pub(crate) fn pop_finished(&mut self) -> Option<Option<Bytes>> {
        match self.values.pop_front_if(|read| !matches!(read, Read::Value(_)))? {
            Read::Finished(result) => Some(Some(result)),
            Read::LeftOut => Some(None),
            Read::Value(_) => unreachable!("it was looked at"),
        }
    }

    /// How many are there.
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// No more values come after those already there.
    pub(crate) fn end(&mut self, how: Result<(), InputError>) {
        self.ended = Some(how);
    }

    /// Whether it has ended and all its values are taken.
    pub(crate) fn has_only_its_end(&self) -> bool {
        self.values.is_empty() && self.ended.is_some()
    }

    /// Whether it has ended before its time.
    pub(crate) fn has_failed(&self) -> bool {
        matches!(self.ended, Some(Err(_)))
    }

    /// Whether nothing is there to be taken.
    pub(crate) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

impl Input for InputQueue {
    type Value = Value;
    type Error = InputError;

    fn pull(&mut self) -> Pull<Value, InputError> {
        if let Some(Read::Value(value)) = self.values.pop_front_if(|read| matches!(read, Read::Value(_))) {
            return Pull::Value(value);
        }
        match &self.ended {
            // What is finished is not lent: `pop_finished` takes it.
            _ if !self.values.is_empty() => Pull::Pending,
            None => Pull::Pending,
            Some(Ok(())) => Pull::End,
            Some(Err(error)) => Pull::Failed(error.clone()),
        }
    }
}

/// Cuts a byte stream into values; their bytes are slices of what was read.
#[derive(Debug)]
pub(crate) struct Splitter {
    framing: Framing,
    buffer: BytesMut,
    /// Bytes at the buffer's start known to hold no separator.
    scanned: usize,
    /// Values cut so far.
    count: u64,
}

impl Splitter {
    /// At the start of an input.
    pub(crate) fn new(framing: Framing) -> Self {
        Self { framing, buffer: BytesMut::new(), scanned: 0, count: 0 }
    }

    /// Reads once from `input` and appends the values that are complete to `out`. Gives false at the end of the input.
    ///
    /// # Errors
    /// When reading fails or a value is not valid; the values before it are in `out`.
    pub(crate) fn read(&mut self, input: &mut impl io::Read, out: &mut Vec<Value>) -> Result<bool, InputError> {
        let before = self.buffer.len();
        self.buffer.resize(before + BLOCK, 0);
        let read = loop {
            match input.read(&mut self.buffer[before..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.buffer.truncate(before + *read.as_ref().unwrap_or(&0));
        match read {
            Err(error) => Err(InputError::new(format!("standard input cannot be read: {error}"))),
            Ok(0) => self.last(out).map(|()| false),
            Ok(_) => self.complete(out).map(|()| true),
        }
    }

    fn complete(&mut self, out: &mut Vec<Value>) -> Result<(), InputError> {
        let fresh = &self.buffer[self.scanned..];
        let Some(last) = memchr::memrchr(self.framing.separator, fresh) else {
            self.scanned = self.buffer.len();
            return Ok(());
        };
        let whole = self.buffer.split_to(self.scanned + last + 1).freeze();
        // A long value was searched before: the first separator lies after `scanned`.
        let from = std::mem::replace(&mut self.scanned, 0);
        self.cut(whole, from, out)
    }

    fn last(&mut self, out: &mut Vec<Value>) -> Result<(), InputError> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let rest = self.buffer.split().freeze();
        if self.count == 0 && rest == b"\xef\xbb\xbf"[..] {
            return Ok(());
        }
        self.check(&rest)?;
        self.push(rest, out)
    }

    fn cut(&mut self, whole: Bytes, searched: usize, out: &mut Vec<Value>) -> Result<(), InputError> {
        let valid = match std::str::from_utf8(&whole) {
            Ok(_) => whole.len(),
            Err(error) => error.valid_up_to(),
        };
        let mut start = 0;
        for end in memchr::memchr_iter(self.framing.separator, &whole[searched..]).map(|at| at + searched) {
            if end > valid {
                return self.check(&whole.slice(start..end));
            }
            self.push(whole.slice(start..end), out)?;
            start = end + 1;
        }
        Ok(())
    }

    /// Refuses a value that is not UTF-8.
    fn check(&self, value: &[u8]) -> Result<(), InputError> {
        match std::str::from_utf8(value) {
            Ok(_) => Ok(()),
            Err(error) => Err(InputError::new(format!(
                "{} {} is not valid UTF-8 (at its byte {}). Convert the input first, for example with `iconv -t UTF-8`",
                self.unit(),
                self.count + 1,
                error.valid_up_to() + 1
            ))),
        }
    }

    fn push(&mut self, mut value: Bytes, out: &mut Vec<Value>) -> Result<(), InputError> {
        if self.count == 0 && value.starts_with(b"\xef\xbb\xbf") {
            value = value.slice(3..);
        }
        if self.framing.separator == b'\n' && value.ends_with(b"\r") {
            value.truncate(value.len() - 1);
        }
        if self.framing.form == Form::Json {
            validate_json(&value)
                .map_err(|why| InputError::new(format!("{} {} is not valid JSON: {why}", self.unit(), self.count + 1)))?;
        }
        self.count += 1;
        out.push(Value::new(value, self.framing.form));
        Ok(())
    }

    fn unit(&self) -> &'static str {
        if self.framing.separator == b'\n' { "line" } else { "item" }
    }
}

/// The values of the command line.
///
/// # Errors
/// When `form` is JSON and an item is not.
pub fn items(items: Vec<String>, form: Form) -> Result<Vec<Value>, InputError> {
    let value = |(at, item): (usize, String)| {
        if form == Form::Json {
            validate_json(item.as_bytes()).map_err(|why| InputError::new(format!("item {} is not valid JSON: {why}", at + 1)))?;
        }
        Ok(Value::new(item.into(), form))
    };
    items.into_iter().enumerate().map(value).collect()
}

fn validate_json(text: &[u8]) -> Result<(), String> {
    match serde_json::from_slice::<serde::de::IgnoredAny>(text) {
        Ok(_) => Ok(()),
        Err(_) if text.iter().all(u8::is_ascii_whitespace) => Err("it is empty".into()),
        Err(error) => Err(error.to_string().replace("at line 1 column", "at column")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(framing: Framing, chunks: &[&[u8]]) -> (Vec<String>, Option<String>) {
        let mut splitter = Splitter::new(framing);
        let mut out = Vec::new();
        let mut error = None;
        for chunk in chunks.iter().chain([&&b""[..]]) {
            if let Err(why) = splitter.read(&mut &chunk[..], &mut out) {
                error = Some(why.text);
                break;
            }
        }
        (out.iter().map(|v| String::from_utf8(v.bytes.to_vec()).unwrap()).collect(), error)
    }

    const LINES: Framing = Framing { separator: b'\n', form: Form::Text };

    #[test]
    fn lines_with_and_without_ends() {
        assert_eq!(split(LINES, &[b"a\nb\r\n\n", b"c", b"d"]).0, ["a", "b", "", "cd"]);
        assert_eq!(split(LINES, &[b"a\r\r\n\r\n"]).0, ["a\r", ""]);
        assert_eq!(split(LINES, &[]).0, [] as [&str; 0]);
        assert_eq!(split(LINES, &[b"\n"]).0, [""]);
    }

    #[test]
    fn byte_order_mark_is_dropped_once() {
        assert_eq!(split(LINES, &[b"\xef\xbb\xbfa\n\xef\xbb\xbfb\n"]).0, ["a", "\u{feff}b"]);
        assert_eq!(split(LINES, &[b"\xef\xbb\xbf"]).0, [] as [&str; 0]);
    }

    #[test]
    fn nul_separated_values_may_hold_newlines() {
        let framing = Framing { separator: 0, form: Form::Text };
        assert_eq!(split(framing, &[b"a\nb\0", b"c\r\0\0"]).0, ["a\nb", "c\r", ""]);
    }

    #[test]
    fn invalid_utf8_is_refused_by_line_and_the_lines_before_it_stay() {
        let (lines, error) = split(LINES, &[b"a\nb\n\xffc\nd\n"]);
        assert_eq!(lines, ["a", "b"]);
        assert!(error.unwrap().starts_with("line 3 is not valid UTF-8 (at its byte 1)"));
        let (lines, error) = split(LINES, &[b"a\nb\xc3"]);
        assert_eq!(lines, ["a"]);
        assert!(error.unwrap().starts_with("line 2 "));
    }

    #[test]
    fn a_character_cut_between_reads_is_whole() {
        assert_eq!(split(LINES, &[b"caf\xc3", b"\xa9\n"]).0, ["café"]);
    }

    #[test]
    fn json_lines_are_checked() {
        let framing = Framing { separator: b'\n', form: Form::Json };
        let (lines, error) = split(framing, &[b"{\"a\":1}\n[2]\n{oops}\n"]);
        assert_eq!(lines, ["{\"a\":1}", "[2]"]);
        assert!(error.unwrap().starts_with("line 3 is not valid JSON: "));
    }
}
