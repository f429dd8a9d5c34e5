//! The contents of a journal, for people: `pando journal FILE`. The file never changes.

use super::{
    Digest, JobFacts,
    at::At,
    format::Format,
    record::{Record, ResultRecord, does_count},
    scan::{Found, Scan},
};
use anyhow::{Context, bail};
use std::{
    collections::HashSet,
    fs::{self, File},
    io::{self, BufReader, Read, Seek, SeekFrom},
    path::Path,
    sync::Arc,
    time::SystemTime,
};

/// Bytes read at a time.
const BLOCK: usize = 256 << 10;

/// What a journal has.
#[derive(Debug)]
pub(crate) struct JournalContents {
    file: Arc<File>,
    format: Format,
    /// The facts about the newest run.
    pub(crate) facts: Option<JobFacts>,
    /// When the runs began, in seconds since 1970.
    pub(crate) runs: Vec<u64>,
    /// When the file was last changed.
    pub(crate) changed: Option<SystemTime>,
    /// The results by item; for each value of an item, the newest one.
    results: Vec<KeptResult>,
    /// How many of the results are in files of their own.
    pub(crate) in_files: u64,
    /// How many results do not count, because they are of devices that are not trusted any more.
    pub(crate) distrusted: u64,
    /// Damaged bytes between records.
    pub(crate) damaged: u64,
    /// Damaged places between records.
    pub(crate) damages: u64,
    /// Incomplete bytes at the end.
    pub(crate) tail: u64,
    pub(crate) length: u64,
}

#[derive(Debug, Clone, Copy)]
struct KeptResult {
    index: u64,
    /// The start of the hash of the value.
    input: u64,
    at: u64,
    length: u64,
    in_file: bool,
}

/// A result, and where it is from.
#[derive(Debug)]
pub(crate) struct PrintedResult {
    /// The index of the item, from 0.
    pub(crate) index: u64,
    /// The hash of the value.
    pub(crate) input: Digest,
    /// Whether `bytes` are the path of the file with the result.
    pub(crate) in_file: bool,
    pub(crate) bytes: Vec<u8>,
}

impl JournalContents {
    /// Reads the journal at `path` through.
    ///
    /// # Errors
    /// When the file cannot be read, or is no journal.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let name = path.display().to_string();
        // Opening a pipe would wait for a writer.
        if !fs::metadata(path).with_context(|| name.clone())?.is_file() {
            bail!("{name}: this is not a file");
        }
        let file = Arc::new(File::open(path).with_context(|| name.clone())?);
        let about = file.metadata().with_context(|| name.clone())?;
        let mut header = Vec::new();
        At::new(file.clone(), 0)
            .take(Format::LONGEST_HEADER as u64)
            .read_to_end(&mut header)
            .with_context(|| name.clone())?;
        let Some(format) = Format::of(&header) else {
            bail!("{name}: this file is not a journal of this version of Pando");
        };
        let mut contents = Self {
            file,
            format,
            facts: None,
            runs: Vec::new(),
            changed: about.modified().ok(),
            results: Vec::new(),
            in_files: 0,
            distrusted: 0,
            damaged: 0,
            damages: 0,
            tail: 0,
            length: about.len(),
        };
        contents.read_through().with_context(|| name.clone())?;
        Ok(contents)
    }

    fn read_through(&mut self) -> io::Result<()> {
        let mut source = BufReader::with_capacity(BLOCK, At::new(self.file.clone(), 0));
        source.seek(SeekFrom::Start(self.format.header_length() as u64))?;
        let mut scan = Scan::new(source, self.format, self.length);
        let (mut only_by, mut distrusted) = (Vec::new(), HashSet::new());
        while let Some(found) = scan.next()? {
            match found {
                Found::Record(Record::Job(facts), _) => {
                    // Each run writes its facts twice.
                    self.runs.extend(facts.began.filter(|began| self.runs.last() != Some(began)));
                    self.facts = Some(facts);
                }
                Found::Record(Record::Result(item), place) => {
                    self.results.push(KeptResult {
                        index: item.index,
                        input: super::by_value::key(&item.input, None),
                        at: place.start,
                        length: place.end - place.start,
                        in_file: item.in_file.is_some(),
                    });
                    only_by.push(item.only_by);
                }
                Found::Record(Record::Distrust(device), _) => {
                    distrusted.insert(device);
                }
                Found::Damage(place) => {
                    self.damaged += place.end - place.start;
                    self.damages += 1;
                }
            }
        }
        self.tail = self.length - scan.at();
        let all = self.results.len();
        let mut only_by = only_by.into_iter();
        self.results.retain(|_| does_count(only_by.next().flatten(), &distrusted));
        self.distrusted = (all - self.results.len()) as u64;
        self.in_files = self.results.iter().filter(|result| result.in_file).count() as u64;
        self.results.sort_unstable_by_key(|result| (result.index, result.input, result.at));
        // Of several results of one value of an item, the newest one counts.
        self.results.reverse();
        self.results.dedup_by_key(|result| (result.index, result.input));
        self.results.reverse();
        Ok(())
    }

    /// How many results there are.
    pub(crate) fn count(&self) -> u64 {
        self.results.len() as u64
    }

    /// The results, by item.
    pub(crate) fn results(&self) -> impl Iterator<Item = io::Result<PrintedResult>> {
        self.results.iter().map(|stored| {
            let mut record = vec![0; stored.length as usize];
            At::new(self.file.clone(), stored.at).read_exact(&mut record)?;
            let Some((Record::Result(item), _)) = self.format.first(&record) else {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "it was changed while it was read",
                ));
            };
            let ResultRecord { index, input, in_file, bytes, .. } = item;
            Ok(PrintedResult { index, input, in_file: in_file.is_some(), bytes: bytes.to_vec() })
        })
    }
}
