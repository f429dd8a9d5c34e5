//! Cuts the input into values: lines, NUL-separated texts or JSON lines of standard input, or the
//! items of the command line.

use super::source::{BLOCK, cannot_read, read_block};
use crate::{
    failed::{FailedAgain, FailedInput},
    master::items::{
        Cut, Framing, InputError, LONGEST, Unusable, check_length, no_memory, too_long,
    },
    protocol::{Form, Value},
};
use bytes::Bytes;
use std::{io, mem};

/// A smaller block is copied into a buffer of its exact size, so that values arriving one by one
/// do not waste memory.
const SMALL: usize = BLOCK / 4;
/// The number of bytes that are kept of a value that is too long.
const SHOWN: usize = 1024;

/// Cuts a byte stream into values, which are slices of the blocks read.
#[derive(Debug)]
pub(super) struct Splitter {
    framing: Framing,
    buffer: Vec<u8>,
    /// The number of bytes at the start of the buffer without a separator.
    scanned: usize,
    /// Values cut so far.
    count: u64,
    /// Bytes read so far.
    bytes: u64,
    /// The last value was too long, and the rest of its bytes is skipped.
    passing: bool,
}

impl Splitter {
    /// Creates a splitter at the start of an input.
    pub(super) fn new(framing: Framing) -> Self {
        Self { framing, buffer: Vec::new(), scanned: 0, count: 0, bytes: 0, passing: false }
    }

    /// Reads once from `input` and appends complete values to `out`. Returns false at the end of
    /// the input.
    ///
    /// # Errors
    /// When reading fails. Values read before are in `out`.
    pub(super) fn read(
        &mut self,
        input: &mut impl io::Read,
        out: &mut Vec<Cut>,
    ) -> Result<bool, InputError> {
        if let Err(why) = self.make_room() {
            self.pass_over(why, out);
            self.make_room().map_err(|why| cannot_read(&why))?;
        }
        match read_block(input, &mut self.buffer)? {
            0 => {
                self.last(out);
                Ok(false)
            }
            length => {
                self.bytes += length as u64;
                self.complete(out);
                Ok(true)
            }
        }
    }

    /// Bytes read so far, apart from the start of a value that is not complete.
    pub(super) fn bytes_cut(&self) -> u64 {
        self.bytes - self.buffer.len() as u64
    }

    /// Makes room for one more block.
    fn make_room(&mut self) -> Result<(), String> {
        if self.buffer.len() > LONGEST {
            return Err(too_long());
        }
        self.buffer.try_reserve(BLOCK).map_err(|_| no_memory(self.buffer.len(), " so far"))
    }

    /// Abandons the value being read, because of `why`.
    fn pass_over(&mut self, why: String, out: &mut Vec<Cut>) {
        let start = Bytes::copy_from_slice(&self.buffer[..self.buffer.len().min(SHOWN)]);
        self.buffer = Vec::new();
        self.scanned = 0;
        self.passing = true;
        self.push(Err((why, start)), out);
    }

    fn complete(&mut self, out: &mut Vec<Cut>) {
        if self.passing {
            let end = memchr::memchr(self.framing.separator, &self.buffer);
            self.passing = end.is_none();
            self.buffer.drain(..end.map_or(self.buffer.len(), |end| end + 1));
        }
        let Some(last) = memchr::memrchr(self.framing.separator, &self.buffer[self.scanned..])
        else {
            self.scanned = self.buffer.len();
            return;
        };
        let whole = self.take(self.scanned + last + 1);
        // The first `scanned` bytes have been searched already.
        let from = mem::replace(&mut self.scanned, 0);
        self.cut(&whole, from, out);
    }

    /// Takes the first `length` bytes out of the buffer.
    fn take(&mut self, length: usize) -> Bytes {
        if length < SMALL {
            let whole = Bytes::copy_from_slice(&self.buffer[..length]);
            self.buffer.drain(..length);
            return whole;
        }
        let rest = self.buffer[length..].to_vec();
        let mut whole = mem::replace(&mut self.buffer, rest);
        whole.truncate(length);
        whole.into()
    }

    fn last(&mut self, out: &mut Vec<Cut>) {
        let rest = Bytes::from(mem::take(&mut self.buffer));
        if rest.is_empty() || self.passing || self.count == 0 && rest == b"\xef\xbb\xbf"[..] {
            return;
        }
        let valid = self.check_text(&rest);
        self.push(with_text(valid, rest), out);
    }

    fn cut(&mut self, whole: &Bytes, searched: usize, out: &mut Vec<Cut>) {
        // One check of the whole block is enough if nothing is wrong.
        let is_valid = self.check_text(whole).is_ok();
        let mut start = 0;
        for end in
            memchr::memchr_iter(self.framing.separator, &whole[searched..]).map(|at| at + searched)
        {
            let value = whole.slice(start..end);
            start = end + 1;
            if is_valid && self.is_plain(&value) {
                self.count += 1;
                out.push(Ok(Value::new(value, self.framing.form)));
                continue;
            }
            let valid = if is_valid { Ok(()) } else { self.check_text(&value) };
            self.push(with_text(valid, value), out);
        }
    }

    /// Whether the bytes of the next value, as they are, are a value that needs no further check.
    #[inline]
    fn is_plain(&self, value: &[u8]) -> bool {
        self.framing.form != Form::Json
            && self.count > 0
            && value.len() < SMALL
            && value.last() != Some(&b'\r')
    }

    /// Refuses text in another encoding than UTF-8.
    fn check_text(&self, bytes: &[u8]) -> Result<(), String> {
        if self.framing.form == Form::Bytes {
            return Ok(());
        }
        std::str::from_utf8(bytes).map(drop).map_err(|error| {
            let at = error.valid_up_to() + 1;
            format!("is not valid UTF-8 (at its byte {at}). Convert the input first, for example with `iconv -t UTF-8`")
        })
    }

    /// Appends the next value, or the reason why it is unusable and its text.
    fn push(&mut self, value: Result<Bytes, (String, Bytes)>, out: &mut Vec<Cut>) {
        let value = value.and_then(|text| self.value(text.clone()).map_err(|why| (why, text)));
        self.count += 1;
        let (number, unit) =
            (self.count, if self.framing.separator == b'\n' { "line" } else { "item" });
        out.push(value.map_err(|(why, text)| {
            let why = format!("{unit} {number} {why}");
            Box::new(Unusable { number, why, input: FailedInput::Unusable(text) })
        }));
    }

    fn value(&self, mut value: Bytes) -> Result<Value, String> {
        if self.count == 0 && value.starts_with(b"\xef\xbb\xbf") {
            value = value.slice(3..);
        }
        if self.framing.separator == b'\n' && value.ends_with(b"\r") {
            value.truncate(value.len() - 1);
        }
        check_length(value.len())?;
        if self.framing.form == Form::Json {
            validate_json(&value)?;
        }
        Ok(Value::new(value, self.framing.form))
    }
}

fn with_text(valid: Result<(), String>, text: Bytes) -> Result<Bytes, (String, Bytes)> {
    match valid {
        Ok(()) => Ok(text),
        Err(why) => Err((why, text)),
    }
}

/// The values of items that failed in another run.
pub(crate) fn values_of_failed(items: &[FailedAgain], form: Form) -> Vec<Cut> {
    let value = |(number, item): (u64, &FailedAgain)| match &item.unusable {
        None => Ok(Value::new(item.input.clone(), form)),
        Some(why) => {
            let input = FailedInput::Unusable(item.input.clone());
            Err(Box::new(Unusable { number, why: why.clone(), input }))
        }
    };
    (1..).zip(items).map(value).collect()
}

/// Cuts the items of the command line into values.
pub(crate) fn values_of_items(items: Vec<String>, form: Form) -> Vec<Cut> {
    let value = |(number, item): (u64, String)| {
        if form == Form::Json {
            validate_json(item.as_bytes()).map_err(|why| {
                let (why, input) = (format!("item {number} {why}"), item.clone().into());
                Box::new(Unusable { number, why, input: FailedInput::Unusable(input) })
            })?;
        }
        Ok(Value::new(item.into(), form))
    };
    (1..).zip(items).map(value).collect()
}

/// Refuses anything but a single JSON text.
pub(super) fn validate_json(text: &[u8]) -> Result<(), String> {
    match serde_json::from_slice::<serde::de::IgnoredAny>(text) {
        Ok(_) => Ok(()),
        Err(_) if text.iter().all(u8::is_ascii_whitespace) => {
            Err("is not valid JSON: it is empty".into())
        }
        Err(error) => Err(format!(
            "is not valid JSON: {}",
            error.to_string().replace("at line 1 column", "at column")
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the values, and the messages about unusable ones.
    fn split(framing: Framing, chunks: &[&[u8]]) -> (Vec<String>, Vec<String>) {
        let mut splitter = Splitter::new(framing);
        let mut out = Vec::new();
        for chunk in chunks.iter().chain([&&b""[..]]) {
            splitter.read(&mut &chunk[..], &mut out).unwrap();
        }
        let (values, unusable): (Vec<_>, Vec<_>) = out.into_iter().partition(Result::is_ok);
        let text = |cut: Cut| String::from_utf8(cut.unwrap().bytes.to_vec()).unwrap();
        (
            values.into_iter().map(text).collect(),
            unusable.into_iter().map(|cut| cut.unwrap_err().why).collect(),
        )
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
    fn a_line_that_is_not_utf8_is_told_by_number_and_the_others_stay() {
        let (lines, said) = split(LINES, &[b"a\nb\n\xffc\nd\n", b"e\xff", b"\nf"]);
        assert_eq!(lines, ["a", "b", "d", "f"]);
        assert!(said[0].starts_with("line 3 is not valid UTF-8 (at its byte 1)"), "{said:?}");
        assert!(said[1].starts_with("line 5 is not valid UTF-8 (at its byte 2)"), "{said:?}");
        let (lines, said) = split(LINES, &[b"a\nb\xc3"]);
        assert_eq!(lines, ["a"]);
        assert!(said[0].starts_with("line 2 "));
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over_up_to_its_end() {
        let mut splitter = Splitter::new(LINES);
        let mut out = Vec::new();
        let mut read = |splitter: &mut Splitter, chunk: &[u8]| {
            splitter.read(&mut &chunk[..], &mut out).unwrap()
        };
        read(&mut splitter, b"a\nbegins");
        splitter.pass_over(too_long(), &mut Vec::new());
        for chunk in [&b" and goes on"[..], b" and ends\nb", b"\n", b""] {
            read(&mut splitter, chunk);
        }
        let values: Vec<_> = out.into_iter().map(|cut| cut.unwrap().bytes).collect();
        assert_eq!((values, splitter.count), (vec!["a".into(), "b".into()], 3));
    }

    #[test]
    fn a_character_cut_between_reads_is_whole() {
        assert_eq!(split(LINES, &[b"caf\xc3", b"\xa9\n"]).0, ["café"]);
    }

    #[test]
    fn json_lines_are_checked() {
        let framing = Framing { separator: b'\n', form: Form::Json };
        let (lines, said) = split(framing, &[b"{\"a\":1}\n{oops}\n[2]\n\n\"\\ud800\"\n"]);
        assert_eq!(lines, ["{\"a\":1}", "[2]", "\"\\ud800\""]);
        assert!(said[0].starts_with("line 2 is not valid JSON: "), "{said:?}");
        assert_eq!(said[1], "line 4 is not valid JSON: it is empty");
    }
}
