//! Finds the results of an earlier run while the input is read again.
//!
//! As long as the input is as it was, results are found by the position of their items, with
//! constant memory: the results of one page are known at a time. At the first item that is not as
//! it was, an index of all results that are left is made ([`ByValue`]). From then on a value finds
//! its result wherever its item was, and each result is used once.

use super::{
    at::At,
    by_value::{ByValue, JournalPlace, key},
    filter::Filter,
    format::Format,
    pages::{PAGE, Pages},
    record::{DeviceMark, Digest, LONGEST_HEAD, Record, ResultRecord, head},
    scan::{Found, Scan},
};
use bytes::Bytes;
use std::{
    collections::HashSet,
    fs::File,
    io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom},
    sync::Arc,
};

/// Bytes of a record that are read at once.
const USUAL: usize = 1024;

/// Finds earlier results; see the module. Values are looked up in the order of the input.
#[derive(Debug)]
pub(crate) struct Replay {
    journal: ReadJournal,
    /// The index of the next item.
    next: u64,
    way: Way,
    /// Results found by position.
    used: u64,
}

/// A journal that has been read through.
#[derive(Debug)]
pub(super) struct ReadJournal {
    pub(super) file: Arc<File>,
    pub(super) format: Format,
    /// The end of the records of earlier runs.
    pub(super) length: u64,
    pub(super) pages: Pages,
    /// The values with results.
    pub(super) filter: Filter,
    /// The devices whose results do not count.
    pub(super) distrusted: HashSet<DeviceMark>,
}

/// How results are found.
#[derive(Debug)]
enum Way {
    /// By position. The loaded page, and the results on it; for each item, the result that was
    /// written last.
    ByPosition(Option<u64>, Vec<Option<StoredResult>>),
    ByValue(ByValue),
}

/// The position of a result in the file, and the hash of its value.
#[derive(Debug, Clone, Copy)]
struct StoredResult {
    at: u64,
    input: Digest,
}

/// The knowledge of a journal about a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Known {
    /// The journal has no result of the value, or none that is left.
    Nothing,
    /// The result of the value.
    Result(Bytes),
    /// The hash of the result, which is in the file that was asked for.
    InFile(Digest),
}

impl Replay {
    /// A replay of `journal`.
    pub(super) fn new(journal: ReadJournal) -> Self {
        Self { journal, next: 0, way: Way::ByPosition(None, Vec::new()), used: 0 }
    }

    /// The index of the next item.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// Whether the journal has any results.
    pub(crate) fn has_results(&self) -> bool {
        self.journal.pages.count() > 0
    }

    /// Whether items are as they were, so far.
    pub(crate) fn is_by_position(&self) -> bool {
        matches!(self.way, Way::ByPosition(..))
    }

    /// Whether further results are likely to be found, without a gap of many new values.
    pub(crate) fn goes_on(&self) -> bool {
        match &self.way {
            Way::ByPosition(..) => self.next < self.journal.pages.end(),
            Way::ByValue(results) => {
                results.left() > 0 && self.next < self.journal.pages.end().saturating_mul(2)
            }
        }
    }

    /// How many results have not been found.
    pub(crate) fn left(&self) -> u64 {
        match &self.way {
            Way::ByPosition(..) => self.journal.pages.count() - self.used,
            Way::ByValue(results) => results.left(),
        }
    }

    /// How many items the earlier run had after the next one, if items are as they were so far.
    pub(crate) fn further(&self) -> u64 {
        self.journal.pages.end().saturating_sub(self.next)
    }

    /// Passes the next item, which is no value.
    ///
    /// # Errors
    /// As for [`look_up`](Self::look_up).
    pub(crate) fn pass(&mut self) -> io::Result<()> {
        if self.stored()?.is_some() {
            self.turn_to_values()?;
        }
        self.next += 1;
        Ok(())
    }

    /// Looks up the next item, whose value has the hash `input`, and whose result belongs into the
    /// file `target`, if it belongs into a file.
    ///
    /// # Errors
    /// When the journal cannot be read, or has changed since it was opened.
    pub(crate) fn look_up(&mut self, input: &Digest, target: Option<&[u8]>) -> io::Result<Known> {
        let known = match self.stored()? {
            None if !self.is_by_position() => self.look_further(input, target),
            None if self.left() > 0 && self.journal.filter.may_have(input) => {
                self.turn_to_values()?;
                self.look_further(input, target)
            }
            None => Ok(Known::Nothing),
            Some(stored) => match self.fetch(stored, input, target)? {
                Known::Nothing => {
                    self.turn_to_values()?;
                    self.look_further(input, target)
                }
                known => {
                    self.used += 1;
                    Ok(known)
                }
            },
        };
        self.next += 1;
        known
    }

    /// Looks up another result of the value that was looked up last.
    ///
    /// # Errors
    /// As for [`look_up`](Self::look_up).
    pub(crate) fn look_further(
        &mut self,
        input: &Digest,
        target: Option<&[u8]>,
    ) -> io::Result<Known> {
        let Way::ByValue(results) = &mut self.way else { return Ok(Known::Nothing) };
        let key = key(input, target);
        let found = match target {
            None => results.take_first(key),
            Some(_) => results.take_newest(key),
        };
        match found {
            None => Ok(Known::Nothing),
            Some(at) => self.fetch(StoredResult { at, input: *input }, input, target),
        }
    }

    /// The result at the position of the next item, as long as items are as they were. Loads its
    /// page.
    fn stored(&mut self) -> io::Result<Option<StoredResult>> {
        let Way::ByPosition(page, results) = &mut self.way else { return Ok(None) };
        let wanted = self.next / PAGE;
        if *page != Some(wanted) {
            *page = Some(wanted);
            self.journal.load(wanted, results)?;
        }
        Ok(results.get((self.next % PAGE) as usize).copied().flatten())
    }

    /// Makes the index of all results that are left, because the next item is not as it was.
    fn turn_to_values(&mut self) -> io::Result<()> {
        let places = self.journal.places()?;
        self.way = Way::ByValue(ByValue::new(places, self.next));
        Ok(())
    }

    /// Reads a result, if it is one of the value with the hash `input` and for the file `target`.
    fn fetch(
        &self,
        stored: StoredResult,
        input: &Digest,
        target: Option<&[u8]>,
    ) -> io::Result<Known> {
        if stored.input != *input {
            return Ok(Known::Nothing);
        }
        let bytes = self.journal.record(stored.at)?;
        let Some((Record::Result(item), _)) = self.journal.format.first(&bytes) else {
            return Err(changed());
        };
        let ResultRecord { input: found, in_file, bytes: result, .. } = item;
        Ok(match (in_file, target) {
            _ if found != *input => Known::Nothing,
            (None, None) => {
                let range = bytes.len() - result.len()..bytes.len();
                Known::Result(Bytes::from(bytes).slice(range))
            }
            (Some(hash), Some(target)) if result == target => Known::InFile(hash),
            _ => Known::Nothing,
        })
    }
}

impl ReadJournal {
    /// Loads the results of a page into `results`.
    fn load(&self, page: u64, results: &mut Vec<Option<StoredResult>>) -> io::Result<()> {
        results.clear();
        let extents = self.pages.extents(page);
        if extents.is_empty() {
            return Ok(());
        }
        results.resize(PAGE as usize, None);
        let prefix = self.format.prefix();
        let mut source = BufReader::with_capacity(64 << 10, At::new(self.file.clone(), 0));
        let mut start = vec![0; prefix + LONGEST_HEAD];
        for extent in extents {
            source.seek(SeekFrom::Start(extent.start))?;
            let mut at = extent.start;
            while at < extent.end {
                let there = start.len().min((extent.end - at) as usize);
                source.read_exact(&mut start[..there])?;
                let length = self.format.length(&start[..there]).ok_or_else(changed)?;
                source.seek_relative(length as i64 - there as i64)?;
                let item = head(&start[prefix..there.min(length)]);
                let item = item.filter(|item| item.counts(&self.distrusted));
                if let Some(item) = item.filter(|item| item.index / PAGE == page) {
                    let stored = StoredResult { at, input: item.input };
                    results[(item.index % PAGE) as usize] = Some(stored);
                }
                at += length as u64;
            }
        }
        Ok(())
    }

    /// The places of all results.
    fn places(&self) -> io::Result<Vec<JournalPlace>> {
        let mut source = BufReader::with_capacity(256 << 10, At::new(self.file.clone(), 0));
        source.seek(SeekFrom::Start(self.format.header_length() as u64))?;
        let mut scan = Scan::new(source, self.format, self.length);
        let mut places = Vec::new();
        places.try_reserve_exact(self.pages.count() as usize).map_err(io::Error::other)?;
        while let Some(found) = scan.next()? {
            if let Found::Record(Record::Result(item), place) = found
                && item.counts(&self.distrusted)
            {
                let path = item.in_file.map(|_| item.bytes);
                places.push(JournalPlace::new(key(&item.input, path), item.index, place.start));
            }
        }
        Ok(places)
    }

    /// The bytes of the record at `at`.
    fn record(&self, at: u64) -> io::Result<Vec<u8>> {
        let there = USUAL.min(self.length.saturating_sub(at) as usize);
        let mut bytes = vec![0; there];
        let mut source = At::new(self.file.clone(), at);
        source.read_exact(&mut bytes)?;
        let length = self.format.length(&bytes).ok_or_else(changed)?;
        if length as u64 > self.length - at {
            return Err(changed());
        }
        bytes.resize(length, 0);
        if length > there {
            source.read_exact(&mut bytes[there..])?;
        }
        Ok(bytes)
    }
}

fn changed() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "it was changed or damaged after this run had begun")
}

#[cfg(test)]
mod tests;
