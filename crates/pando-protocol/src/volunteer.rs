//! What volunteers and their master say to each other.
//!
//! Binary frames carry values and results; text frames carry everything else as JSON.
//! `web/src/frames.ts` mirrors this file; both decode `fixtures/protocol.json`.
//!
//! Identifiers are a value's position in the input, from 0; people are shown it plus one. A value
//! may be lent several times: each loan has a number, which comes with the value and which all that
//! is said of the value names. What is said of an earlier loan changes nothing.

mod message;
pub(crate) mod named;
mod parts;

pub use message::*;
pub use parts::{Assembler, Cutter};
pub use stream_lender::Loan;

use bytes::{BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Version of the protocol; both sides must speak the same version.
pub const VERSION: u32 = 2;
/// Longest frame sent in one piece, in bytes. Longer frames are cut into parts of at most this
/// length.
pub const PART: usize = 64 * 1024;
/// Longest frame accepted from the other side after its introduction, in bytes.
pub const MAX_FRAME: u64 = (1 << 31) - 1;

const VALUES: u8 = 1;
const RESULTS: u8 = 2;
const PARTS: u8 = 3;

/// A message on a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// One JSON object with a field `type`.
    Text(String),
    /// A kind byte and its content.
    Binary(Bytes),
}

impl Frame {
    /// Length on the wire, in bytes, without the transport's own header.
    pub fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }

    /// Whether the frame has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A text frame of `message`.
    pub fn json(message: &impl Serialize) -> Self {
        Self::Text(serde_json::to_string(message).expect("messages are plain data"))
    }
}

/// How the bytes of a value or a result are interpreted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// UTF-8 text.
    Text,
    /// Bytes.
    Bytes,
    /// One JSON text, UTF-8.
    Json,
}

/// An input value for a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// The bytes of the value, a slice of the input that was read.
    pub bytes: Bytes,
    /// How the function receives the bytes.
    pub form: Form,
    /// Whether the value may have killed a worker. The worker announces a careful value before its
    /// call.
    pub careful: bool,
    /// The number of earlier attempts, which all failed; 0 for the first loan.
    pub attempt: u32,
}

impl Value {
    /// A value on its first attempt.
    pub fn new(bytes: Bytes, form: Form) -> Self {
        Self { bytes, form, careful: false, attempt: 0 }
    }

    #[inline]
    fn tag(&self, loan: Loan) -> u64 {
        self.form as u64 | u64::from(self.careful) << 2 | u64::from(loan.number) << 3
    }
}

/// The answer of a volunteer for one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The loan of the value.
    pub loan: Loan,
    /// Duration of the call, in microseconds.
    pub micros: u64,
    /// The result, or the failure, which is boxed because it is long and rare: answers are moved
    /// several times on their way.
    pub result: Result<(Form, Bytes), Box<Failure>>,
}

/// Why an attempt failed, as the volunteer reports it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The error's message.
    pub message: String,
    /// The stack of the error, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack: Option<String>,
    /// One of `error` (answered), `throw`, `timeout`, `undefined`, `died`, `json`.
    #[serde(default)]
    pub kind: String,
    /// The device behind a gateway that made the attempt, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

impl Failure {
    /// A failure without a stack.
    pub fn new(message: impl Into<String>, kind: impl Into<String>) -> Self {
        Self { message: message.into(), stack: None, kind: kind.into(), device: None }
    }

    /// The name of the device that made the attempt, which `device` reports.
    pub fn at<'a>(&self, device: &'a str) -> Cow<'a, str> {
        behind(self.device.as_deref(), device)
    }
}

/// The name, for people, of what `device` says for the device `behind` it.
pub fn behind<'a>(behind: Option<&str>, device: &'a str) -> Cow<'a, str> {
    behind.map_or(device.into(), |behind| format!("{behind} at {device}").into())
}

/// Most values or answers in a frame. More never fit into a frame of one part, and a longer frame
/// has only one entry.
const MOST_ENTRIES: usize = PART;

/// Most bytes of a [`Failure`] in its frame. Volunteers shorten the texts of failures.
const LONGEST_FAILURE: usize = 1 << 20;

/// A frame that cannot be decoded.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("malformed frame: {0}")]
pub struct Malformed(pub &'static str);

/// A decoded binary frame.
#[derive(Debug, PartialEq, Eq)]
pub enum Binary {
    /// Values to compute.
    Values(Vec<(Loan, Value)>),
    /// Answers to values.
    Results(Vec<Answer>),
    /// A piece of a longer frame.
    Part {
        /// Length of the whole frame, in bytes.
        total: u64,
        /// The piece.
        bytes: Bytes,
    },
}

impl Binary {
    /// Decodes `frame` without copying: the values and results are slices of it.
    ///
    /// # Errors
    /// When the frame is not of a known kind or ends early.
    pub fn decode(frame: Bytes) -> Result<Self, Malformed> {
        let mut cursor = Cursor { frame, at: 1 };
        match cursor.frame.first() {
            None => Err(Malformed("empty")),
            Some(&VALUES) => cursor.all(Cursor::value).map(Self::Values),
            Some(&RESULTS) => cursor.all(Cursor::answer).map(Self::Results),
            Some(&PARTS) => {
                let total = cursor.varint()?;
                let bytes = cursor.frame.slice(cursor.at..);
                if bytes.is_empty() || bytes.len() as u64 > total {
                    return Err(Malformed("a part that is empty or longer than the whole"));
                }
                Ok(Self::Part { total, bytes })
            }
            Some(_) => Err(Malformed("unknown kind")),
        }
    }
}

struct Cursor {
    frame: Bytes,
    at: usize,
}

impl Cursor {
    fn all<T>(
        mut self,
        one: impl Fn(&mut Self) -> Result<T, Malformed>,
    ) -> Result<Vec<T>, Malformed> {
        let mut list = Vec::with_capacity((self.frame.len() / 8).min(4096));
        while self.at < self.frame.len() {
            if list.len() == MOST_ENTRIES {
                return Err(Malformed("too many entries"));
            }
            list.push(one(&mut self)?);
        }
        Ok(list)
    }

    fn varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0u64;
        for shift in (0..56).step_by(7) {
            let byte = *self.frame.get(self.at).ok_or(Malformed("ends inside a number"))?;
            self.at += 1;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return if value < 1 << 53 {
                    Ok(value)
                } else {
                    Err(Malformed("number too large"))
                };
            }
        }
        Err(Malformed("number too long"))
    }

    fn bytes(&mut self) -> Result<Bytes, Malformed> {
        let length = usize::try_from(self.varint()?).map_err(|_| Malformed("length too large"))?;
        let end = self
            .at
            .checked_add(length)
            .filter(|end| *end <= self.frame.len())
            .ok_or(Malformed("ends inside a value"))?;
        let bytes = self.frame.slice(self.at..end);
        self.at = end;
        Ok(bytes)
    }

    /// The loan `number` of the value `index`. The caller has shifted the lower bits out of the
    /// tag.
    fn loan(index: u64, number: u64) -> Result<Loan, Malformed> {
        let number = u32::try_from(number).map_err(|_| Malformed("loan too large"))?;
        Ok(Loan { index, number })
    }

    fn value(&mut self) -> Result<(Loan, Value), Malformed> {
        let id = self.varint()?;
        let tag = self.varint()?;
        let form = form(tag & 3).ok_or(Malformed("unknown value tag"))?;
        let loan = Self::loan(id, tag >> 3)?;
        let attempt = if loan.number > 0 { self.varint()? } else { 0 };
        let attempt = u32::try_from(attempt).map_err(|_| Malformed("attempt too large"))?;
        let bytes = self.bytes()?;
        Ok((loan, Value { bytes, form, careful: tag & 4 != 0, attempt }))
    }

    fn answer(&mut self) -> Result<Answer, Malformed> {
        let id = self.varint()?;
        let tag = self.varint()?;
        let loan = Self::loan(id, tag >> 2)?;
        let micros = self.varint()?;
        let bytes = self.bytes()?;
        let tag = tag & 3;
        let result = match (tag, form(tag)) {
            (3, _) if bytes.len() > LONGEST_FAILURE => {
                return Err(Malformed("an error that is too long"));
            }
            (3, _) => Err(serde_json::from_slice(&bytes)
                .map_err(|_| Malformed("an error that is not as agreed"))?),
            (_, Some(form)) => {
                // Most short results are ASCII, which is seen sooner.
                let is_text = || bytes.is_ascii() || std::str::from_utf8(&bytes).is_ok();
                if form != Form::Bytes && !is_text() {
                    return Err(Malformed("text that is not UTF-8"));
                }
                Ok((form, bytes))
            }
            _ => return Err(Malformed("unknown result tag")),
        };
        Ok(Answer { loan, micros, result })
    }
}

fn form(tag: u64) -> Option<Form> {
    match tag {
        0 => Some(Form::Text),
        1 => Some(Form::Bytes),
        2 => Some(Form::Json),
        _ => None,
    }
}

#[inline]
fn put_varint(out: &mut BytesMut, mut value: u64) {
    while value >= 0x80 {
        out.put_u8(value as u8 | 0x80);
        value >>= 7;
    }
    out.put_u8(value as u8);
}

#[inline]
fn put_bytes(out: &mut BytesMut, bytes: &[u8]) {
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Most bytes that a value takes in a frame.
#[inline]
pub fn value_len(value: &Value) -> usize {
    value.bytes.len() + 24
}

/// Encodes `values` as one frame, whatever its length.
pub fn encode_values<'a>(
    values: impl IntoIterator<Item = (Loan, &'a Value)>,
    capacity: usize,
) -> Bytes {
    let mut out = BytesMut::with_capacity(capacity);
    out.put_u8(VALUES);
    for (loan, value) in values {
        put_varint(&mut out, loan.index);
        put_varint(&mut out, value.tag(loan));
        if loan.number > 0 {
            put_varint(&mut out, value.attempt.into());
        }
        put_bytes(&mut out, &value.bytes);
    }
    out.freeze()
}

/// Encodes `answers` as one frame, whatever its length.
pub fn encode_results<'a>(answers: impl IntoIterator<Item = &'a Answer>) -> Bytes {
    let mut out = BytesMut::with_capacity(256);
    out.put_u8(RESULTS);
    for answer in answers {
        put_varint(&mut out, answer.loan.index);
        let number = u64::from(answer.loan.number) << 2;
        match &answer.result {
            Ok((form, bytes)) => {
                put_varint(&mut out, *form as u64 | number);
                put_varint(&mut out, answer.micros);
                put_bytes(&mut out, bytes);
            }
            Err(failure) => {
                put_varint(&mut out, 3 | number);
                put_varint(&mut out, answer.micros);
                put_bytes(&mut out, &serde_json::to_vec(failure).expect("a failure is plain data"));
            }
        }
    }
    out.freeze()
}
