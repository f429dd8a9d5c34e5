//! Finds the results of an earlier run while the input is read again.

use super::{
    file::At,
    pages::{PAGE, Pages},
    record::{Digest, LONGEST_HEAD, Record, head},
};
use bytes::Bytes;
use std::{
    fs::File,
    io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom},
    ops::Range,
    sync::Arc,
};

/// Finds earlier results; see the module. Values are looked up in the order of the input.
#[derive(Debug)]
pub(crate) struct Replay {
    file: Arc<File>,
    pages: Pages,
    /// The page that is loaded.
    page: Option<u64>,
    /// The results on this page; for each value, the result that was written last.
    results: Vec<Option<StoredResult>>,
}

/// The range of a result in the file, and the hash of its value.
#[derive(Debug, Clone)]
struct StoredResult {
    at: Range<u64>,
    input: Digest,
}

/// The knowledge of a journal about a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Known {
    /// The journal has no result of the value.
    Nothing,
    /// The journal has a result of another value at the same position.
    Another,
    /// The result of the value.
    Result(Bytes),
    /// The path of the file with the result, and the hash of the result.
    InFile(Bytes, Digest),
}

impl Replay {
    /// A replay of the journal in `file`.
    pub(super) fn new(file: Arc<File>, pages: Pages) -> Self {
        Self { file, pages, page: None, results: Vec::new() }
    }

    /// One more than the last index that has a result.
    pub(crate) fn end(&self) -> u64 {
        self.pages.end()
    }

    /// Looks up the value at `index`, whose hash is `input`. Loads its page.
    ///
    /// # Errors
    /// When the journal cannot be read, or has changed since it was opened.
    pub(crate) fn look_up(&mut self, index: u64, input: &Digest) -> io::Result<Known> {
        let page = index / PAGE;
        if self.page != Some(page) {
            self.load(page)?;
        }
        match self.results.get((index % PAGE) as usize).and_then(Option::as_ref) {
            None => Ok(Known::Nothing),
            Some(result) if result.input != *input => Ok(Known::Another),
            Some(result) => self.fetch(index, input, result.at.clone()),
        }
    }

    fn load(&mut self, page: u64) -> io::Result<()> {
        self.page = Some(page);
        self.results.clear();
        let extents = self.pages.take(page);
        if extents.is_empty() {
            return Ok(());
        }
        self.results.resize(PAGE as usize, None);
        let mut source = BufReader::with_capacity(64 << 10, At::new(self.file.clone(), 0));
        for extent in extents {
            source.seek(SeekFrom::Start(extent.start))?;
            let mut at = extent.start;
            while at < extent.end {
                let mut bytes = [0; LONGEST_HEAD];
                let there = LONGEST_HEAD.min((extent.end - at) as usize);
                source.read_exact(&mut bytes[..there])?;
                let (length, item) = head(&bytes[..there]).ok_or_else(changed)?;
                source.seek_relative(length as i64 - there as i64)?;
                let end = at + length as u64;
                if let Some((index, input)) = item.filter(|(index, _)| index / PAGE == page) {
                    self.results[(index % PAGE) as usize] =
                        Some(StoredResult { at: at..end, input });
                }
                at = end;
            }
        }
        Ok(())
    }

    fn fetch(&self, index: u64, input: &Digest, at: Range<u64>) -> io::Result<Known> {
        let mut bytes = vec![0; (at.end - at.start) as usize];
        At::new(self.file.clone(), at.start).read_exact(&mut bytes)?;
        let Some((Record::Result(item), _)) = Record::first(&bytes) else { return Err(changed()) };
        if item.index != index || item.input != *input {
            return Err(changed());
        }
        let (in_file, start) = (item.in_file, bytes.len() - item.bytes.len());
        let bytes = Bytes::from(bytes).slice(start..);
        Ok(match in_file {
            None => Known::Result(bytes),
            Some(hash) => Known::InFile(bytes, hash),
        })
    }
}

fn changed() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "it was changed or damaged after this run had begun")
}
