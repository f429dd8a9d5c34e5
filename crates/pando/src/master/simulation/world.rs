//! The world of a run: the master, the devices, the links between them, and the clock.

use super::{
    clock::{Clock, Event, MS, SECOND},
    device::SimulatedDevice,
    gateway,
    io::{Sink, Source},
    journal::JournalFolder,
    link::Link,
    master_end::MasterEnd,
    model::Model,
    plan::Plan,
    seen::Seen,
    shaped::{RunShape, ShapedEnds},
    shared,
};
use crate::{
    config::FailureLimit,
    console::Console,
    events::Events,
    journal::{self, JobFacts},
    master::{
        items::Ending,
        job::Job,
        policy::{Unconfirmed, watch::Watcher},
        run::Master,
    },
    volunteer::CoreId,
};
use fastrand::Rng;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// How often the master looks for stragglers, in microseconds.
const LOOK: u64 = 100 * MS;

pub(super) struct World {
    pub(super) plan: Plan,
    pub(super) rng: Rng,
    /// The whims of the owner of the run, in one of five runs.
    pub(super) owner: Option<Rng>,
    /// Decides about gateways, in the runs that have some.
    pub(super) gateways: Option<Rng>,
    pub(super) clock: Clock,
    pub(super) master: Arc<Master>,
    pub(super) model: Model,
    pub(super) journal: Option<JournalFolder>,
    /// All devices, including devices which are gone.
    pub(super) devices: Vec<SimulatedDevice>,
    pub(super) links: Vec<Link>,
    /// Links whose hello has not been handled.
    pub(super) waiting: Vec<usize>,
    pub(super) master_ends: Vec<MasterEnd>,
    pub(super) source: Source,
    pub(super) sink: Sink,
    pub(super) reader_left: bool,
    /// Results with a running command.
    pub(super) confirming: Vec<Option<Unconfirmed>>,
    /// The device that lies in a run with spot checks is honest until it is proven.
    pub(super) sleeps: bool,
    pub(super) shape: RunShape,
    pub(super) shaped: Option<ShapedEnds>,
    watcher: Watcher,
    /// For each value, the number of devices which vanished with it.
    pub(super) vanished: Vec<u32>,
    /// The number of answers, which makes results unique.
    pub(super) answers: u64,
    pub(super) calm: bool,
    /// The input was edited between two runs.
    pub(super) edited: bool,
    /// The time by which the run must have ended.
    pub(super) deadline: u64,
    pub(super) ending: Option<Ending>,
    pub(super) seen: Seen,
    pub(super) verbose: bool,
}

impl World {
    pub(super) fn new(seed: u64, verbose: bool) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut plan = Plan::new(&mut rng);
        // One of four runs ends when too many items fail.
        plan.job.max_failures = (seed % 4 == 2).then_some(FailureLimit::Items(seed / 4 % 3));
        if shared::is_shared(seed) {
            plan.share(shared::trust(seed), (seed / 6).is_multiple_of(3), shared::sleeps(seed));
        }
        let shape = RunShape::of(seed);
        plan.shape(shape);
        let journal = plan.journal.then(JournalFolder::new);
        Self {
            master: start_master(&plan.job, journal.as_ref()),
            model: Model::new(
                plan.job.clone(),
                &plan.items,
                &BTreeMap::new(),
                shared::sleeps(seed),
            ),
            journal,
            rng,
            gateways: gateway::random(seed, plan.job.trust.as_ref()),
            owner: (seed % 5 == 2).then(|| Rng::with_seed(seed)),
            clock: Clock::default(),
            devices: Vec::new(),
            links: Vec::new(),
            waiting: Vec::new(),
            master_ends: Vec::new(),
            source: Source::default(),
            sink: Sink::default(),
            reader_left: false,
            confirming: Vec::new(),
            sleeps: shared::sleeps(seed),
            shape,
            shaped: ShapedEnds::of(&plan.job),
            watcher: Watcher::default(),
            vanished: vec![0; plan.items.len()],
            answers: 0,
            calm: false,
            edited: false,
            deadline: u64::MAX,
            ending: None,
            seen: Seen::default(),
            verbose,
            plan,
        }
    }

    /// Runs to the end, or panics on a violation of the model.
    pub(super) fn run(mut self) -> Seen {
        let Job { window, retries, speculate, confirms, on_error, batch_size, .. } = self.plan.job;
        say!(
            self,
            "{} values, window {window}, retries {retries}, speculate {speculate}, confirm {confirms}, {on_error:?}, {batch_size:?}",
            self.plan.items.len()
        );
        self.clock.after(self.plan.calm_at, Event::Calm);
        [Event::Look, Event::Watch, Event::Chaos]
            .into_iter()
            .for_each(|event| self.clock.after(0, event));
        self.begin_ends();
        self.settle();
        while self.ending.is_none() {
            let event = self.clock.next().expect("the master looks for stragglers");
            assert!(
                self.clock.now() < self.deadline,
                "it does not end: {:?}",
                self.master.lock().items().lender()
            );
            self.model.now = self.clock.now();
            self.handle(event);
            if self.settle() || !matches!(event, Event::Look | Event::Watch | Event::Timer) {
                self.check_books();
            }
        }
        self.settle();
        let whole = matches!(
            self.ending,
            Some(
                Ending::Complete
                    | Ending::SomeFailed(_)
                    | Ending::Interrupted
                    | Ending::InputFailed(_)
            )
        );
        self.check_the_end(whole);
        self.seen
    }

    fn handle(&mut self, event: Event) {
        if let Some(number) = event.of_device()
            && self.devices[number].frozen
        {
            return self.devices[number].deferred.push(event);
        }
        match event {
            Event::Up | Event::Timer => {}
            Event::Down(link) => self.hear(link),
            Event::Join(device) => self.join(device),
            Event::CallEnds(device, core, generation, loan) => {
                self.call_ends(device, core, generation, loan);
                self.serve(device);
            }
            Event::Flush(device, core, generation)
                if self.devices[device].workers[core].generation == generation =>
            {
                self.flush(device, core);
                self.serve(device);
            }
            Event::CoreReady(device, core, generation)
                if self.devices[device].workers[core].generation == generation
                    && !self.devices[device].idles =>
            {
                let id = CoreId { number: core, generation };
                self.devices[device].host.ready(id, self.clock.instant());
                self.serve(device);
            }
            Event::Flush(..) | Event::CoreReady(..) => {}
            Event::Wake(device) => self.wake(device),
            Event::Beat(device, link) => self.beat(device, link),
            Event::Thaw(device) => self.thaw(device),
            Event::Look => {
                self.model.look(&self.master.lock(), &mut self.seen);
                self.master.look_for_stragglers(self.clock.instant());
                self.look_behind(false);
                self.model.look(&self.master.lock(), &mut self.seen);
                self.clock.after(LOOK, Event::Look);
            }
            Event::Watch => {
                self.master.look_after(&mut self.watcher, self.clock.instant());
                self.look_behind(true);
                self.clock.after(SECOND, Event::Watch);
            }
            Event::Read => self.read(),
            Event::Take => self.take(),
            Event::Confirmed(at) => self.confirmed(at),
            Event::Chaos => self.disturb(),
            Event::Calm => self.calm_down(),
        }
    }
}

impl Event {
    /// The device which performs this event, unless frozen.
    fn of_device(self) -> Option<usize> {
        match self {
            Self::CallEnds(device, ..)
            | Self::Flush(device, ..)
            | Self::CoreReady(device, ..)
            | Self::Wake(device) => Some(device),
            _ => None,
        }
    }
}

/// Starts a master before any input is read, with the journal, if there is one.
pub(super) fn start_master(job: &Job, journal: Option<&JournalFolder>) -> Arc<Master> {
    let master = Master::new(job.clone(), Console::silent(), Events::default());
    if let Some(journal) = journal {
        let opened =
            journal::open(&journal.path(), Duration::ZERO).expect("the journal can be opened");
        master.keep_journal(opened, JobFacts::default()).expect("the journal can be written");
    }
    master
}
