//! The records of a journal, as bytes.
//!
//! A record is a mark ([`Format`](super::format::Format)), a checksum (CRC-32 of all following
//! bytes), the length of the body, and the body: a kind and its content. Numbers are little-endian.
//! Incomplete or altered bytes are no record.

use pando_web::SelfSigned;
use serde::{Deserialize, Serialize};

/// Longest part of a body before the bytes of a result: kind, index, hash of the input.
pub(super) const LONGEST_HEAD: usize = 1 + 8 + 16;
/// Longest description of the job, in bytes.
const LONGEST_JOB: usize = 1 << 20;

const JOB: u8 = 1;
const RESULT: u8 = 2;
const FILE: u8 = 3;

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
    /// The result, or the path of its file.
    pub bytes: &'a [u8],
}

impl<'a> Record<'a> {
    /// The record with this body; `None` if there is no such record.
    pub fn of_body(body: &'a [u8]) -> Option<Self> {
        let (kind, body) = body.split_first()?;
        Some(match *kind {
            JOB if body.len() <= LONGEST_JOB => Self::Job(serde_json::from_slice(body).ok()?),
            RESULT | FILE => {
                let (index, body) = body.split_first_chunk()?;
                let (input, body) = body.split_first_chunk()?;
                let (in_file, bytes) = match *kind {
                    FILE => body.split_first_chunk().map(|(hash, path)| (Some(*hash), path))?,
                    _ => (None, body),
                };
                Self::Result(ResultRecord {
                    index: u64::from_le_bytes(*index),
                    input: *input,
                    in_file,
                    bytes,
                })
            }
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
            Self::Result(ResultRecord { index, input, in_file, bytes }) => {
                out.push(if in_file.is_some() { FILE } else { RESULT });
                out.extend(index.to_le_bytes());
                out.extend(input);
                out.extend(in_file.iter().flatten());
                out.extend(*bytes);
            }
        }
    }
}

/// The index and the input of the item in the record whose body begins with these bytes, if the
/// record is a result.
pub(super) fn head(body: &[u8]) -> Option<(u64, Digest)> {
    let (_, body) = body.split_first().filter(|(kind, _)| [RESULT, FILE].contains(kind))?;
    let (index, body) = body.split_first_chunk()?;
    Some((u64::from_le_bytes(*index), *body.first_chunk()?))
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
        let items = [
            ResultRecord { index: 0, input: digest(b"a"), in_file: None, bytes: b"" },
            ResultRecord {
                index: u64::MAX,
                input: digest(b""),
                in_file: None,
                bytes: b"result\0\n",
            },
            ResultRecord {
                index: 7,
                input: digest(b"b"),
                in_file: Some(digest(b"c")),
                bytes: b"out/7.png",
            },
        ];
        let records: Vec<_> =
            [Record::Job(facts)].into_iter().chain(items.map(Record::Result)).collect();
        for format in [Format::new().unwrap(), Format::old()] {
            let mut bytes = Vec::new();
            records.iter().for_each(|record| format.append(record, &mut bytes));
            let mut rest = &bytes[..];
            for record in &records {
                let (read, length) = format.first(rest).unwrap();
                assert_eq!(read, *record);
                let item = match record {
                    Record::Result(item) => Some((item.index, item.input)),
                    Record::Job(_) => None,
                };
                assert_eq!(format.length(rest), Some(length));
                assert_eq!(head(&rest[format.prefix()..length]), item);
                rest = &rest[length..];
            }
            assert_eq!(rest, b"");
        }
    }
}
