//! One run: the state behind its lock, and whoever waits for a change of the state.
//!
//! One lock guards the state ([`RunState`]). It is taken once per frame, and never held while
//! waiting. Whoever changes something wakes those whom the change concerns before letting go
//! ([`Master::with`]).

use super::{
    gallery::Gallery,
    items::Ending,
    job::Job,
    policy::Decision,
    registry::{DeviceKey, News},
    resume::Resume,
    state::{RunState, Wakes},
};
use crate::{
    console::{Console, printable},
    events::Events,
    protocol::Path,
};
use futures_util::task::AtomicWaker;
use serde_json::json;
use std::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Instant,
};
use stream_lender::SubStreamId;
use tokio::sync::{Notify, watch};

/// One run, shared by its threads and tasks.
pub(crate) struct Master {
    /// The function, the options and the limits of this run.
    pub(crate) job: Job,
    /// The console on standard error.
    pub(crate) console: Console,
    /// The stream of events (`--events`).
    pub(crate) events: Events,
    /// The results for people who look at them.
    pub(crate) gallery: Arc<Gallery>,
    /// How the owner of the run wants it to end, if early.
    stop: watch::Sender<Option<StopRequest>>,
    state: Mutex<RunState>,
    /// Held once here, and by each socket of a volunteer.
    sockets: Arc<()>,
    waiting: Waiting,
    /// Whether back-pressure applies to results: a copy of what `state` knows, readable without
    /// the lock.
    holds_back: AtomicBool,
    /// Results of an earlier run, for the reader of the input.
    resume: Mutex<Option<Resume>>,
    /// Whether the warning about rounded numbers in the input has been printed.
    rounding_told: AtomicBool,
}

/// How the owner of a run wants it to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum StopRequest {
    /// No more input is read, and the items read so far are finished.
    Finish,
    /// The run ends now.
    Now,
}

/// Whoever waits for a change.
#[derive(Default)]
struct Waiting {
    /// Wakes the reader of the input: `input` if the reader is a thread, `input_task` if it is a
    /// task.
    input: Condvar,
    input_task: AtomicWaker,
    /// Wakes the writer of the output: `output` if the writer is a thread, `output_task` if it is
    /// a task.
    output: Condvar,
    output_task: AtomicWaker,
    /// Wakes the task that confirms results.
    confirmer: Notify,
    /// Wakes the task that compares results.
    comparer: Notify,
}

impl Master {
    /// Creates a run of `job`, before any input is read.
    pub(crate) fn new(job: Job, console: Console, events: Events) -> Arc<Self> {
        let state = Mutex::new(RunState::new(&job));
        Arc::new(Self {
            job,
            console,
            events,
            gallery: Arc::default(),
            stop: watch::Sender::new(None),
            state,
            sockets: Arc::default(),
            waiting: Waiting::default(),
            holds_back: AtomicBool::new(false),
            resume: Mutex::new(None),
            rounding_told: AtomicBool::new(false),
        })
    }

    /// Runs `act` under the lock, then wakes the tasks and threads that `act` gave work.
    pub(super) fn with<R>(&self, act: impl FnOnce(&mut RunState) -> R) -> R {
        let mut state = self.lock();
        let result = act(&mut state);
        self.wake(&mut state);
        result
    }

    /// Locks the state, for what changes nothing that others wait for.
    pub(super) fn lock(&self) -> MutexGuard<'_, RunState> {
        self.state.lock().unwrap_or_else(|_| {
            // The panic has been reported already. The waiting threads are woken, because nothing
            // else would wake them.
            self.waiting.output.notify_all();
            self.waiting.input.notify_all();
            panic!("another task panicked while it held the lock")
        })
    }

    /// Wakes the tasks and threads that have work.
    pub(super) fn wake(&self, state: &mut RunState) {
        let Wakes { input, confirmer, comparer, output, holds_back } = state.take_wakes(&self.job);
        if input {
            self.waiting.input.notify_one();
            self.waiting.input_task.wake();
        }
        if confirmer {
            self.waiting.confirmer.notify_one();
        }
        if comparer {
            self.waiting.comparer.notify_one();
        }
        if output {
            self.waiting.output.notify_one();
            self.waiting.output_task.wake();
        }
        self.note_back_pressure(holds_back);
    }

    /// Wakes the sessions whose channels may be read again.
    pub(super) fn resume_channels(&self, state: &mut RunState) {
        let holds_back = state.resume_channels();
        self.note_back_pressure(holds_back);
    }

    fn note_back_pressure(&self, holds_back: Option<bool>) {
        let Some(holds_back) = holds_back else { return };
        let before = self.holds_back.swap(holds_back, Ordering::Relaxed);
        if self.job.explains && before != holds_back {
            self.console.say(match holds_back {
                true => "256 MiB of results wait: further results wait at their devices, except those of the device with the oldest item",
                false => "few results wait: the results of all devices are taken again",
            });
        }
    }

    /// Results of an earlier run, for the reader of the input.
    pub(super) fn resume(&self) -> MutexGuard<'_, Option<Resume>> {
        self.resume.lock().expect("nobody panics with it")
    }

    /// Whether the warning about rounded numbers has been printed.
    pub(super) fn is_rounding_told(&self) -> bool {
        self.rounding_told.load(Ordering::Relaxed)
    }

    /// Notes that the warning about rounded numbers is printed, and returns whether this is the
    /// first time.
    pub(super) fn tell_rounding(&self) -> bool {
        !self.rounding_told.swap(true, Ordering::Relaxed)
    }
}

/// Waiting.
impl Master {
    /// Waits until `is_due`, in the thread that reads the input.
    pub(super) fn wait_for_input(&self, is_due: impl Fn(&RunState) -> bool) {
        let mut state = self.lock();
        while !is_due(&state) {
            let waiting = self.waiting.input.wait(state);
            state = waiting.expect("no task panics while it holds the lock");
        }
    }

    /// Wakes the task of `context` when input is wanted.
    pub(super) fn wake_for_input(&self, context: &Context<'_>) {
        self.waiting.input_task.register(context.waker());
    }

    /// Waits for output, in the thread that writes the output.
    pub(super) fn wait_for_output<'a>(
        &self,
        mut state: MutexGuard<'a, RunState>,
    ) -> MutexGuard<'a, RunState> {
        state.output_waits();
        self.waiting.output.wait(state).expect("no task panics while it holds the lock")
    }

    /// Wakes the task of `context` when output is available.
    pub(super) fn wake_for_output<T>(
        &self,
        state: &mut RunState,
        context: &Context<'_>,
    ) -> Poll<T> {
        state.output_waits();
        self.waiting.output_task.register(context.waker());
        Poll::Pending
    }

    /// Waits until results wait for confirmation.
    pub(super) async fn wait_for_results(&self) {
        self.waiting.confirmer.notified().await;
    }

    /// Waits until results wait to be compared.
    pub(super) async fn wait_for_comparison(&self) {
        self.waiting.comparer.notified().await;
    }
}

/// For sessions.
impl Master {
    /// Takes the news for a session, and returns how many values more there is room for.
    pub(super) fn take_news(&self, sub: SubStreamId) -> (News, usize) {
        self.lock().take_news(sub)
    }

    /// Pauses the reading of a session's channel, if back-pressure demands this: the session is
    /// woken when it ends. Returns whether the channel may be read.
    pub(super) fn pause_channel_if_due(&self, sub: SubStreamId) -> bool {
        !self.holds_back.load(Ordering::Relaxed) || self.lock().pause_channel_if_due(sub)
    }
}

/// For the program around the run.
impl Master {
    /// Sets the URL where tabs join, for messages that ask people to open tabs.
    pub(crate) fn say_where(&self, url: &str) {
        self.lock().set_url(url);
    }

    /// Returns the message for a function which tabs may load, but this machine's cores cannot,
    /// because of `why`.
    pub(crate) fn cannot_compute(&self, why: &str) -> String {
        self.lock().retries().cannot_compute(why)
    }

    /// Ends the output at once, because results cannot be trusted; `why` tells the reason.
    pub(crate) fn mistrust(&self, why: &str) {
        self.with(|state| state.mistrust(why.into()));
    }

    /// Lines about failures that were counted and not told, at the end of the run.
    pub(crate) fn last_words(&self) -> Vec<String> {
        self.lock().retries().last_words()
    }

    /// Ends the run and tells every volunteer so.
    pub(crate) fn finish(&self) {
        self.lock().finish();
    }

    /// The number of connected volunteers.
    pub(crate) fn volunteers(&self) -> usize {
        self.lock().registry().len()
    }

    /// A mark for a volunteer's socket, to be held until its last frames are sent.
    pub(crate) fn socket(&self) -> Arc<()> {
        self.sockets.clone()
    }

    /// The number of sockets that are open, also after their volunteers are gone.
    pub(crate) fn sockets(&self) -> usize {
        Arc::strong_count(&self.sockets) - 1
    }

    /// Whether any device other than this machine's own cores has joined.
    pub(crate) fn has_had_guests(&self) -> bool {
        self.lock().registry().has_had_guests()
    }

    /// Stops reading the input. Items read so far are finished.
    pub(crate) fn interrupt(&self) {
        self.with(RunState::interrupt);
    }

    /// The number of items read and not yet output, and the number of connected devices.
    pub(crate) fn unfinished(&self) -> (usize, usize) {
        let state = self.lock();
        let devices = state.registry().devices().filter(|device| !device.is_replaced()).count();
        (state.unfinished(), devices)
    }

    /// Ends the run as its owner wants.
    pub(crate) fn request_stop(&self, request: StopRequest) {
        self.interrupt();
        if request == StopRequest::Now {
            self.give_up();
        }
        self.stop.send_modify(|stop| *stop = (*stop).max(Some(request)));
    }

    /// Waits until the owner of the run wants at least `request`.
    pub(crate) async fn stop_requested(&self, request: StopRequest) {
        let mut stop = self.stop.subscribe();
        let _ = stop.wait_for(|stop| *stop >= Some(request)).await;
    }

    /// Applies a decision of the owner about the device with this number.
    ///
    /// # Errors
    /// When the decision is not possible, with a sentence for people.
    pub(crate) fn decide(
        &self,
        number: u64,
        decision: Decision,
        now: Instant,
    ) -> Result<(), &'static str> {
        let line = self.with(|state| state.decide((number, decision), &self.job, now))?;
        line.into_iter().for_each(|line| self.console.say(printable(&line)));
        let decision = format!("{decision:?}").to_lowercase();
        self.events.write("owner", json!({"id": number.to_string(), "decision": decision}));
        Ok(())
    }

    /// Whether the owner of the run has sent away the device with this identifier.
    pub(super) fn is_removed(&self, device: &str) -> bool {
        let key = DeviceKey { device: device.into(), local: false };
        self.lock().registry().rule(&key).removed
    }

    /// Whether the hello of a device over `path` comes late: another channel of the device, which
    /// was opened afterwards, is in use.
    pub(super) fn is_outrun(&self, device: &str, path: Path, now: Instant) -> bool {
        let key = DeviceKey { device: device.into(), local: false };
        let state = self.lock();
        state.registry().connected(&key).is_some_and(|device| device.has_outrun(path, now))
    }

    /// Whether the items read so far can be finished by the connected devices.
    pub(crate) fn gets_on(&self, now: Instant) -> bool {
        self.lock().gets_on(now)
    }

    /// Drops the first item without a result and all later ones. Earlier results are still output.
    pub(crate) fn give_up(&self) {
        self.with(RunState::give_up);
    }

    /// How the run ends if nobody takes its output.
    pub(crate) fn unread(&self) -> Ending {
        self.lock().unread()
    }
}
