//! The master: lends the values of the input to volunteers and writes their results to the output,
//! in order.
//!
//! One lock guards the lender and its bookkeeping ([`Core`]). One task per volunteer ([`attend`])
//! takes values and delivers results, a frame at a time. Two threads read the input
//! ([`feed`](Master::feed)) and write the output ([`drain`](Master::drain)).

mod attend;
mod backoff;
mod backpressure;
mod confirm;
mod failures;
mod feedback;
mod files;
mod fitness;
mod input;
mod limit;
mod missing;
mod numbers;
mod output;
mod postponed;
mod progress;
mod report;
mod resume;
mod send_state;
#[cfg(test)]
mod simulation;
mod speculation;
mod statistics;
mod stop;
mod stragglers;
mod stream;
mod unfit;
mod watch;

pub(crate) use attend::same_secret;
pub use attend::{Door, Page, attend};
pub(crate) use confirm::confirm;
pub(crate) use feedback::{FromProgram, ToProgram};
pub use files::Files;
pub(crate) use files::Use;
pub use input::{Cut, Framing, InputError, Unusable, items};
pub(crate) use missing::MissingFeature;
pub use output::{Ending, Values};
pub use statistics::Statistics;
pub use stop::Left;
pub use stragglers::recall_stragglers;
pub use watch::watch;

use crate::{
    cli::{BatchSize, OnError},
    console::Console,
    events::Events,
    journal::Recorder,
    protocol::{JobOptions, Path, Value},
    threads,
};
use backpressure::ResultBackPressure;
use bytes::Bytes;
use confirm::Unconfirmed;
use failures::Failures;
use feedback::Loop;
use fitness::DeviceKey;
use futures_util::task::AtomicWaker;
use input::InputQueue;
use pando_bundler::Bundle;
use postponed::PostponedFailures;
use resume::Resume;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    path::PathBuf,
    sync::{Arc, Condvar, Mutex, MutexGuard, atomic::AtomicBool},
    time::{Duration, Instant},
};
use stream_lender::{Index, Lender, Lent, Loan, SubStreamId, Window};
use tokio::sync::Notify;
use unfit::Devices;

/// The job of a run: its function and options, which stay the same from start to end.
#[derive(Debug, Clone)]
pub struct Job {
    /// A random identifier, different for each run.
    pub id: String,
    /// The function's bundle.
    pub function: Arc<Bundle>,
    /// The options sent to volunteers.
    pub options: JobOptions,
    /// How the input is cut into values and how results are separated.
    pub framing: Framing,
    /// Values per lent core that a device may hold.
    pub batch_size: BatchSize,
    /// Retries of an item after its first attempt.
    pub retries: u32,
    /// `--speculate`: idle devices get copies of values in progress elsewhere.
    pub speculate: bool,
    /// `--sync-stdio`: a program in the loop sends values and receives each result at once.
    pub sync: bool,
    /// `--confirm`: a result counts only after a command has confirmed it.
    pub confirms: bool,
    /// `--files`: values are names of files.
    pub files: Option<Arc<Files>>,
    /// The reaction to an item that failed on its last attempt.
    pub on_error: OnError,
    /// Only the cores of this machine can compute the function.
    pub local_only: bool,
    /// The window: the most values that are read and not yet output.
    pub window: usize,
    /// `--quiet`: output printed by the function is hidden.
    pub quiet: bool,
}

impl Job {
    /// Values per core: the fixed batch size, or else the calls open at a time.
    fn per_core(&self) -> u64 {
        match self.batch_size {
            BatchSize::Fixed(n) => n.into(),
            BatchSize::Auto => self.options.concurrency.into(),
        }
    }

    fn heartbeat(&self) -> Duration {
        Duration::from_millis(self.options.heartbeat)
    }

    /// How long a device may be silent or idle before the master suspects a fault: three
    /// heartbeats.
    fn silence_limit(&self) -> Duration {
        self.heartbeat() * 3
    }
}

/// One run, shared by its threads and tasks.
pub struct Master {
    /// The function, the options and the limits of this run.
    pub job: Job,
    /// The console on standard error.
    pub console: Console,
    /// The stream of events (`--events`).
    pub events: Events,
    core: Mutex<Core>,
    /// Results of an earlier run, for the reader of the input.
    resume: Mutex<Option<Resume>>,
    /// Whether the warning about rounded numbers in the input has been printed.
    rounding_told: AtomicBool,
    /// Whether back-pressure applies to results: a copy of the state in `core`, readable without
    /// the lock.
    holds_back: AtomicBool,
    /// Notified when results wait for confirmation.
    pub(crate) answered: Notify,
    /// Wakes the reader of the input: `input_wanted` if the reader is a thread, `input_task` if it
    /// is a task.
    input_wanted: Condvar,
    input_task: AtomicWaker,
    /// Wakes the writer of the output: `output_ready` if the writer is a thread, `output_task` if
    /// it is a task.
    output_ready: Condvar,
    output_task: AtomicWaker,
}

/// The state guarded by the lock.
pub(crate) struct Core {
    /// Lends the values. The result of an item that failed and is left out is `None`.
    pub(crate) lender: Lender<Value, Option<Bytes>, InputError>,
    pub(crate) input: InputQueue,
    pub(crate) failures: Failures,
    /// Items whose final failure is postponed until other devices have had a chance.
    pub(crate) court: PostponedFailures,
    /// Bookkeeping about devices, including some that have left.
    pub(crate) devices: Devices,
    /// The state of the program in the loop (`--sync-stdio`).
    pub(crate) sync: Option<Loop>,
    /// Results that wait for confirmation (`--confirm`).
    pub(crate) unconfirmed: VecDeque<Unconfirmed>,
    /// The files for results of values that are read and not yet output (`--files`), in order.
    pub(crate) targets: VecDeque<PathBuf>,
    /// The writer of the journal (`--journal`).
    journal: Option<Arc<Recorder>>,
    /// More results of an earlier run may follow: the input is read even when no device asks.
    resuming: bool,
    /// The values read last need no computation. The input is then read even when no device asks,
    /// because the master must notice the end of the input without any volunteer.
    reads_on: bool,
    /// The connected volunteers in the order of their arrival, so that ties are always decided
    /// alike.
    pub(crate) seats: BTreeMap<SubStreamId, Device>,
    /// Volunteers whose channels are not read for a while.
    held_back: ResultBackPressure,
    /// Calls that a core has open at a time.
    pub(crate) calls_per_core: u64,
    /// Values of which a copy was lent (`--speculate`).
    speculated: BTreeSet<Index>,
    /// The oldest value that waits to be lent again, and the time since when it is the oldest.
    unwanted: Option<(Index, Instant)>,
    /// Devices whose channels were closed because they neither computed nor returned their values,
    /// with the length of their next rest. A device is removed when it answers a value.
    pub(crate) stuck: BTreeMap<String, Duration>,
    pub(crate) statistics: Statistics,
    /// The first signal has arrived: no more input is read.
    pub(crate) interrupted: bool,
    /// Values read but never output, because the run was told to stop.
    left: usize,
    /// Results taken by the writer of the output and not yet written.
    being_written: usize,
    /// The output cannot be written. Volunteers are told that this error ended the run.
    output_lost: bool,
    /// The writer of the output waits for a result.
    output_waits: bool,
    /// The run is over, and every volunteer is told so.
    pub(crate) finished: bool,
    /// Sessions that were opened since the start.
    pub(crate) joined: u64,
}

/// The part of a session that the rest of the master uses.
pub(crate) struct Device {
    pub(crate) name: String,
    pub(crate) device: String,
    pub(crate) who: DeviceKey,
    pub(crate) page: Page,
    pub(crate) cores: u32,
    /// The route of the channel.
    pub(crate) path: Path,
    /// Values of which this session has delivered the result.
    pub(crate) done: u64,
    /// Values missing at the session's last ask.
    pub(crate) missing_at_last_ask: usize,
    /// Wakes the session's task when values may be available.
    pub(crate) wake: Arc<Notify>,
    /// Ends the session's task, because the device came back on another channel.
    pub(crate) replaced: bool,
    /// Calls reported by the device as long.
    pub(crate) running: HashMap<Loan, watch::LongCall>,
    /// Loans to recall from the device.
    pub(crate) recalls: Vec<Loan>,
    /// The session asks for no values until other devices have had a chance at the recalled
    /// values.
    pub(crate) waits_after_recall: bool,
    /// The time of the last recall.
    pub(crate) recalled: Option<Instant>,
    /// Whether the device works on its values.
    pub(crate) progress: progress::Progress,
    /// The device is lent nothing or one value at a time: it is unfit, or in doubt while a better
    /// device is connected or may come.
    pub(crate) stands_back: bool,
    /// Closes the channel, because the device neither computes nor returns its values.
    pub(crate) stuck: bool,
    /// Values to send although the session did not ask for them: copies of values held by another
    /// device, and values which this device failed and no other device takes.
    pub(crate) copies: Vec<Lent<Value>>,
    /// Values that this device computes although it does not hold the loan, with their bytes: its
    /// copies, and values for which another device's copy was faster.
    pub(crate) copies_in_flight: HashMap<Loan, u64>,
    /// The recent average time of a call, if any call has ended.
    pub(crate) each: Option<Duration>,
    /// Reports of the function since the last line about them.
    pub(crate) reports: report::Sum,
    /// Bytes of the result whose other parts are still to come.
    pub(crate) parts: u64,
    /// The last time when `parts` grew enough, and the value of `parts` then.
    pub(crate) flow: Option<(Instant, u64)>,
}

/// News for a session's task.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// The run is over.
    pub(crate) finished: bool,
    /// The device came back on another channel.
    pub(crate) replaced: bool,
    /// The device neither computes nor returns its values.
    pub(crate) stuck: bool,
    /// Loans to recall.
    pub(crate) recalls: Vec<Loan>,
    /// The session asks for no values until other devices have had a chance at the recalled
    /// values.
    pub(crate) waits_after_recall: bool,
    /// Values to send although the session did not ask for them.
    pub(crate) copies: Vec<Lent<Value>>,
}

impl Master {
    /// Creates a run of `job`, before any input is read.
    pub fn new(job: Job, console: Console, events: Events) -> Arc<Self> {
        let window = Window { items: job.window, ..Window::default() };
        let lender = Lender::with_weights(
            window,
            |value: &Value| value.bytes.len() as u64,
            |result: &Option<Bytes>| result.as_ref().map_or(0, |result| result.len() as u64),
        );
        let core = Core {
            lender,
            input: InputQueue::default(),
            failures: Failures::default(),
            court: PostponedFailures::default(),
            devices: Devices::new(job.heartbeat(), Instant::now()),
            sync: job.sync.then(|| Loop::new(job.per_core())),
            unconfirmed: VecDeque::new(),
            targets: VecDeque::new(),
            journal: None,
            resuming: false,
            reads_on: false,
            seats: BTreeMap::new(),
            held_back: ResultBackPressure::default(),
            speculated: BTreeSet::new(),
            unwanted: None,
            stuck: BTreeMap::new(),
            calls_per_core: job.options.concurrency.into(),
            statistics: Statistics::new(Instant::now()),
            interrupted: false,
            left: 0,
            being_written: 0,
            output_lost: false,
            output_waits: false,
            finished: false,
            joined: 0,
        };
        Arc::new(Self {
            job,
            console,
            events,
            core: Mutex::new(core),
            resume: Mutex::new(None),
            rounding_told: AtomicBool::new(false),
            holds_back: AtomicBool::new(false),
            answered: Notify::new(),
            input_wanted: Condvar::new(),
            input_task: AtomicWaker::new(),
            output_ready: Condvar::new(),
            output_task: AtomicWaker::new(),
        })
    }

    /// Runs `act` under the lock, then wakes the tasks and threads that `act` gave work.
    pub(crate) fn with<R>(&self, act: impl FnOnce(&mut Core) -> R) -> R {
        let mut core = self.lock();
        let result = act(&mut core);
        self.wake(&mut core);
        result
    }

    fn lock(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(|_| {
            // The panic has been reported already. The waiting threads are woken, because nothing
            // else would wake them.
            self.output_ready.notify_all();
            self.input_wanted.notify_all();
            panic!("another task panicked while it held the lock")
        })
    }

    fn wake(&self, core: &mut Core) {
        core.take_finished();
        while let Some(sub) = core.lender.next_wake() {
            if let Some(seat) = core.seats.get(&sub) {
                seat.wake.notify_one();
            }
        }
        if core.wants_input() {
            self.input_wanted.notify_one();
            self.input_task.wake();
        }
        if !core.unconfirmed.is_empty() {
            self.answered.notify_one();
        }
        self.let_go(core);
        core.ask_for_more();
        if core.output_waits
            && (core.lender.has_output() || core.sync.as_ref().is_some_and(Loop::has_said))
        {
            core.output_waits = false;
            self.output_ready.notify_one();
            self.output_task.wake();
        }
    }

    /// Sets the URL where tabs join, for messages that ask people to open tabs.
    pub(crate) fn say_where(&self, url: &str) {
        self.lock().devices.set_url(url);
    }

    /// Returns the message for a function which tabs may load, but this machine's cores cannot,
    /// because of `why`.
    pub(crate) fn cannot_compute(&self, why: &str) -> String {
        self.lock().devices.cannot_compute("it", why)
    }

    /// Ends the run and tells every volunteer so.
    pub fn finish(&self) {
        let mut core = self.lock();
        core.finished = true;
        for seat in core.seats.values() {
            seat.wake.notify_one();
        }
    }

    /// Takes the news for the task of session `sub`.
    pub(crate) fn take_news(&self, sub: SubStreamId) -> News {
        let mut core = self.lock();
        let finished = core.finished;
        match core.seats.get_mut(&sub) {
            Some(seat) => News {
                finished,
                replaced: seat.replaced,
                stuck: seat.stuck,
                recalls: std::mem::take(&mut seat.recalls),
                waits_after_recall: seat.waits_after_recall,
                copies: std::mem::take(&mut seat.copies),
            },
            None => News { finished, ..News::default() },
        }
    }

    /// Returns the number of connected volunteers, and whether any volunteer ever joined.
    pub fn volunteers(&self) -> (usize, bool) {
        let core = self.lock();
        (core.seats.len(), core.joined > 0)
    }

    /// Provides the items of the command line as input.
    pub fn provide(self: &Arc<Self>, values: Vec<Cut>) {
        let master = self.clone();
        if let Err(error) = threads::spawn("items", move || master.feed_items(values)) {
            self.end_input(Err(InputError::new(threads::refused(&error))));
        }
    }
}
