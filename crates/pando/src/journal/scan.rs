//! Reads a journal from its start, record by record. Damaged bytes cost only the records in which
//! they are.

use super::{
    format::Format,
    record::{Digest, JobFacts, Record, does_count},
};
use memchr::memmem;
use std::{
    collections::HashSet,
    io::{self, Cursor, ErrorKind, Read, Seek, SeekFrom},
    ops::Range,
};

/// Longest buffer that is kept after a record, in bytes.
const LARGE: usize = 1 << 20;
/// Bytes that are searched at a time for the next record.
const BLOCK: usize = 64 << 10;

/// The state of the scan; see the module.
pub(super) struct Scan<R> {
    source: R,
    format: Format,
    /// The position of the next record.
    at: u64,
    /// Length of the journal.
    end: u64,
    buffer: Vec<u8>,
}

/// What stands at a position of a journal.
#[derive(Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "it is looked at where it is made, and never kept")]
pub(super) enum Found<'a> {
    /// A record, and its place.
    Record(Record<'a>, Range<u64>),
    /// Bytes that are no records, between records.
    Damage(Range<u64>),
}

impl<R: Read + Seek> Scan<R> {
    /// Scans a journal of `end` bytes, whose header has been read from `source`.
    pub(super) fn new(source: R, format: Format, end: u64) -> Self {
        Self { source, format, at: format.header_length() as u64, end, buffer: Vec::new() }
    }

    /// The end of the complete records read so far.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// The next record or damage, and its position; `None` when no further record follows.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub(super) fn next(&mut self) -> io::Result<Option<Found<'_>>> {
        if !self.load(self.at)? {
            let Some(next) = self.search(self.at + 1)? else { return Ok(None) };
            let damage = self.at..next;
            self.at = next;
            self.source.seek(SeekFrom::Start(next))?;
            return Ok(Some(Found::Damage(damage)));
        }
        let Some((record, length)) = self.format.first(&self.buffer) else { return Ok(None) };
        let start = self.at;
        self.at += length as u64;
        Ok(Some(Found::Record(record, start..self.at)))
    }

    /// Reads the record at `at` into the buffer, from the present position of the source. Returns
    /// false if there is no complete record.
    fn load(&mut self, at: u64) -> io::Result<bool> {
        if self.buffer.capacity() > LARGE {
            self.buffer = Vec::new();
        }
        self.buffer.clear();
        if !self.fill(self.format.prefix())? {
            return Ok(false);
        }
        let whole = self.format.length(&self.buffer);
        match whole.filter(|length| *length as u64 <= self.end - at) {
            Some(length) if self.fill(length)? => Ok(self.format.first(&self.buffer).is_some()),
            _ => Ok(false),
        }
    }

    /// Searches for a complete record from `from` on. In version 1, records cannot be recognized.
    fn search(&mut self, mut from: u64) -> io::Result<Option<u64>> {
        let mark = self.format.mark().to_vec();
        if mark.is_empty() {
            return Ok(None);
        }
        let mut block = Vec::new();
        while from < self.end {
            self.source.seek(SeekFrom::Start(from))?;
            block.clear();
            (&mut self.source).take(BLOCK as u64).read_to_end(&mut block)?;
            let places: Vec<usize> = memmem::find_iter(&block, &mark).collect();
            for place in places {
                let at = from + place as u64;
                self.source.seek(SeekFrom::Start(at))?;
                if self.load(at)? {
                    return Ok(Some(at));
                }
            }
            if block.len() < BLOCK {
                break;
            }
            // A mark may lie across two blocks.
            from += (BLOCK + 1 - mark.len()) as u64;
        }
        Ok(None)
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
    /// The indexes of the results that count, in the order of writing.
    pub items: Vec<u64>,
    /// The hashes of their values.
    pub values: Vec<Digest>,
    /// Damaged bytes between records.
    pub damaged: u64,
    /// The end of the last complete record; all later bytes are an incomplete tail.
    pub whole: u64,
}

/// Reads a journal in memory, whatever its bytes are.
///
/// # Errors
/// When the bytes do not begin with a header.
pub fn read(bytes: &[u8]) -> io::Result<Contents> {
    let format = Format::of(bytes).ok_or(ErrorKind::InvalidData)?;
    let mut source = Cursor::new(bytes);
    source.set_position(format.header_length() as u64);
    let mut scan = Scan::new(source, format, bytes.len() as u64);
    let mut contents = Contents::default();
    let (mut results, mut distrusted) = (Vec::new(), HashSet::new());
    while let Some(found) = scan.next()? {
        match found {
            Found::Record(Record::Job(facts), _) => contents.facts = Some(facts),
            Found::Record(Record::Result(item), _) => {
                results.push((item.index, item.input, item.only_by));
            }
            Found::Record(Record::Distrust(device), _) => drop(distrusted.insert(device)),
            Found::Damage(place) => contents.damaged += place.end - place.start,
        }
    }
    results.retain(|(_, _, only_by)| does_count(*only_by, &distrusted));
    (contents.items, contents.values) =
        results.into_iter().map(|(index, input, _)| (index, input)).unzip();
    contents.whole = scan.at();
    Ok(contents)
}

/// The results in a journal that count, in the order of writing: the hash of the value, and the
/// result.
#[cfg(test)]
pub(crate) fn results(bytes: &[u8]) -> Vec<(Digest, Vec<u8>)> {
    let Some(format) = Format::of(bytes) else { return Vec::new() };
    let mut source = Cursor::new(bytes);
    source.set_position(format.header_length() as u64);
    let mut scan = Scan::new(source, format, bytes.len() as u64);
    let (mut results, mut distrusted) = (Vec::new(), HashSet::new());
    while let Some(found) = scan.next().expect("memory can be read") {
        match found {
            Found::Record(Record::Result(item), _) => {
                results.push((item.only_by, (item.input, item.bytes.to_vec())));
            }
            Found::Record(Record::Distrust(device), _) => drop(distrusted.insert(device)),
            _ => {}
        }
    }
    results.retain(|(only_by, _)| does_count(*only_by, &distrusted));
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{ResultRecord, digest};

    /// A journal of some records, and the end of each record.
    fn journal(format: Format) -> (Vec<u8>, Vec<usize>) {
        let mut bytes = format.header();
        let mut ends = vec![bytes.len()];
        let facts = JobFacts {
            function: "f".into(),
            token: Some("abcdefghij".into()),
            ..JobFacts::default()
        };
        let items =
            [(3, None, &b"three"[..]), (0, Some(digest(b"x")), b"out/a.png"), (1, None, b"")];
        let items = items.map(|(index, in_file, bytes)| {
            let input = digest(b"i");
            Record::Result(ResultRecord { index, input, in_file, only_by: None, bytes })
        });
        for record in [Record::Job(facts)].into_iter().chain(items) {
            format.append(&record, &mut bytes);
            ends.push(bytes.len());
        }
        (bytes, ends)
    }

    fn formats() -> [Format; 2] {
        [Format::new().unwrap(), Format::old()]
    }

    #[test]
    fn a_torn_tail_ends_it_at_every_byte() {
        for format in formats() {
            let (bytes, ends) = journal(format);
            assert_eq!(read(&bytes).unwrap().items, [3, 0, 1]);
            for cut in ends[0]..bytes.len() {
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
    }

    #[test]
    fn a_flipped_bit_costs_the_record_in_which_it_is_and_no_other() {
        let (bytes, ends) = journal(Format::new().unwrap());
        for at in ends[0]..bytes.len() {
            let hit = ends.iter().filter(|end| **end <= at).count() - 1;
            let expected: Vec<u64> = [3, 0, 1]
                .into_iter()
                .enumerate()
                .filter(|(place, _)| place + 1 != hit)
                .map(|(_, index)| index)
                .collect();
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << bit;
                let contents = read(&flipped).unwrap();
                assert_eq!(contents.items, expected, "bit {bit} of byte {at}");
                assert_eq!(contents.facts.is_some(), hit != 0);
                let length = (ends[hit + 1] - ends[hit]) as u64;
                let is_last = hit == 3;
                assert_eq!(contents.damaged, if is_last { 0 } else { length });
            }
        }
    }

    #[test]
    fn in_version_1_a_flipped_bit_ends_it() {
        let (bytes, ends) = journal(Format::old());
        for at in ends[0]..bytes.len() {
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
    fn a_record_inside_a_result_is_no_record() {
        let format = Format::new().unwrap();
        // Somebody who knows the form, but not the salt, writes a journal into a result.
        let (forged, _) = journal(Format::new().unwrap());
        let mut bytes = format.header();
        let input = digest(b"i");
        let item =
            |index, bytes| ResultRecord { index, input, in_file: None, only_by: None, bytes };
        for (index, result) in [(0, &forged[..]), (1, b"1")] {
            format.append(&Record::Result(item(index, result)), &mut bytes);
        }
        assert_eq!(read(&bytes).unwrap().items, [0, 1]);
        let header = format.header_length();
        for at in header..header + format.prefix() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert_eq!(read(&damaged).unwrap().items, [1], "byte {at}");
        }
    }

    #[test]
    fn a_long_damage_is_passed_over() {
        let format = Format::new().unwrap();
        let (mut bytes, ends) = journal(format);
        let rest = bytes.split_off(ends[2]);
        let noise = BLOCK * 2 + 5;
        bytes.extend(std::iter::repeat_n(0x5a, noise));
        bytes.extend(rest);
        let contents = read(&bytes).unwrap();
        assert_eq!((contents.items, contents.damaged), (vec![3, 0, 1], noise as u64));
        for before in [BLOCK - 3, BLOCK - 1, BLOCK] {
            let (mut bytes, ends) = journal(format);
            let rest = bytes.split_off(ends[2]);
            bytes.extend(std::iter::repeat_n(0, before + 1));
            bytes.extend(rest);
            assert_eq!(read(&bytes).unwrap().items, [3, 0, 1], "a mark across blocks, {before}");
        }
    }

    #[test]
    fn what_is_no_journal_is_told_from_one() {
        assert!(read(b"").is_err() && read(b"1\n4\n9\n").is_err());
        let format = Format::new().unwrap();
        let header = format.header();
        assert!(read(&header[..15]).is_err() && read(&header[..header.len() - 1]).is_err());
        let whole = header.len() as u64;
        assert_eq!(read(&header).unwrap(), Contents { whole, ..Contents::default() });
    }

    #[test]
    fn whatever_the_bytes_are_reading_them_ends_and_takes_no_more_memory_than_they_do() {
        let mut random = fastrand::Rng::with_seed(1);
        for format in formats() {
            let (bytes, ends) = journal(format);
            for _ in 0..10_000 {
                let mut noise = bytes.clone();
                for _ in 0..random.usize(1..6) {
                    let at = random.usize(ends[0]..noise.len());
                    match random.u8(0..4) {
                        0 => noise[at] = random.u8(..),
                        1 => drop(noise.drain(at..random.usize(at..noise.len()))),
                        2 => noise
                            .splice(at..at, std::iter::repeat_with(|| random.u8(..)).take(7))
                            .for_each(drop),
                        _ => noise[at..].fill(0xff),
                    }
                    if noise.len() <= ends[0] {
                        break;
                    }
                }
                assert!(read(&noise).unwrap().whole <= noise.len() as u64);
            }
        }
    }
}
