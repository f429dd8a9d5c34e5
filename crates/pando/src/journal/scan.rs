//! Reads a journal from its start, record by record, up to the first incomplete record.

use super::record::{HEADER, JobFacts, PREFIX, Record, length};
use std::{
    io::{self, ErrorKind, Read},
    ops::Range,
};

/// Longest buffer that is kept after a record, in bytes.
const LARGE: usize = 1 << 20;

/// The state of the scan; see the module.
pub(super) struct Scan<R> {
    source: R,
    /// The position of the next record.
    at: u64,
    /// Length of the journal.
    end: u64,
    buffer: Vec<u8>,
}

impl<R: Read> Scan<R> {
    /// Scans a journal of `end` bytes, whose header has been read from `source`.
    pub(super) fn new(source: R, end: u64) -> Self {
        Self { source, at: HEADER.len() as u64, end, buffer: Vec::new() }
    }

    /// The end of the complete records read so far.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// The next record and its position; `None` at the end or at an incomplete record.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub(super) fn next(&mut self) -> io::Result<Option<(Record<'_>, Range<u64>)>> {
        if self.buffer.capacity() > LARGE {
            self.buffer = Vec::new();
        }
        self.buffer.clear();
        if !self.fill(PREFIX)? {
            return Ok(None);
        }
        let whole = length(&self.buffer).filter(|length| *length as u64 <= self.end - self.at);
        match whole {
            Some(length) if self.fill(length)? => {}
            _ => return Ok(None),
        }
        let Some((record, length)) = Record::first(&self.buffer) else { return Ok(None) };
        let start = self.at;
        self.at += length as u64;
        Ok(Some((record, start..self.at)))
    }

    /// Reads until the buffer has `length` bytes; returns false if the source has fewer.
    fn fill(&mut self, length: usize) -> io::Result<bool> {
        let missing = length - self.buffer.len();
        self.buffer.reserve_exact(missing);
        Ok((&mut self.source).take(missing as u64).read_to_end(&mut self.buffer)? == missing)
    }
}

/// The contents of a journal.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// The last description of the job.
    pub facts: Option<JobFacts>,
    /// The indexes of the results, in the order of writing.
    pub items: Vec<u64>,
    /// Length of the header and the complete records; all later bytes are an incomplete tail.
    pub whole: u64,
}

/// Reads a journal in memory, whatever its bytes are.
///
/// # Errors
/// When the bytes do not begin with the header of this version.
pub fn read(bytes: &[u8]) -> io::Result<Contents> {
    let Some(records) = bytes.strip_prefix(HEADER) else {
        return Err(ErrorKind::InvalidData.into());
    };
    let mut scan = Scan::new(records, bytes.len() as u64);
    let mut contents = Contents::default();
    while let Some((record, _)) = scan.next()? {
        match record {
            Record::Job(facts) => contents.facts = Some(facts),
            Record::Result(item) => contents.items.push(item.index),
        }
    }
    contents.whole = scan.at();
    Ok(contents)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{ResultRecord, digest};

    /// A journal of some records, and the end of each record.
    fn journal() -> (Vec<u8>, Vec<usize>) {
        let mut bytes = HEADER.to_vec();
        let mut ends = vec![bytes.len()];
        let facts = JobFacts {
            function: "f".into(),
            token: Some("abcdefghij".into()),
            ..JobFacts::default()
        };
        let items =
            [(3, None, &b"three"[..]), (0, Some(digest(b"x")), b"out/a.png"), (1, None, b"")];
        let items = items.map(|(index, in_file, bytes)| {
            Record::Result(ResultRecord { index, input: digest(b"i"), in_file, bytes })
        });
        for record in [Record::Job(facts)].into_iter().chain(items) {
            record.append_to(&mut bytes);
            ends.push(bytes.len());
        }
        (bytes, ends)
    }

    #[test]
    fn a_torn_tail_ends_it_at_every_byte() {
        let (bytes, ends) = journal();
        assert_eq!(read(&bytes).unwrap().items, [3, 0, 1]);
        for cut in HEADER.len()..bytes.len() {
            let whole = *ends.iter().rfind(|end| **end <= cut).unwrap();
            let contents = read(&bytes[..cut]).unwrap();
            assert_eq!(contents.whole, whole as u64, "cut at {cut}");
            assert_eq!(contents, read(&bytes[..whole]).unwrap());
            // A file system may leave zeros where nothing was written.
            let mut zeros = bytes[..cut].to_vec();
            zeros.resize(bytes.len() + 100, 0);
            let kept = read(&zeros).unwrap();
            assert!(
                kept.whole >= whole as u64 && kept.whole <= bytes.len() as u64,
                "zeros from {cut}: {kept:?}"
            );
        }
    }

    #[test]
    fn no_flipped_bit_is_taken_for_what_was_written() {
        let (bytes, ends) = journal();
        for at in HEADER.len()..bytes.len() {
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << bit;
                let whole = *ends.iter().rfind(|end| **end <= at).unwrap();
                assert_eq!(
                    read(&flipped).unwrap(),
                    read(&bytes[..whole]).unwrap(),
                    "bit {bit} of byte {at}"
                );
            }
        }
    }

    #[test]
    fn what_is_no_journal_is_told_from_one() {
        assert!(read(b"").is_err() && read(b"1\n4\n9\n").is_err() && read(&HEADER[..15]).is_err());
        assert_eq!(read(HEADER).unwrap(), Contents { whole: 16, ..Contents::default() });
    }

    #[test]
    fn whatever_the_bytes_are_reading_them_ends_and_takes_no_more_memory_than_they_do() {
        let (bytes, _) = journal();
        let mut random = fastrand::Rng::with_seed(1);
        for _ in 0..20_000 {
            let mut noise = bytes.clone();
            for _ in 0..random.usize(1..6) {
                let at = random.usize(HEADER.len()..noise.len());
                match random.u8(0..4) {
                    0 => noise[at] = random.u8(..),
                    1 => drop(noise.drain(at..random.usize(at..noise.len()))),
                    2 => noise
                        .splice(at..at, std::iter::repeat_with(|| random.u8(..)).take(7))
                        .for_each(drop),
                    _ => noise[at..].fill(0xff),
                }
                if noise.len() <= HEADER.len() {
                    break;
                }
            }
            assert!(read(&noise).unwrap().whole <= noise.len() as u64);
        }
    }
}
