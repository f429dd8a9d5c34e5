//! The file of a journal: opened by one run at a time, and read through.

use super::{
    DeviceMark, Digest, JobFacts, Pages, Record, Replay, Writer,
    at::At,
    digest,
    filter::Filter,
    format::Format,
    replay::ReadJournal,
    scan::{Found, Scan},
};
use anyhow::{Context, bail};
use std::{
    collections::HashSet,
    fs::{File, Metadata, OpenOptions, TryLockError},
    io::{self, BufReader, Read, Seek, SeekFrom},
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

/// Bytes read at a time.
const BLOCK: usize = 256 << 10;
/// The least bytes that a result takes in a journal.
const SHORTEST: u64 = 40;

/// A journal, opened and locked by this run.
#[derive(Debug)]
pub(crate) struct OpenJournal {
    path: PathBuf,
    file: Arc<File>,
    format: Format,
    length: u64,
    pages: Pages,
    filter: Filter,
    /// The facts about the job; `None` in a new journal.
    pub(crate) facts: Option<JobFacts>,
    /// The devices whose results do not count.
    distrusted: HashSet<DeviceMark>,
    /// Incomplete bytes at the end of the journal, which [`OpenJournal::go_on`] cuts off.
    pub(crate) cut: u64,
    /// Damaged places between records, whose results are lost.
    pub(crate) damaged: Vec<Range<u64>>,
    /// The files of results that the journal names, also of those that do not count, as hashes of
    /// their paths.
    pub(crate) targets: HashSet<Digest>,
}

/// Opens the journal at `path`, or creates an empty file for a new one. If another run has the
/// journal open, waits for at most `patience`. The content does not change until
/// [`OpenJournal::go_on`].
///
/// # Errors
/// When the file cannot be read or written, is no journal, or another run has it open.
pub(crate) fn open(path: &Path, patience: Duration) -> anyhow::Result<OpenJournal> {
    let named = || format!("--journal {}", path.display());
    let file = options().open(path).with_context(|| format!("{}: cannot be written", named()))?;
    let about = file.metadata().with_context(named)?;
    if !about.is_file() {
        bail!("{}: this is not a file", named());
    }
    if !is_ours(&about) {
        bail!(
            "{}: this file belongs to another user, who could read the job's token and key in it: name another",
            named()
        );
    }
    lock(&file, patience).with_context(named)?;
    let file = Arc::new(file);
    let end = file.metadata().with_context(named)?.len();
    let mut header = Vec::new();
    At::new(file.clone(), 0)
        .take(Format::LONGEST_HEADER as u64)
        .read_to_end(&mut header)
        .with_context(named)?;
    let known = Format::of(&header);
    if known.is_none() && !Format::may_begin(&header) {
        bail!(
            "{}: this file is not a journal of this version of Pando: name another file, which need not exist",
            named()
        );
    }
    let mut opened = OpenJournal {
        path: path.into(),
        file,
        format: known.map_or_else(Format::new, Ok).with_context(named)?,
        length: 0,
        pages: Pages::default(),
        filter: Filter::default(),
        facts: None,
        distrusted: HashSet::new(),
        cut: end,
        damaged: Vec::new(),
        targets: HashSet::new(),
    };
    if known.is_some() {
        opened.read_through(end).with_context(named)?;
        if !opened.distrusted.is_empty() {
            // The results that do not count stand before the record that says so.
            opened.read_through(end).with_context(named)?;
        }
    }
    Ok(opened)
}

impl OpenJournal {
    /// Reads the journal of `end` bytes, and notes the results that count, as far as the devices
    /// are known whose results do not.
    fn read_through(&mut self, end: u64) -> io::Result<()> {
        let mut source = BufReader::with_capacity(BLOCK, At::new(self.file.clone(), 0));
        source.seek(SeekFrom::Start(self.format.header_length() as u64))?;
        let mut scan = Scan::new(source, self.format, end);
        (self.pages, self.filter) = (Pages::default(), Filter::for_about(end / SHORTEST));
        self.damaged.clear();
        while let Some(found) = scan.next()? {
            match found {
                Found::Record(Record::Job(facts), _) => self.facts = Some(facts),
                Found::Record(Record::Result(item), place) => {
                    self.targets.extend(item.in_file.map(|_| digest(item.bytes)));
                    if item.counts(&self.distrusted) {
                        self.filter.add(&item.input);
                        self.pages.add(item.index, place);
                    }
                }
                Found::Record(Record::Distrust(device), _) => {
                    self.distrusted.insert(device);
                }
                Found::Damage(place) => {
                    self.pages.pass_over(&place);
                    self.damaged.push(place);
                }
            }
        }
        (self.length, self.cut) = (scan.at(), end - scan.at());
        Ok(())
    }

    /// The path of the journal.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether other users can read the journal.
    pub(crate) fn is_shown(&self) -> bool {
        is_shown(&self.path)
    }

    /// How many results the journal has.
    pub(crate) fn count(&self) -> u64 {
        self.pages.count()
    }

    /// Goes on with the journal: writes the facts about the job, if they are new, and returns a
    /// reader of earlier results and a writer of further ones.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub(crate) fn go_on(self, facts: JobFacts) -> anyhow::Result<(Replay, Writer)> {
        let named = || format!("--journal {}: cannot be written", self.path.display());
        keep_private(&self.file).with_context(|| {
            format!("--journal {}: cannot be made private", self.path.display())
        })?;
        if self.cut > 0 {
            self.file.set_len(self.length).with_context(named)?;
        }
        let mut writer = Writer::new(self.file.clone(), self.format, self.length);
        if self.length == 0 {
            writer.push_bytes(&self.format.header());
        }
        // Without these facts the results are of no use, so a damaged byte must not cost them.
        let record = Record::Job(facts);
        writer.push(&record);
        writer.push(&record);
        writer.write(Instant::now()).and_then(|()| writer.sync()).with_context(named)?;
        if self.length == 0 {
            sync_folder(&self.path);
        }
        let Self { file, format, length, pages, filter, distrusted, .. } = self;
        let journal = ReadJournal { file, format, length, pages, filter, distrusted };
        Ok((Replay::new(journal), writer))
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes the file private, because it holds the join token. (Some file systems have no
/// permissions.)
fn keep_private(file: &File) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        match file.set_permissions(PermissionsExt::from_mode(0o600)) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
            other => return other,
        }
    }
    let _ = file;
    Ok(())
}

/// Whether the file belongs to the user of this process.
fn is_ours(about: &Metadata) -> bool {
    #[cfg(unix)]
    return std::os::unix::fs::MetadataExt::uid(about) == rustix::process::geteuid().as_raw();
    #[cfg(not(unix))]
    return about.is_file();
}

/// Whether other users can read the file at `path`.
pub(crate) fn is_shown(path: &Path) -> bool {
    #[cfg(unix)]
    return path
        .metadata()
        .is_ok_and(|about| std::os::unix::fs::MetadataExt::mode(&about) & 0o077 != 0);
    #[cfg(not(unix))]
    return !path.is_file();
}

/// Locks the file. A run that was just killed may not have released its lock yet.
fn lock(file: &File, patience: Duration) -> anyhow::Result<()> {
    let start = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            // Some network file systems have no locks.
            Err(TryLockError::Error(_)) => return Ok(()),
            Err(TryLockError::WouldBlock) if start.elapsed() < patience => {
                std::thread::sleep(Duration::from_millis(20))
            }
            Err(TryLockError::WouldBlock) => {
                bail!("another run uses it: wait until that run ends, or name another file")
            }
        }
    }
}

/// Syncs the folder of a new file, because the file's name is only durable after that.
fn sync_folder(path: &Path) {
    #[cfg(unix)]
    {
        let folder =
            path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
    #[cfg(not(unix))]
    let _ = path;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Known, ResultRecord, digest};

    fn facts() -> JobFacts {
        JobFacts { function: "f".into(), ..JobFacts::default() }
    }

    /// Appends results of values whose names are their indexes.
    fn append(
        path: &Path,
        indexes: impl IntoIterator<Item = u64>,
        result: impl Fn(u64) -> Vec<u8>,
    ) {
        let (_, mut writer) = open(path, Duration::ZERO).unwrap().go_on(facts()).unwrap();
        for index in indexes {
            let (input, bytes) = (digest(&index.to_le_bytes()), result(index));
            writer.push(&Record::Result(ResultRecord {
                index,
                input,
                in_file: None,
                only_by: None,
                bytes: &bytes,
            }));
        }
        writer.write(Instant::now()).unwrap();
    }

    #[test]
    fn results_are_found_whatever_the_order_of_their_writing_and_the_last_one_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let mut order: Vec<u64> = (0..20_000).filter(|index| index % 1000 != 7).collect();
        fastrand::Rng::with_seed(3).shuffle(&mut order[..10_000]);
        append(&path, order, |index| format!("first {index}").into());
        append(&path, [7, 12_007, 5], |index| format!("second {index}").into());
        let opened = open(&path, Duration::ZERO).unwrap();
        assert_eq!(
            (opened.count(), opened.cut, opened.facts.as_ref()),
            (20_000 - 20 + 3, 0, Some(&facts()))
        );
        let (mut replay, _writer) = opened.go_on(facts()).unwrap();
        for index in 0..20_000 {
            let found = replay.look_up(&digest(&u64::to_le_bytes(index)), None).unwrap();
            let expected = match index {
                7 | 12_007 | 5 => Known::Result(format!("second {index}").into()),
                _ if index % 1000 == 7 => Known::Nothing,
                _ => Known::Result(format!("first {index}").into()),
            };
            assert_eq!(found, expected, "{index}");
        }
        assert!(replay.is_by_position());
        assert_eq!(replay.look_up(&digest(b"other"), None).unwrap(), Known::Nothing);
    }

    #[test]
    fn a_torn_tail_is_cut_off_and_what_follows_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        append(&path, [0], |_| b"whole".to_vec());
        let whole = std::fs::read(&path).unwrap();
        append(&path, [1], |_| b"torn".to_vec());
        let all = std::fs::read(&path).unwrap();
        for end in whole.len()..all.len() {
            std::fs::write(&path, &all[..end]).unwrap();
            let complete = crate::journal::read(&all[..end]).unwrap().whole;
            assert_eq!(open(&path, Duration::ZERO).unwrap().cut, end as u64 - complete);
            append(&path, [1], |_| b"again".to_vec());
            assert_eq!(open(&path, Duration::ZERO).unwrap().count(), 2);
        }
        // An incomplete header contains no results, so nothing is lost.
        let header = Format::of(&whole).unwrap().header();
        for end in 0..header.len() {
            std::fs::write(&path, &header[..end]).unwrap();
            append(&path, [0], |_| b"new".to_vec());
            assert_eq!(open(&path, Duration::ZERO).unwrap().count(), 1);
        }
    }

    #[test]
    fn it_is_one_run_s_at_a_time_and_nobody_else_s() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let first = open(&path, Duration::ZERO).unwrap();
        assert!(
            format!("{:#}", open(&path, Duration::ZERO).unwrap_err())
                .contains("another run uses it")
        );
        drop(first);
        drop(open(&path, Duration::ZERO).unwrap());
        #[cfg(unix)]
        assert_eq!(
            std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions())
                & 0o777,
            0o600
        );
    }

    #[test]
    fn a_file_that_is_something_else_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("results");
        std::fs::write(&path, "1\n4\n9\n").unwrap();
        assert!(
            format!("{:#}", open(&path, Duration::ZERO).unwrap_err()).contains("not a journal")
        );
        assert_eq!(std::fs::read(&path).unwrap(), b"1\n4\n9\n");
        assert!(open(folder.path(), Duration::ZERO).is_err());
    }
}
