//! A program in the loop: pando asks the program for values as cores become free, and tells each
//! result at once, in any order.
//!
//! With `--sync-stdio`, the program is another process on standard input and output, with one JSON
//! object per line. Pando writes `{"ask":n}`, `{"result":…,"index":i}` and
//! `{"error":…,"index":i}`; the program writes `{"value":…}`, `{"cancel":i}` and `{"end":true}`.
//! With [`Feedback`](crate::Feedback), the program is this process. For people and programs,
//! indexes start at 1.

use super::input::{Splitter, validate_json};
use crate::{
    master::{
        items::{Ending, Framing, FromProgram, InputError, Loop, ToProgram},
        run::Master,
    },
    protocol::{Form, Value},
};
use bytes::Bytes;
use serde_json::json;
use std::{
    collections::VecDeque,
    fmt, io,
    io::Write,
    task::{Context, Poll},
};

/// The most values waiting for a core. Beyond this number, no more lines of the program are read.
const MOST_WAITING: usize = 65_536;

impl Master {
    /// Reads the messages of the program from `source`, to the end. Blocks.
    pub(crate) fn hear(&self, source: impl io::Read) {
        let heard = self.hear_lines(source);
        self.end_input(heard);
    }

    fn hear_lines(&self, mut source: impl io::Read) -> Result<(), InputError> {
        let mut splitter = Splitter::new(Framing { separator: b'\n', form: Form::Bytes });
        let (mut lines, mut number) = (Vec::new(), 0);
        loop {
            let read = splitter.read(&mut source, &mut lines);
            for line in lines.drain(..) {
                number += 1;
                let named = |why: &str| {
                    format!("line {number} of standard input: {}", why.trim_start_matches("is "))
                };
                let line = line.map_err(|unusable| InputError::new(unusable.why))?;
                match understand(&line.bytes).map_err(|why| InputError::new(named(&why)))? {
                    Some(FromProgram::End) => return Ok(()),
                    Some(FromProgram::Unusable(why)) => {
                        self.heard(FromProgram::Unusable(named(&why)))
                    }
                    Some(heard) => self.heard(heard),
                    None => {}
                }
                self.wait_for_room();
            }
            if !read? {
                return Ok(());
            }
        }
    }

    /// Handles one message of the program.
    pub(crate) fn heard(&self, heard: FromProgram) {
        match heard {
            FromProgram::Value(value) => self.put(value),
            FromProgram::Unusable(why) => self.with(|state| state.fail_next(&why)),
            FromProgram::Cancel(index) => self.with(|state| state.cancel(index)),
            FromProgram::End => self.end_input(Ok(())),
        }
    }

    /// Adds a value to the input.
    fn put(&self, value: Value) {
        let number = self.lock().items().program().map_or(0, Loop::came) + 1;
        self.mind_numbers(number, &value);
        self.with(|state| {
            if let Some(program) = state.items_mut().program_mut() {
                program.count_one();
            }
            state.items_mut().add_values([value].into_iter());
        });
    }

    fn wait_for_room(&self) {
        self.wait_for_input(|state| {
            let items = state.items();
            items.queued() < MOST_WAITING || !items.lender().input_is_open()
        });
    }

    /// Writes messages to the program until the run ends. Blocks.
    pub(crate) fn talk(&self, mut sink: impl Write) -> Ending {
        loop {
            let (said, ending) = self.wait_for_words();
            let written = said
                .iter()
                .try_for_each(|said| writeln!(sink, "{said}"))
                .and_then(|()| sink.flush());
            if let Err(error) = written {
                return self.cannot_write(&error);
            }
            if let Some(ending) = ending {
                return ending;
            }
        }
    }

    fn wait_for_words(&self) -> (VecDeque<ToProgram>, Option<Ending>) {
        let mut state = self.lock();
        loop {
            let ending = state.free_places();
            self.wake(&mut state);
            let said = state.take_said();
            self.resume_channels(&mut state);
            if ending.is_some() || !said.is_empty() {
                return (said, ending);
            }
            state = self.wait_for_output(state);
        }
    }

    /// Returns the next message to the program, or how the run ended.
    pub(crate) fn poll_said(&self, context: &mut Context<'_>) -> Poll<Result<ToProgram, Ending>> {
        let mut state = self.lock();
        let ending = state.free_places();
        self.wake(&mut state);
        let next = state.items_mut().program_mut().and_then(Loop::pop_said);
        self.resume_channels(&mut state);
        match (next, ending) {
            (Some(said), _) => Poll::Ready(Ok(said)),
            (None, Some(ending)) => Poll::Ready(Err(ending)),
            (None, None) => self.wake_for_output(&mut state, context),
        }
    }
}

impl fmt::Display for ToProgram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ask(count) => write!(f, r#"{{"ask":{count}}}"#),
            Self::Result(index, result) => {
                write!(
                    f,
                    r#"{{"result":{},"index":{}}}"#,
                    String::from_utf8_lossy(result),
                    index + 1
                )
            }
            Self::Error(index, message) => {
                f.write_str(&json!({"error": message, "index": index + 1}).to_string())
            }
        }
    }
}

/// Parses one line of the program; `None` for an empty line. A line with an invalid value is
/// [`FromProgram::Unusable`].
fn understand(line: &Bytes) -> Result<Option<FromProgram>, String> {
    const FORMS: &str = r#"say {"value":…}, {"cancel":i} or {"end":true}"#;
    if line.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    let valid = std::str::from_utf8(line)
        .map_err(|_| "is not valid UTF-8".to_owned())
        .and_then(|_| validate_json(line));
    if let Err(why) = valid {
        let is_value =
            Members { json: line, at: 0 }.next().is_some_and(|(name, _)| name == "value");
        return if is_value {
            Ok(Some(FromProgram::Unusable(why)))
        } else {
            Err(format!("{why}. {FORMS}"))
        };
    }
    let mut heard = None;
    for (name, member) in (Members { json: line, at: 0 }) {
        match (&*name, member) {
            ("value", value) => {
                return Ok(Some(FromProgram::Value(Value::new(line.slice_ref(value), Form::Json))));
            }
            ("cancel", index) => {
                let index =
                    std::str::from_utf8(index).ok().and_then(|index| index.parse::<u64>().ok());
                heard =
                    index.and_then(|index| index.checked_sub(1)).map(FromProgram::Cancel).or(heard);
            }
            ("end", b"true") => heard = heard.or(Some(FromProgram::End)),
            _ => {}
        }
    }
    heard.map(Some).ok_or_else(|| format!("is not understood. {FORMS}"))
}

/// The members of a JSON object: each name, with its value as it is written.
struct Members<'a> {
    json: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Members<'a> {
    type Item = (String, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        self.take(if self.at == 0 { b"{" } else { b"," })?;
        let name = serde_json::from_slice(self.text()?).ok()?;
        self.take(b":")?;
        Some((name, self.text()?))
    }
}

impl<'a> Members<'a> {
    /// Skips `mark`, if the text goes on with it.
    fn take(&mut self, mark: &[u8]) -> Option<()> {
        self.pass_blanks();
        self.json[self.at..].starts_with(mark).then(|| self.at += mark.len())
    }

    fn pass_blanks(&mut self) {
        self.at +=
            self.json[self.at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    }

    /// Returns the next JSON text, up to a separator.
    fn text(&mut self) -> Option<&'a [u8]> {
        self.pass_blanks();
        let start = self.at;
        let (mut depth, mut inside) = (0, false);
        while let Some(byte) = self.json.get(self.at) {
            match byte {
                b'"' => inside = !inside,
                b'\\' => self.at += 1,
                _ if inside => {}
                b'{' | b'[' => depth += 1,
                b',' | b':' | b'}' | b']' if depth == 0 => break,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
        }
        let text = self.json.get(start..self.at)?.trim_ascii_end();
        (!text.is_empty()).then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A short description of the message in `line`.
    fn hear(line: &[u8]) -> String {
        match understand(&Bytes::copy_from_slice(line)) {
            Ok(None) => "nothing".into(),
            Ok(Some(FromProgram::Value(value))) => {
                format!("value {}", String::from_utf8_lossy(&value.bytes))
            }
            Ok(Some(FromProgram::Unusable(why))) => format!("unusable: it {why}"),
            Ok(Some(FromProgram::Cancel(index))) => format!("cancel {index}"),
            Ok(Some(FromProgram::End)) => "end".into(),
            Err(why) => format!("not understood: it {why}"),
        }
    }

    #[test]
    fn values_are_taken_as_they_are_written() {
        let deep = "[".repeat(200) + &"]".repeat(200);
        for value in [
            r#""\ud800""#,
            "12345678901234567890",
            r#"{ "a" : ["}", "\"]", {}] , "b": 1.0 }"#,
            "null",
            &deep,
        ] {
            for line in [
                format!("{{\"value\":{value}}}"),
                format!(" {{ \"x\" : [1] , \"value\" : {value} , \"y\":2 }}\r"),
            ] {
                assert_eq!(hear(line.as_bytes()), format!("value {value}"), "{line}");
            }
        }
    }

    #[test]
    fn other_words_are_understood_or_refused() {
        assert_eq!(hear(b"  "), "nothing");
        assert_eq!(hear(br#"{"cancel": 3}"#), "cancel 2");
        assert_eq!(hear(br#"{"end":true}"#), "end");
        for line in [
            &b"nonsense"[..],
            b"[1]",
            b"{}",
            br#"{"cancel":0}"#,
            br#"{"end":false}"#,
            b"\xff",
            br#""value""#,
        ] {
            assert!(hear(line).starts_with("not understood: it is not "), "{}", hear(line));
        }
    }

    #[test]
    fn what_is_surely_a_value_fails_as_one() {
        for line in [
            &br#"{"value":NaN}"#[..],
            br#"{ "value" : [1,}"#,
            br#"{"value":"\x"}"#,
            b"{\"value\":\"\xff\"}",
        ] {
            assert!(hear(line).starts_with("unusable: it is not valid "), "{}", hear(line));
        }
    }
}
