//! Adds new results to a journal in a separate thread, so that no other thread waits for a disk.

mod writing;

use super::{DeviceMark, Record, Writer};
use crate::threads;
use bytes::Bytes;
use std::{
    io, mem,
    path::{Path, PathBuf},
    sync::{
        Arc, Condvar, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use writing::JournalThread;

/// How long results are gathered, so that a thousand small results a second do not cost a thousand
/// writes.
const GATHER: Duration = Duration::from_millis(20);
/// Bytes that are written at once.
const BLOCK: usize = 256 << 10;
/// Bytes of waiting results above which the output waits, and so in the end the whole run.
const MOST_WAITING: usize = 64 << 20;

/// Writes a result to a temporary file beside its target. The returned [`Commit`] moves the file to
/// its place; dropping the [`Commit`] removes the file.
pub(crate) type Store = Box<dyn Fn(&Path, &[u8]) -> io::Result<Commit> + Send>;

/// See [`Store`].
pub(crate) type Commit = Box<dyn FnOnce() -> io::Result<()> + Send>;

/// A value and its result.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The value's position, from 0.
    pub(crate) index: u64,
    /// The value.
    pub(crate) value: Bytes,
    /// The result of the value.
    pub(crate) result: Bytes,
    /// The file for the result, if the result goes into a file.
    pub(crate) target: Option<PathBuf>,
    /// The device, if the result counts on its word alone.
    pub(crate) only_by: Option<DeviceMark>,
}

/// Records results in a journal; see the module.
#[derive(Debug)]
pub(crate) struct Recorder {
    inner: Arc<RecorderInner>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug, Default)]
struct RecorderInner {
    backlog: Mutex<Backlog>,
    /// Signals that there is work for the thread.
    work: Condvar,
    /// Signals that the thread has finished some work.
    done: Condvar,
    /// Whether the journal's file was deleted.
    deleted: AtomicBool,
    /// Whether [`Recorder::take_deletion`] has reported the deletion.
    deletion_told: AtomicBool,
}

#[derive(Debug, Default)]
struct Backlog {
    entries: Vec<Entry>,
    /// Devices whose results do not count, and of which the journal does not know this yet.
    distrusted: Vec<DeviceMark>,
    /// The time since which the first entry waits.
    since: Option<Instant>,
    /// Bytes of the entries, including entries that are being written.
    bytes: usize,
    recorded: u64,
    written: u64,
    /// Whether a thread waits for the entries to be written.
    urgent: bool,
    /// Whether the records of this run are taken back.
    abandoned: bool,
    closing: bool,
    failed: Option<Unwritten>,
}

/// The error of results that could not be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unwritten {
    /// All results of values before this position are kept.
    pub(crate) first: u64,
    /// The reason, as text.
    pub(crate) why: String,
}

impl Unwritten {
    /// The same error, when the result of the value at `index` cannot be kept either.
    fn or(self, index: u64) -> Self {
        Self { first: self.first.min(index), ..self }
    }
}

impl Recorder {
    /// Starts to record to the journal called `name` with `writer`, and to store results in files
    /// with `store`. After the first failure nothing more is recorded, and `failed` is called with
    /// the reason.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub(crate) fn start(
        name: &Path,
        writer: Writer,
        store: Option<Store>,
        failed: impl FnOnce(String) + Send + 'static,
    ) -> io::Result<Self> {
        let inner = Arc::<RecorderInner>::default();
        let working = inner.clone();
        let mut writing =
            JournalThread { writer, name: name.display().to_string(), store, files: Vec::new() };
        let thread = threads::spawn("journal", move || {
            let Err(unwritten) = working.work_off(&mut writing) else { return };
            // Entries before the failed one may still be written.
            let _ = writing.writer.write(Instant::now()).and_then(|()| writing.writer.sync());
            let why = unwritten.why.clone();
            working.fail(unwritten);
            failed(why);
        })?;
        Ok(Self { inner, thread: Mutex::new(Some(thread)) })
    }

    /// Adds a result. Never waits for the disk.
    pub(crate) fn record(&self, entry: Entry) {
        let mut backlog = self.inner.lock();
        if let Some(unwritten) = &mut backlog.failed {
            unwritten.first = unwritten.first.min(entry.index);
            return;
        }
        if backlog.abandoned && entry.target.is_none() {
            return;
        }
        let before = backlog.bytes;
        backlog.bytes += entry.bytes();
        backlog.recorded += 1;
        backlog.entries.push(entry);
        let first = backlog.since.is_none();
        backlog.since.get_or_insert_with(Instant::now);
        if first || before < BLOCK && backlog.bytes >= BLOCK {
            self.inner.work.notify_one();
        }
    }

    /// Waits while too many bytes are unwritten. After a failure, this method never waits.
    pub(crate) fn keep_up(&self) {
        let _ = self.inner.wait(|backlog| backlog.bytes <= MOST_WAITING);
    }

    /// Waits until all results recorded so far are written, in the journal and in files.
    ///
    /// # Errors
    /// When some results cannot be kept: which ones, and why.
    pub(crate) fn written(&self) -> Result<(), Unwritten> {
        let recorded = self.inner.lock().recorded;
        self.inner.wait(|backlog| backlog.written >= recorded)
    }

    /// Takes back the results of this run, because they cannot be trusted. No further
    /// results are recorded, but files are still written.
    pub(crate) fn abandon(&self) {
        let mut backlog = self.inner.lock();
        (backlog.abandoned, backlog.urgent) = (true, true);
        self.inner.work.notify_one();
    }

    /// Notes that the results on the word of a device alone do not count.
    pub(crate) fn distrust(&self, device: DeviceMark) {
        let mut backlog = self.inner.lock();
        backlog.distrusted.push(device);
        backlog.urgent = true;
        self.inner.work.notify_one();
    }

    /// Takes the news that the journal's file was deleted, so that no later run can go on with it:
    /// true at most once.
    pub(crate) fn take_deletion(&self) -> bool {
        self.inner.deleted.load(Ordering::Relaxed)
            && !self.inner.deletion_told.swap(true, Ordering::Relaxed)
    }

    /// Waits until all results are written and synced. Later results are not recorded.
    ///
    /// # Errors
    /// When a result could not be written: the reason.
    pub(crate) fn finish(&self) -> Result<(), String> {
        self.inner.lock().closing = true;
        self.inner.work.notify_one();
        let thread = self.thread.lock().expect("nobody panics with it").take();
        // The recording thread itself may drop the last reference to the master.
        let thread = thread.filter(|thread| thread.thread().id() != thread::current().id());
        if thread.is_some_and(|thread| thread.join().is_err()) {
            return Err("the thread that writes the journal died".into());
        }
        self.inner.lock().failed.as_ref().map_or(Ok(()), |unwritten| Err(unwritten.why.clone()))
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        let _ = self.finish();
    }
}

impl Entry {
    fn bytes(&self) -> usize {
        self.value.len() + self.result.len() + size_of::<Self>()
    }
}

impl RecorderInner {
    fn lock(&self) -> MutexGuard<'_, Backlog> {
        self.backlog.lock().expect("nobody panics with it")
    }

    fn wait(&self, until: impl Fn(&Backlog) -> bool) -> Result<(), Unwritten> {
        let mut backlog = self.lock();
        while !until(&backlog) {
            if let Some(unwritten) = &backlog.failed {
                return Err(unwritten.clone());
            }
            if backlog.closing {
                return Ok(());
            }
            backlog.urgent = true;
            self.work.notify_one();
            backlog = self.done.wait(backlog).expect("nobody panics with it");
        }
        Ok(())
    }

    fn fail(&self, mut unwritten: Unwritten) {
        let mut backlog = self.lock();
        let waiting = mem::take(&mut backlog.entries);
        unwritten.first = waiting.iter().map(|entry| entry.index).fold(unwritten.first, u64::min);
        backlog.failed = Some(unwritten);
        self.done.notify_all();
    }

    /// Writes entries until the recorder is closed.
    fn work_off(&self, thread: &mut JournalThread) -> Result<(), Unwritten> {
        let start = thread.writer.length();
        loop {
            let Batch { entries, distrusted, bytes, abandoned, last } =
                self.wait_for_work(thread.writer.due());
            let (count, mut entries) = (entries.len() as u64, entries.into_iter());
            if abandoned && thread.writer.length() > start {
                thread.writer.cut_back(start);
            }
            while let Some(entry) = entries.next() {
                if let Err(unwritten) = thread.add(&entry, abandoned) {
                    let unwritten = entries.map(|entry| entry.index).fold(unwritten, Unwritten::or);
                    // Entries before the failed one may still be written.
                    return Err(thread
                        .settle(true)
                        .err()
                        .map_or(unwritten.clone(), |before| before.or(unwritten.first)));
                }
            }
            for device in distrusted.into_iter().filter(|_| !abandoned) {
                thread.writer.push(&Record::Distrust(device));
            }
            thread.settle(false)?;
            self.account(count, bytes);
            if last || thread.writer.due().is_some_and(|due| due <= Instant::now()) {
                thread.sync()?;
                self.deleted.fetch_or(thread.writer.is_deleted(), Ordering::Relaxed);
            }
            if last {
                return Ok(());
            }
        }
    }

    /// Waits until there are entries to write or a sync is due.
    fn wait_for_work(&self, due: Option<Instant>) -> Batch {
        let mut backlog = self.lock();
        while !(backlog.closing || backlog.urgent || backlog.bytes >= BLOCK) {
            let until =
                [backlog.since.map(|since| since + GATHER), due].into_iter().flatten().min();
            backlog = match until.map(|until| until.saturating_duration_since(Instant::now())) {
                None => self.work.wait(backlog).expect("nobody panics with it"),
                Some(Duration::ZERO) => break,
                Some(time) => {
                    self.work.wait_timeout(backlog, time).expect("nobody panics with it").0
                }
            };
        }
        (backlog.since, backlog.urgent) = (None, false);
        Batch {
            entries: mem::take(&mut backlog.entries),
            distrusted: mem::take(&mut backlog.distrusted),
            bytes: backlog.bytes,
            abandoned: backlog.abandoned,
            last: backlog.closing,
        }
    }

    /// Notes that `count` entries with `bytes` bytes are written.
    fn account(&self, count: u64, bytes: usize) {
        let mut backlog = self.lock();
        backlog.written += count;
        backlog.bytes -= bytes;
        self.done.notify_all();
    }
}

/// The entries to write; `abandoned`: only files are written; `last`: no more entries follow.
struct Batch {
    entries: Vec<Entry>,
    distrusted: Vec<DeviceMark>,
    bytes: usize,
    abandoned: bool,
    last: bool,
}
