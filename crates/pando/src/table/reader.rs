//! Reads a table: rows as JSON objects whose members are the fields, by the names in the header.

use super::scanner::{Field, MalformedText, Scanner};
use std::{borrow::Cow, mem};

/// The byte-order mark of UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// A row: a JSON object, or why the row is unusable and its text.
pub(crate) type Row = Result<Vec<u8>, (String, Vec<u8>)>;

/// Cuts blocks of bytes into rows. Only the bytes of one row that is not complete are kept.
#[derive(Debug)]
pub(crate) struct TableReader {
    buffer: Vec<u8>,
    scanner: Scanner,
    /// The names in the header.
    columns: Option<Vec<String>>,
    /// The start of each member of a row's object: its name and the colon.
    keys: Vec<Vec<u8>>,
    /// Rows so far, without the header.
    rows: u64,
    /// The line after the bytes that are gone, from 1.
    line: u64,
    /// The line on which the present record begins.
    record_line: u64,
    /// Why the present record, whose bytes are dropped, is not kept.
    dropped: Option<String>,
    has_begun: bool,
}

impl TableReader {
    /// A reader at the start of a table with this byte between its fields.
    pub(crate) fn new(delimiter: u8) -> Self {
        Self {
            buffer: Vec::new(),
            scanner: Scanner::new(delimiter),
            columns: None,
            keys: Vec::new(),
            rows: 0,
            line: 1,
            record_line: 1,
            dropped: None,
            has_begun: false,
        }
    }

    /// The names in the header, once it has been read.
    pub(crate) fn columns(&self) -> Option<&[String]> {
        self.columns.as_deref()
    }

    /// The bytes of a row that is not complete.
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// The number of bytes of a row that is not complete.
    pub(crate) fn buffered(&self) -> usize {
        self.buffer.len()
    }

    /// Drops the bytes of the row that is not complete, because of `why`. The row is unusable.
    pub(crate) fn drop_row(&mut self, why: String) {
        self.dropped.get_or_insert(why);
        self.forget(self.scanner.at());
    }

    /// Cuts the bytes in the buffer, and appends complete rows to `rows`, each with its number from
    /// 1. `at_end`: the table ends here.
    ///
    /// # Errors
    /// When there is no usable header, in words for people.
    pub(crate) fn cut(&mut self, rows: &mut Vec<(u64, Row)>, at_end: bool) -> Result<(), String> {
        if !self.has_begun {
            if MARK.starts_with(&self.buffer) && self.buffer.len() < MARK.len() && !at_end {
                return Ok(());
            }
            self.has_begun = true;
            if self.buffer.starts_with(MARK) {
                self.buffer.drain(..MARK.len());
            }
        }
        let bytes = mem::take(&mut self.buffer);
        let mut start = 0;
        while self.scanner.scan(&bytes, at_end) {
            let record = &bytes[start..self.scanner.at()];
            start = self.scanner.at();
            self.line += count_lines(record);
            self.end_record(&bytes, record, rows)?;
            self.scanner.next_record();
            self.record_line = self.line;
        }
        self.buffer = bytes;
        // The lines before `start` are counted.
        let kept = mem::take(&mut self.line);
        self.forget(start);
        self.line = kept;
        if self.dropped.is_some() {
            self.forget(self.scanner.at());
        }
        Ok(())
    }

    /// Forgets the first `count` bytes, which were scanned.
    fn forget(&mut self, count: usize) {
        self.line += count_lines(&self.buffer[..count]);
        self.buffer.drain(..count);
        self.scanner.shift(count);
    }

    /// Handles a complete `record`, whose fields are parts of `bytes`.
    fn end_record(
        &mut self,
        bytes: &[u8],
        record: &[u8],
        rows: &mut Vec<(u64, Row)>,
    ) -> Result<(), String> {
        let dropped = self.dropped.take();
        let is_blank = match &*self.scanner.fields {
            [only] => only.content.is_empty() && !only.quoted && dropped.is_none(),
            _ => false,
        };
        if is_blank {
            return Ok(());
        }
        let problem = dropped.or_else(|| self.problem(record));
        if self.columns.is_none() {
            return match problem {
                Some(why) => Err(format!("the header, on line {}, {why}", self.record_line)),
                None => self.read_header(bytes),
            };
        }
        self.rows += 1;
        let row = match problem {
            Some(why) => {
                let why = format!("row {} (line {}) {why}", self.rows, self.record_line);
                Err((why, record.trim_ascii_end().to_vec()))
            }
            None => Ok(self.object(bytes)),
        };
        rows.push((self.rows, row));
        Ok(())
    }

    /// What is wrong with the present record, in words that follow its name.
    fn problem(&self, record: &[u8]) -> Option<String> {
        match self.scanner.malformed {
            Some(MalformedText::Unfinished) => {
                return Some(
                    "has a field that begins with a quote and has no closing quote up to the end of the input: \
                     write a quote within quotes twice"
                        .into(),
                );
            }
            Some(MalformedText::TextAfterQuote) => {
                return Some(
                    "has text after the closing quote of a field: write a quote within quotes twice"
                        .into(),
                );
            }
            None => {}
        }
        if let Err(error) = std::str::from_utf8(record) {
            let at = error.valid_up_to() + 1;
            return Some(format!(
                "is not valid UTF-8 (at its byte {at}). Convert the input first, for example with `iconv -t UTF-8`"
            ));
        }
        let (found, expected) = (self.scanner.fields.len(), self.keys.len());
        (self.columns.is_some() && found != expected).then(|| {
            format!(
                "has {} where the header has {expected}",
                crate::number::count(found as u64, "field")
            )
        })
    }

    fn read_header(&mut self, bytes: &[u8]) -> Result<(), String> {
        let mut names: Vec<String> = Vec::new();
        for (number, field) in (1..).zip(&self.scanner.fields) {
            let name = text(bytes, field).into_owned();
            if name.replace("\r\n", "").contains('\r') {
                return Err(
                    "the lines of this table end with a carriage return alone: convert them first, for example with `tr '\\r' '\\n'`"
                        .into(),
                );
            }
            if name.is_empty() {
                return Err(format!("column {number} has no name in the header: give it one"));
            }
            if names.contains(&name) {
                return Err(format!(
                    "two columns are called {name:?} in the header: give each its own name"
                ));
            }
            names.push(name);
        }
        let key = |(at, name): (usize, &String)| {
            let mut key = vec![if at == 0 { b'{' } else { b',' }];
            put_string(&mut key, name);
            key.push(b':');
            key
        };
        self.keys = names.iter().enumerate().map(key).collect();
        self.columns = Some(names);
        Ok(())
    }

    /// The present record as a JSON object.
    fn object(&self, bytes: &[u8]) -> Vec<u8> {
        let names: usize = self.keys.iter().map(Vec::len).sum();
        let contents = self.scanner.fields.iter().map(|field| field.content.len() + 2);
        let mut object = Vec::with_capacity(names + contents.sum::<usize>() + 1);
        for (key, field) in self.keys.iter().zip(&self.scanner.fields) {
            object.extend_from_slice(key);
            put_string(&mut object, &text(bytes, field));
        }
        object.push(b'}');
        object
    }
}

/// The text of a field, in a record of UTF-8.
fn text<'a>(bytes: &'a [u8], field: &Field) -> Cow<'a, str> {
    let text = String::from_utf8_lossy(&bytes[field.content.clone()]);
    if field.doubled { text.replace("\"\"", "\"").into() } else { text }
}

fn put_string(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("memory takes all bytes");
}

fn count_lines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

#[cfg(test)]
mod tests;
