//! Cuts bytes into the fields of records, without reading ahead.

use std::ops::Range;

/// One field of a record, as a part of the bytes that were scanned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    /// The content, without the quotes around it.
    pub(super) content: Range<usize>,
    /// The field stands in quotes.
    pub(super) quoted: bool,
    /// The content has quotes, each written twice.
    pub(super) doubled: bool,
}

/// Why a record is not as RFC 4180 says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MalformedText {
    /// The input ends within quotes.
    Unfinished,
    /// A closing quote is followed by something else than the end of its field.
    TextAfterQuote,
}

/// A state machine over the bytes of one record. The bytes that were scanned are not scanned
/// again when more bytes come.
#[derive(Debug)]
pub(super) struct Scanner {
    delimiter: u8,
    state: ScannerState,
    /// The first byte that was not scanned.
    at: usize,
    field: Field,
    pub(super) fields: Vec<Field>,
    pub(super) malformed: Option<MalformedText>,
}

#[derive(Debug, Clone, Copy)]
enum ScannerState {
    /// At the first byte of a field.
    Start,
    /// In a field without quotes.
    Plain,
    /// Within quotes.
    Quoted,
    /// After a quote within quotes: the closing one, or the first of two.
    Closed,
}

impl Scanner {
    pub(super) fn new(delimiter: u8) -> Self {
        Self {
            delimiter,
            state: ScannerState::Start,
            at: 0,
            field: Field { content: 0..0, quoted: false, doubled: false },
            fields: Vec::new(),
            malformed: None,
        }
    }

    /// The first byte that was not scanned.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Starts the next record, which begins where the last one has ended.
    pub(super) fn next_record(&mut self) {
        self.state = ScannerState::Start;
        self.fields.clear();
        self.malformed = None;
    }

    /// Notes that the first `count` bytes are gone, which all were scanned.
    pub(super) fn shift(&mut self, count: usize) {
        self.at -= count;
        let shift = |range: &mut Range<usize>| {
            *range = range.start.saturating_sub(count)..range.end.saturating_sub(count);
        };
        shift(&mut self.field.content);
        self.fields.iter_mut().for_each(|field| shift(&mut field.content));
    }

    /// Scans `bytes` on. Returns whether the record is complete; `at_end`: no more bytes follow.
    pub(super) fn scan(&mut self, bytes: &[u8], at_end: bool) -> bool {
        loop {
            let rest = &bytes[self.at..];
            match self.state {
                ScannerState::Start => match rest.first() {
                    None if at_end && self.fields.is_empty() => return false,
                    None if !at_end => return false,
                    Some(b'"') => {
                        self.at += 1;
                        self.begin(ScannerState::Quoted);
                    }
                    _ => self.begin(ScannerState::Plain),
                },
                ScannerState::Plain => match memchr::memchr2(self.delimiter, b'\n', rest) {
                    Some(length) => {
                        self.at += length + 1;
                        let end = self.at - 1;
                        if bytes[end] == b'\n' {
                            self.end_field(without_return(bytes, self.field.content.start, end));
                            return true;
                        }
                        self.end_field(end);
                    }
                    None => {
                        self.at = bytes.len();
                        if at_end {
                            let end = without_return(bytes, self.field.content.start, self.at);
                            self.end_field(end);
                        }
                        return at_end;
                    }
                },
                ScannerState::Quoted => match memchr::memchr(b'"', rest) {
                    Some(length) => {
                        self.at += length + 1;
                        self.state = ScannerState::Closed;
                    }
                    None => {
                        self.at = bytes.len();
                        if at_end {
                            self.malformed.get_or_insert(MalformedText::Unfinished);
                            self.end_field(self.at);
                        }
                        return at_end;
                    }
                },
                ScannerState::Closed => {
                    // The record may have been dropped up to here.
                    let end = self.at.saturating_sub(1);
                    match rest {
                        [] | [b'\r'] if !at_end => return false,
                        [] | [b'\r'] => {
                            self.at = bytes.len();
                            self.end_field(end);
                            return true;
                        }
                        [b'"', ..] => {
                            self.at += 1;
                            self.field.doubled = true;
                            self.state = ScannerState::Quoted;
                        }
                        [b'\n', ..] | [b'\r', b'\n', ..] => {
                            self.at += if rest[0] == b'\r' { 2 } else { 1 };
                            self.end_field(end);
                            return true;
                        }
                        [byte, ..] if *byte == self.delimiter => {
                            self.at += 1;
                            self.end_field(end);
                        }
                        _ => {
                            self.malformed.get_or_insert(MalformedText::TextAfterQuote);
                            self.state = ScannerState::Plain;
                        }
                    }
                }
            }
        }
    }

    fn begin(&mut self, state: ScannerState) {
        let quoted = matches!(state, ScannerState::Quoted);
        self.field = Field { content: self.at..self.at, quoted, doubled: false };
        self.state = state;
    }

    fn end_field(&mut self, end: usize) {
        self.field.content.end = end;
        self.fields.push(self.field.clone());
        self.state = ScannerState::Start;
    }
}

/// The end of a field that ends at `end`, without a carriage return there.
fn without_return(bytes: &[u8], start: usize, end: usize) -> usize {
    if bytes[start..end].ends_with(b"\r") { end - 1 } else { end }
}
