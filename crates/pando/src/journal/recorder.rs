//! Adds results to a journal as they come, in a thread of its own: nobody waits for a disk while others wait for him.

use super::{Item, Record, Writer, digest};
use crate::threads;
use bytes::Bytes;
use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Results are gathered for so long, so that a thousand small ones a second cost no thousand writes.
const GATHER: Duration = Duration::from_millis(20);
/// As many bytes as are written at once.
const BLOCK: usize = 256 << 10;
/// With more bytes waiting, the output waits too, and then all else.
const MOST_WAITING: usize = 64 << 20;

/// Writes a result to its file, whole or not at all.
pub type Store = fn(&Path, &[u8]) -> io::Result<()>;

/// A value and its result.
#[derive(Debug)]
pub struct Entry {
    /// The value's position, from 0.
    pub index: u64,
    /// The value.
    pub value: Bytes,
    /// Its result.
    pub result: Bytes,
    /// The file that the result goes into.
    pub target: Option<PathBuf>,
}

/// See the module.
#[derive(Debug)]
pub struct Recorder {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// There is something to do.
    work: Condvar,
    /// Something was done.
    done: Condvar,
}

#[derive(Debug, Default)]
struct State {
    entries: Vec<Entry>,
    /// Since when the first of them waits.
    since: Option<Instant>,
    /// Bytes of the entries, those that are being written included.
    bytes: usize,
    recorded: u64,
    written: u64,
    /// Somebody waits.
    urgent: bool,
    /// What this run has recorded is taken back.
    abandoned: bool,
    closing: bool,
    failed: Option<Unwritten>,
}

/// Results cannot be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unwritten {
    /// The results of values before this position are.
    pub first: u64,
    /// Why.
    pub why: String,
}

impl Recorder {
    /// Adds to the journal called `name` by `writer`, and writes results that go into files by `store`. When something cannot be
    /// written, `failed` is told why, once, and nothing more is.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(
        name: &Path,
        mut writer: Writer,
        store: Store,
        failed: impl FnOnce(String) + Send + 'static,
    ) -> io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let (working, name) = (shared.clone(), name.display().to_string());
        let thread = threads::spawn("journal", move || {
            let Err(unwritten) = working.work_off(&mut writer, &name, store) else { return };
            // What came before it may still find its place.
            let _ = writer.write(Instant::now()).and_then(|()| writer.sync());
            let why = unwritten.why.clone();
            working.fail(unwritten);
            failed(why);
        })?;
        Ok(Self { shared, thread: Mutex::new(Some(thread)) })
    }

    /// Adds a result. Never waits for the disk.
    pub fn record(&self, entry: Entry) {
        let mut state = self.shared.lock();
        if let Some(unwritten) = &mut state.failed {
            unwritten.first = unwritten.first.min(entry.index);
            return;
        }
        if state.abandoned && entry.target.is_none() {
            return;
        }
        let before = state.bytes;
        state.bytes += entry.bytes();
        state.recorded += 1;
        state.entries.push(entry);
        let first = state.since.is_none();
        state.since.get_or_insert_with(Instant::now);
        if first || before < BLOCK && state.bytes >= BLOCK {
            self.shared.work.notify_one();
        }
    }

    /// Waits while too much is to be written. Once something cannot be written, nobody waits any more.
    pub fn keep_up(&self) {
        let _ = self.shared.wait(|state| state.bytes <= MOST_WAITING);
    }

    /// Waits until all that was recorded so far is written: in the journal, and in files.
    ///
    /// # Errors
    /// When some of it cannot be: which, and why.
    pub fn written(&self) -> Result<(), Unwritten> {
        let recorded = self.shared.lock().recorded;
        self.shared.wait(|state| state.written >= recorded)
    }

    /// Takes back what was recorded: it belongs to other values. Nothing more is; files are written on.
    pub fn abandon(&self) {
        let mut state = self.shared.lock();
        (state.abandoned, state.urgent) = (true, true);
        self.shared.work.notify_one();
    }

    /// Waits until all is written and synced. Nothing more is.
    ///
    /// # Errors
    /// When something could not be written: why.
    pub fn finish(&self) -> Result<(), String> {
        self.shared.lock().closing = true;
        self.shared.work.notify_one();
        let thread = self.thread.lock().expect("nobody panics with it").take();
        // The thread itself may be the last to know the master.
        let thread = thread.filter(|thread| thread.thread().id() != thread::current().id());
        if thread.is_some_and(|thread| thread.join().is_err()) {
            return Err("the thread that writes the journal died".into());
        }
        self.shared.lock().failed.as_ref().map_or(Ok(()), |unwritten| Err(unwritten.why.clone()))
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

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics with it")
    }

    fn wait(&self, until: impl Fn(&State) -> bool) -> Result<(), Unwritten> {
        let mut state = self.lock();
        while !until(&state) {
            if let Some(unwritten) = &state.failed {
                return Err(unwritten.clone());
            }
            if state.closing {
                return Ok(());
            }
            state.urgent = true;
            self.work.notify_one();
            state = self.done.wait(state).expect("nobody panics with it");
        }
        Ok(())
    }

    fn fail(&self, mut unwritten: Unwritten) {
        let mut state = self.lock();
        let waiting = std::mem::take(&mut state.entries);
        unwritten.first = waiting.iter().map(|entry| entry.index).fold(unwritten.first, u64::min);
        state.failed = Some(unwritten);
        self.done.notify_all();
    }

    /// Writes entries until this is closed.
    fn work_off(&self, writer: &mut Writer, name: &str, store: Store) -> Result<(), Unwritten> {
        let start = writer.length();
        let failed = |error: io::Error| {
            format!(
                "the journal {name} cannot be written: {error}. \
                 What is in it stays usable: make room or mend it, then give the same command again"
            )
        };
        loop {
            let Work { entries, bytes, abandoned, last } = self.wait_for_work(writer.due());
            let (count, mut entries) = (entries.len() as u64, entries.into_iter());
            if abandoned && writer.length() > start {
                writer.cut_back(start);
            }
            while let Some(entry) = entries.next() {
                if let Err(Failed(target, error)) = write_entry(writer, &entry, store, abandoned) {
                    let first = entries.map(|entry| entry.index).fold(entry.index, u64::min);
                    let why = match target {
                        Some(target) => format!("{} cannot be written: {error}", target.display()),
                        None => failed(error),
                    };
                    return Err(Unwritten { first, why });
                }
            }
            let none_of_these = |error| Unwritten { first: u64::MAX, why: failed(error) };
            let now = Instant::now();
            writer.write(now).map_err(none_of_these)?;
            self.account(count, bytes);
            if last || writer.due().is_some_and(|due| due <= now) {
                writer.sync().map_err(none_of_these)?;
            }
            if last {
                return Ok(());
            }
        }
    }

    /// Waits until there is something to write or to sync.
    fn wait_for_work(&self, due: Option<Instant>) -> Work {
        let mut state = self.lock();
        while !(state.closing || state.urgent || state.bytes >= BLOCK) {
            let until = [state.since.map(|since| since + GATHER), due].into_iter().flatten().min();
            state = match until.map(|until| until.saturating_duration_since(Instant::now())) {
                None => self.work.wait(state).expect("nobody panics with it"),
                Some(Duration::ZERO) => break,
                Some(time) => self.work.wait_timeout(state, time).expect("nobody panics with it").0,
            };
        }
        (state.since, state.urgent) = (None, false);
        let entries = std::mem::take(&mut state.entries);
        Work { entries, bytes: state.bytes, abandoned: state.abandoned, last: state.closing }
    }

    /// So much is written.
    fn account(&self, count: u64, bytes: usize) {
        let mut state = self.lock();
        state.written += count;
        state.bytes -= bytes;
        self.done.notify_all();
    }
}

/// What is to be written, and whether it is only files, and the last.
struct Work {
    entries: Vec<Entry>,
    bytes: usize,
    abandoned: bool,
    last: bool,
}

/// Which file cannot be written, if it is not the journal, and why.
struct Failed(Option<PathBuf>, io::Error);

fn write_entry(writer: &mut Writer, entry: &Entry, store: Store, only_file: bool) -> Result<(), Failed> {
    let Entry { index, value, result, target } = entry;
    let in_file = target.as_ref().map(|_| digest(result));
    let bytes = match target {
        Some(target) => {
            store(target, result).map_err(|error| Failed(Some(target.clone()), error))?;
            target.as_os_str().as_encoded_bytes()
        }
        None => result,
    };
    if only_file {
        return Ok(());
    }
    writer.push(&Record::Item(Item { index: *index, input: digest(value), in_file, bytes }));
    if writer.pending() >= BLOCK {
        writer.write(Instant::now()).map_err(|error| Failed(None, error))?;
    }
    Ok(())
}
