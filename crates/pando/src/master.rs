//! The master: lends the input's values to volunteers and puts their results on the output, in order.
//!
//! One lock guards the lender and what belongs to it ([`Core`]). Volunteers' tasks ([`attend`]) take values and give
//! results by the frame; two threads of their own read the input ([`feed`]) and write the output ([`drain`]).

mod attend;
mod batch;
mod confirm;
mod court;
mod failures;
mod files;
mod fitness;
mod held_back;
mod input;
mod journaled;
mod lacks;
mod numbers;
mod output;
mod progress;
mod report;
mod rest;
mod seat;
#[cfg(test)]
mod simulation;
mod speculation;
mod statistics;
mod stop;
mod stragglers;
mod stream;
mod sync;
mod unfit;
mod watch;

pub(crate) use attend::same_secret;
pub use attend::{Door, Page, attend};
pub(crate) use confirm::confirm;
pub use files::Files;
pub(crate) use files::Use;
pub use input::{Cut, Framing, InputError, Unusable, items};
pub(crate) use lacks::Lack;
pub use output::{Ending, Values};
pub use statistics::Statistics;
pub use stop::Left;
pub use stragglers::recall_stragglers;
pub(crate) use sync::{Heard, Said};
pub use watch::watch;

use crate::{
    cli::{BatchSize, OnError},
    console::Console,
    events::Events,
    journal::Recorder,
    protocol::{JobOptions, Path, Value},
    threads,
};
use bytes::Bytes;
use confirm::Unconfirmed;
use court::Court;
use failures::Failures;
use fitness::Who;
use futures_util::task::AtomicWaker;
use held_back::HeldBack;
use input::InputQueue;
use journaled::Resume;
use pando_bundler::Bundle;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    path::PathBuf,
    sync::{Arc, Condvar, Mutex, MutexGuard, atomic::AtomicBool},
    time::{Duration, Instant},
};
use stream_lender::{Index, Lender, Lent, Loan, SubStreamId, Window};
use sync::Sync;
use tokio::sync::Notify;
use unfit::Devices;

/// What a run is about; the same from start to end.
#[derive(Debug, Clone)]
pub struct Job {
    /// Random, one per run.
    pub id: String,
    /// The function's bundle.
    pub function: Arc<Bundle>,
    /// What volunteers must know.
    pub options: JobOptions,
    /// How values and results are separated.
    pub framing: Framing,
    /// Values per lent core.
    pub batch_size: BatchSize,
    /// Attempts after the first.
    pub retries: u32,
    /// Idle devices are lent values that others are still at.
    pub speculate: bool,
    /// A program in the loop gives values and takes results as they come.
    pub sync: bool,
    /// Results count only once they are confirmed.
    pub confirms: bool,
    /// Values are the names of files.
    pub files: Option<Arc<Files>>,
    /// What follows when these were in vain.
    pub on_error: OnError,
    /// Only this machine's cores can compute it.
    pub local_only: bool,
    /// Values read and not yet output, at most.
    pub window: usize,
    /// Hide what the function prints.
    pub quiet: bool,
}

impl Job {
    /// Values that a core has at a time, where that is fixed.
    fn per_core(&self) -> u64 {
        match self.batch_size {
            BatchSize::Fixed(n) => n.into(),
            BatchSize::Auto => self.options.concurrency.into(),
        }
    }

    fn heartbeat(&self) -> Duration {
        Duration::from_millis(self.options.heartbeat)
    }

    /// How long a device may be silent, or at nothing, before something is wrong with it.
    fn patience(&self) -> Duration {
        self.heartbeat() * 3
    }
}

/// One run. Shared by its threads and tasks.
pub struct Master {
    /// What it is about.
    pub job: Job,
    /// Standard error.
    pub console: Console,
    /// `--events`.
    pub events: Events,
    core: Mutex<Core>,
    /// Results of an earlier run, for who reads the input.
    resume: Mutex<Option<Resume>>,
    /// It was said that numbers of the input are rounded.
    rounding_told: AtomicBool,
    /// Results stay with the devices for now, but for some: as `core` has it, for who looks in passing.
    holds_back: AtomicBool,
    /// There are results to confirm.
    pub(crate) answered: Notify,
    /// Whoever reads the input: a thread, or a task.
    input_wanted: Condvar,
    input_task: AtomicWaker,
    /// Whoever takes the output: a thread, or a task.
    output_ready: Condvar,
    output_task: AtomicWaker,
}

/// What the lock guards.
pub(crate) struct Core {
    /// What has failed and is left out has a result too: none.
    pub(crate) lender: Lender<Value, Option<Bytes>, InputError>,
    pub(crate) input: InputQueue,
    pub(crate) failures: Failures,
    /// Items whose verdict waits for other devices.
    pub(crate) court: Court,
    /// What is known of devices, of some that have left as well.
    pub(crate) devices: Devices,
    /// The program in the loop (`--sync-stdio`).
    pub(crate) sync: Option<Sync>,
    /// Results that do not count yet (`--confirm`).
    pub(crate) unconfirmed: VecDeque<Unconfirmed>,
    /// Where the results of values read and not yet output go (`--files`), in order.
    pub(crate) targets: VecDeque<PathBuf>,
    /// Where results are kept (`--journal`).
    journal: Option<Arc<Recorder>>,
    /// Results of an earlier run are still to come: the input is read although nobody asks.
    resuming: bool,
    /// Nothing of what was read last is to be computed: that nothing follows it must be known without any volunteer.
    reads_on: bool,
    /// In the order of their coming, so that what is decided among equals is decided alike each time.
    pub(crate) seats: BTreeMap<SubStreamId, SeatEntry>,
    /// Volunteers that are not heard for a while.
    held_back: HeldBack,
    /// Calls that a core has open at a time.
    pub(crate) calls_per_core: u64,
    /// Values that were lent a second time (`--speculate`).
    speculated: BTreeSet<Index>,
    /// The oldest value that waits to be lent again, and since when it has been that.
    unwanted: Option<(Index, Instant)>,
    /// Devices whose channels were closed because they neither computed nor returned what they had, until they answer something; and
    /// for how long they are left alone when they come back.
    pub(crate) stuck: BTreeMap<String, Duration>,
    pub(crate) statistics: Statistics,
    /// The first signal came: read no more.
    pub(crate) interrupted: bool,
    /// Values that were read and are left without an output, since the run was to stop.
    left: usize,
    /// Results that whoever writes the output is at.
    being_written: usize,
    /// The output cannot be written: volunteers are told that the run ended because of that.
    output_lost: bool,
    /// Whoever takes the output waits for a result.
    output_waits: bool,
    /// The run is over: every volunteer is told so.
    pub(crate) finished: bool,
    /// Volunteers that ever joined.
    pub(crate) joined: u64,
}

/// What the rest of the master knows of one volunteer.
pub(crate) struct SeatEntry {
    pub(crate) name: String,
    pub(crate) device: String,
    pub(crate) who: Who,
    pub(crate) page: Page,
    pub(crate) cores: u32,
    /// How its channel reaches it.
    pub(crate) path: Path,
    /// Values and results done here.
    pub(crate) done: u64,
    /// Values that it asked for in vain.
    pub(crate) short: usize,
    /// Wakes its task: values may be there.
    pub(crate) wake: Arc<Notify>,
    /// Ends its task: the same device came back on another channel.
    pub(crate) replaced: bool,
    /// Long calls it told of: value, start, when next to speak of it.
    pub(crate) running: HashMap<Loan, watch::LongCall>,
    /// Values it is asked to give back.
    pub(crate) recalls: Vec<Loan>,
    /// Because others have nothing to do, and these have a go at them before it asks again.
    pub(crate) yields: bool,
    /// When it was last asked because of that.
    pub(crate) recalled: Option<Instant>,
    /// Whether it gets on with what it holds.
    pub(crate) progress: progress::Progress,
    /// It is lent nothing, or one value at a time: it is not fit, as far as is known, and others are there.
    pub(crate) stands_back: bool,
    /// Ends its channel: it neither computes nor returns what it was lent.
    pub(crate) stuck: bool,
    /// Values for it that it has not asked for: those that it is to compute although another device holds them, and those that it
    /// failed and that nobody else comes for.
    pub(crate) copies: Vec<Lent<Value>>,
    /// Values that it computes and does not hold, and their bytes: such copies, and what a copy elsewhere was faster with.
    pub(crate) strays: HashMap<Loan, u64>,
    /// Time of a call lately, if any has ended.
    pub(crate) each: Option<Duration>,
    /// Reports of its function since the last line about them.
    pub(crate) reports: report::Sum,
    /// Bytes of a result whose other parts are still to come.
    pub(crate) parts: u64,
    /// When there were how many of these, at the last sign that they get on.
    pub(crate) flow: Option<(Instant, u64)>,
}

/// What a volunteer's task must know.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    /// The run is over.
    pub(crate) finished: bool,
    /// The device came back on another channel.
    pub(crate) replaced: bool,
    /// It neither computes nor returns what it was lent.
    pub(crate) stuck: bool,
    /// Values to ask back.
    pub(crate) recalls: Vec<Loan>,
    /// Others have a go at those before it asks again.
    pub(crate) yields: bool,
    /// Values to compute besides those that it asked for.
    pub(crate) copies: Vec<Lent<Value>>,
}

impl Master {
    /// A run of `job` that nothing has been read for yet.
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
            court: Court::default(),
            devices: Devices::new(job.heartbeat(), Instant::now()),
            sync: job.sync.then(|| Sync::new(job.per_core())),
            unconfirmed: VecDeque::new(),
            targets: VecDeque::new(),
            journal: None,
            resuming: false,
            reads_on: false,
            seats: BTreeMap::new(),
            held_back: HeldBack::default(),
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

    /// Runs `act` under the lock, then wakes whoever has something to do because of it.
    pub(crate) fn with<R>(&self, act: impl FnOnce(&mut Core) -> R) -> R {
        let mut core = self.lock();
        let result = act(&mut core);
        self.wake(&mut core);
        result
    }

    fn lock(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(|_| {
            // Who panicked has said so. Whoever waits for more to happen waits in vain.
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
        if core.output_waits && (core.lender.has_output() || core.sync.as_ref().is_some_and(Sync::has_said)) {
            core.output_waits = false;
            self.output_ready.notify_one();
            self.output_task.wake();
        }
    }

    /// Tabs join at `url`: people are told so when it is for tabs to compute.
    pub(crate) fn say_where(&self, url: &str) {
        self.lock().devices.set_url(url);
    }

    /// What to say when this machine's cores cannot load the function for this reason, and tabs may.
    pub(crate) fn cannot_compute(&self, why: &str) -> String {
        self.lock().devices.cannot_compute("it", why)
    }

    /// The run is over: tells every volunteer.
    pub fn finish(&self) {
        let mut core = self.lock();
        core.finished = true;
        for seat in core.seats.values() {
            seat.wake.notify_one();
        }
    }

    /// What `sub` must know of the run now.
    pub(crate) fn standing(&self, sub: SubStreamId) -> Standing {
        let mut core = self.lock();
        let finished = core.finished;
        match core.seats.get_mut(&sub) {
            Some(seat) => Standing {
                finished,
                replaced: seat.replaced,
                stuck: seat.stuck,
                recalls: std::mem::take(&mut seat.recalls),
                yields: seat.yields,
                copies: std::mem::take(&mut seat.copies),
            },
            None => Standing { finished, ..Standing::default() },
        }
    }

    /// Volunteers connected now, and whether any ever joined.
    pub fn volunteers(&self) -> (usize, bool) {
        let core = self.lock();
        (core.seats.len(), core.joined > 0)
    }

    /// Values there at start: the command line's items.
    pub fn provide(self: &Arc<Self>, values: Vec<Cut>) {
        let master = self.clone();
        if let Err(error) = threads::spawn("items", move || master.feed_items(values)) {
            self.end_input(Err(InputError::new(threads::refused(&error))));
        }
    }
}
