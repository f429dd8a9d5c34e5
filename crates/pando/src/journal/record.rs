//! The records of a journal, as bytes.
//!
//! A record is a mark ([`Format`](super::format::Format)), a checksum (CRC-32 of all following
//! bytes), the length of the body, and the body: a kind and its content. Numbers are little-endian.
//! Incomplete or altered bytes are no record.

use pando_web::SelfSigned;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// Longest part of a body before the bytes of a result: kind, index, hash of the input, device.
pub(super) const LONGEST_HEAD: usize = 1 + 8 + 16 + 8;
/// Longest description of the job, in bytes.
const LONGEST_JOB: usize = 1 << 20;

const JOB: u8 = 1;
const RESULT: u8 = 2;
const FILE: u8 = 3;
const UNCHECKED_RESULT: u8 = 4;
const UNCHECKED_FILE: u8 = 5;
const DISTRUST: u8 = 6;

/// Identifies a device of a run: no other device of any run has this number.
pub type DeviceMark = u64;

/// The first half of a BLAKE3 hash.
pub type Digest = [u8; 16];

/// The hash of an input, or of a result in a file.
pub fn digest(bytes: &[u8]) -> Digest {
    half(&blake3::hash(bytes))
}

pub(super) fn half(hash: &blake3::Hash) -> Digest {
    hash.as_bytes()[..16].try_into().expect("it has 32 bytes")
}

/// The facts about a job that a journal keeps beside the results. The last record of this kind in
/// a journal counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobFacts {
    /// Hash of the function's modules.
    pub function: String,
    /// Hash of the function's meaning: white space, comments and names of files do not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meaning: Option<String>,
    /// When the run with these facts began, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began: Option<u64>,
    /// Options that affect the results, as on the command line.
    pub options: Vec<String>,
    /// The port for volunteers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The join token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The token of the monitoring page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monitor: Option<String>,
    /// The secret with which this job proves to a relay that a room is its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The certificate that devices were asked to trust.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) certificate: Option<SelfSigned>,
}

/// One record of a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record<'a> {
    /// The description of the job.
    Job(JobFacts),
    /// The result of a value.
    Result(ResultRecord<'a>),
    /// The results on the word of this device alone do not count, wherever they stand.
    Distrust(DeviceMark),
}

/// The result of one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResultRecord<'a> {
    /// The value's position in the input, from 0.
    pub index: u64,
    /// Hash of the value.
    pub input: Digest,
    /// The hash of the result, if the result is in a file named by `bytes`; otherwise `bytes` is
    /// the result.
    pub in_file: Option<Digest>,
    /// The device, if the result counts on its word alone (`--verify P%`).
    pub only_by: Option<DeviceMark>,
    /// The result, or the path of its file.
    pub bytes: &'a [u8],
}

impl ResultRecord<'_> {
    /// Whether the result counts, if those on the word of these devices alone do not.
    pub(super) fn counts(&self, distrusted: &HashSet<DeviceMark>) -> bool {
        does_count(self.only_by, distrusted)
    }
}

impl ResultHead {
    /// As [`ResultRecord::counts`].
    pub(super) fn counts(&self, distrusted: &HashSet<DeviceMark>) -> bool {
        does_count(self.only_by, distrusted)
    }
}

pub(super) fn does_count(only_by: Option<DeviceMark>, distrusted: &HashSet<DeviceMark>) -> bool {
    only_by.is_none_or(|device| !distrusted.contains(&device))
}

impl<'a> Record<'a> {
    /// The record with this body; `None` if there is no such record.
    pub fn of_body(body: &'a [u8]) -> Option<Self> {
        let (kind, body) = body.split_first()?;
        Some(match *kind {
            JOB if body.len() <= LONGEST_JOB => Self::Job(serde_json::from_slice(body).ok()?),
            RESULT | FILE | UNCHECKED_RESULT | UNCHECKED_FILE => {
                let (index, body) = body.split_first_chunk()?;
                let (input, body) = body.split_first_chunk()?;
                let (only_by, body) = match *kind {
                    UNCHECKED_RESULT | UNCHECKED_FILE => body
                        .split_first_chunk()
                        .map(|(device, body)| (Some(u64::from_le_bytes(*device)), body))?,
                    _ => (None, body),
                };
                let (in_file, bytes) = match *kind {
                    FILE | UNCHECKED_FILE => {
                        body.split_first_chunk().map(|(hash, path)| (Some(*hash), path))?
                    }
                    _ => (None, body),
                };
                Self::Result(ResultRecord {
                    index: u64::from_le_bytes(*index),
                    input: *input,
                    in_file,
                    only_by,
                    bytes,
                })
            }
            DISTRUST => Self::Distrust(u64::from_le_bytes(body.try_into().ok()?)),
            _ => return None,
        })
    }

    /// Appends the body of this record to `out`.
    pub(super) fn append_body_to(&self, out: &mut Vec<u8>) {
        match self {
            Self::Job(facts) => {
                out.push(JOB);
                out.extend(serde_json::to_vec(facts).expect("it is plain data"));
            }
            Self::Result(ResultRecord { index, input, in_file, only_by, bytes }) => {
                out.push(match (in_file, only_by) {
                    (None, None) => RESULT,
                    (Some(_), None) => FILE,
                    (None, Some(_)) => UNCHECKED_RESULT,
                    (Some(_), Some(_)) => UNCHECKED_FILE,
                });
                out.extend(index.to_le_bytes());
                out.extend(input);
                out.extend(only_by.iter().flat_map(|device| device.to_le_bytes()));
                out.extend(in_file.iter().flatten());
                out.extend(*bytes);
            }
            Self::Distrust(device) => {
                out.push(DISTRUST);
                out.extend(device.to_le_bytes());
            }
        }
    }
}

/// What stands before the bytes of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ResultHead {
    pub(super) index: u64,
    pub(super) input: Digest,
    pub(super) only_by: Option<DeviceMark>,
}

/// The head of the result in the record whose body begins with these bytes, if the record is a
/// result.
pub(super) fn head(body: &[u8]) -> Option<ResultHead> {
    let (kind, body) = body.split_first()?;
    let is_unchecked = [UNCHECKED_RESULT, UNCHECKED_FILE].contains(kind);
    if !is_unchecked && ![RESULT, FILE].contains(kind) {
        return None;
    }
    let (index, body) = body.split_first_chunk()?;
    let (input, body) = body.split_first_chunk()?;
    let only_by = match is_unchecked {
        true => Some(u64::from_le_bytes(*body.first_chunk()?)),
        false => None,
    };
    Some(ResultHead { index: u64::from_le_bytes(*index), input: *input, only_by })
}

/// The number at the start of `bytes`.
pub(super) fn number(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::format::Format;

    #[test]
    fn records_come_back_as_they_were_written() {
        let facts = JobFacts {
            function: "f".into(),
            meaning: Some("m".into()),
            began: Some(7),
            options: vec!["--json".into()],
            port: Some(5000),
            token: Some("t".into()),
            monitor: Some("m".into()),
            key: None,
            certificate: None,
        };
        let item = |index, in_file, only_by, bytes| {
            let input = digest(b"a");
            Record::Result(ResultRecord { index, input, in_file, only_by, bytes })
        };
        let hash = Some(digest(b"c"));
        let records = [
            Record::Job(facts),
            item(0, None, None, b""),
            item(u64::MAX, None, None, b"result\0\n"),
            item(7, hash, None, b"out/7.png"),
            item(8, None, Some(u64::MAX), b"unchecked"),
            item(9, hash, Some(5), b"out/9.png"),
            Record::Distrust(5),
        ];
        for format in [Format::new().unwrap(), Format::old()] {
            let mut bytes = Vec::new();
            records.iter().for_each(|record| format.append(record, &mut bytes));
            let mut rest = &bytes[..];
            for record in &records {
                let (read, length) = format.first(rest).unwrap();
                assert_eq!(read, *record);
                let expected = match record {
                    Record::Result(ResultRecord { index, input, only_by, .. }) => {
                        Some(ResultHead { index: *index, input: *input, only_by: *only_by })
                    }
                    Record::Job(_) | Record::Distrust(_) => None,
                };
                assert_eq!(format.length(rest), Some(length));
                assert_eq!(head(&rest[format.prefix()..length]), expected);
                rest = &rest[length..];
            }
            assert_eq!(rest, b"");
        }
    }
}
