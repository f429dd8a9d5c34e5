//! The host of a native volunteer, between a channel to the master and the cores of an engine.

use super::{
    core::{Core, CoreEvent, CoreEvents, CoreId, Engine},
    dispatch::{CrashOutcome, Dispatch},
};
use crate::{
    channel::Channel,
    duration::spoken,
    protocol::{
        self, Answer, Assembler, Beat, Binary, Cutter, Failure, Frame, Hello, Loan, LogEntry,
        Running, ToMaster, ToVolunteer, Welcome,
    },
};
use bytes::Bytes;
use pando_protocol::core::CoreMessage;
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};
use tokio::sync::mpsc;

/// Most failed starts of a core in a row: a core that dies this often before loading the function
/// is given up.
const MAX_FAILED_STARTS: u32 = 3;
/// How often the host looks for long calls, and whether the device slept.
const TICK: Duration = Duration::from_millis(250);

/// The description of a volunteer.
#[derive(Debug, Clone)]
pub(crate) struct Lend {
    /// The device's name, for people.
    pub(crate) name: String,
    /// The number of lent cores.
    pub(crate) cores: usize,
    /// The join token.
    pub(crate) token: String,
    /// A random id, kept as long as this process lives.
    pub(crate) device: String,
}

/// A core that is already ready, as number 0 of generation 0, with a receiver of messages.
#[derive(Debug)]
pub(crate) struct First {
    /// The core.
    pub(crate) core: Core,
    /// The messages of the core.
    pub(crate) said: mpsc::Receiver<(CoreId, CoreEvent)>,
    /// The sender for the messages of this core and all others.
    pub(crate) events: CoreEvents,
}

/// Lends cores of `engine` over `channel` until the master says goodbye.
pub(crate) async fn lend(
    lend: Lend,
    engine: impl Engine,
    first: Option<First>,
    mut channel: Channel,
) {
    let hello = Hello {
        version: protocol::VERSION,
        token: lend.token,
        device: lend.device,
        name: lend.name,
        cores: lend.cores as u32,
        job: None,
        holds: Vec::new(),
        kind: "native".into(),
        path: None,
        reloaded: false,
    };
    if channel.outgoing.send(Frame::json(&ToMaster::Hello(hello))).await.is_err() {
        return;
    }
    let Some(Frame::Text(text)) = channel.incoming.recv().await else { return };
    let Ok(ToVolunteer::Welcome(welcome)) = serde_json::from_str(&text) else { return };
    let (core, said, events) = match first {
        Some(First { core, said, events }) => (Some(core), said, events),
        None => {
            let (events, said) = mpsc::channel(64);
            (None, said, events)
        }
    };
    let mut host = Host::new(lend.cores, engine, core, events, &welcome);
    host.run(&mut channel, said).await;
}

struct Host<E> {
    engine: E,
    cores: Vec<Option<Core>>,
    stillbirths: Vec<u32>,
    generations: Vec<u32>,
    events: CoreEvents,
    dispatch: Dispatch,
    timeout: Option<Duration>,
    outbox: VecDeque<Frame>,
    /// Results of each core that do not count yet.
    unsure: Vec<Vec<Bytes>>,
    cutter: Cutter,
    assembler: Assembler,
    last_sent: Instant,
    heartbeat: Duration,
}

impl<E: Engine> Host<E> {
    fn new(
        cores: usize,
        engine: E,
        first: Option<Core>,
        events: CoreEvents,
        welcome: &Welcome,
    ) -> Self {
        let timeout = welcome.options.timeout.map(Duration::from_millis);
        let mut host = Self {
            engine,
            cores: (0..cores).map(|_| None).collect(),
            stillbirths: vec![0; cores],
            generations: vec![0; cores],
            events,
            dispatch: Dispatch::new(cores, welcome.options.concurrency.max(1), timeout),
            timeout,
            outbox: VecDeque::new(),
            unsure: vec![Vec::new(); cores],
            cutter: Cutter::default(),
            assembler: Assembler::default(),
            last_sent: Instant::now(),
            heartbeat: Duration::from_millis(welcome.options.heartbeat.max(1)),
        };
        let from = match first {
            Some(core) => {
                host.cores[0] = Some(core);
                host.dispatch.ready(0);
                1
            }
            None => 0,
        };
        for number in from..cores {
            host.start(number);
        }
        host
    }

    async fn run(&mut self, channel: &mut Channel, mut said: mpsc::Receiver<(CoreId, CoreEvent)>) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let overdue = self.dispatch.next_overdue();
            let late =
                tokio::time::sleep_until(overdue.unwrap_or_else(|| Instant::now() + TICK).into());
            let to_send = !self.outbox.is_empty() || self.cutter.is_busy();
            tokio::select! {
                frame = channel.incoming.recv() => match frame {
                    None => return,
                    Some(frame) => if !self.receive(frame) { return },
                },
                permit = channel.outgoing.reserve(), if to_send => {
                    let Ok(permit) = permit else { return };
                    if let Some(frame) = self.next_frame() {
                        permit.send(frame);
                    }
                },
                Some((id, what)) = said.recv() => self.hear(id, what),
                _ = tick.tick() => self.tick(),
                () = late, if overdue.is_some() => self.kill_overdue(),
            }
            self.feed();
        }
    }

    /// The next frame to send; other frames go between the parts of a long frame.
    fn next_frame(&mut self) -> Option<Frame> {
        self.last_sent = Instant::now();
        match self.outbox.pop_front() {
            Some(Frame::Binary(bytes)) if bytes.len() > protocol::PART => {
                if self.cutter.is_busy() {
                    self.outbox.push_front(Frame::Binary(bytes));
                } else {
                    self.cutter.start(bytes);
                }
                self.cutter.next_frame().map(Frame::Binary)
            }
            Some(frame) => Some(frame),
            None => self.cutter.next_frame().map(Frame::Binary),
        }
    }

    fn say(&mut self, message: &ToMaster) {
        self.outbox.push_back(Frame::json(message));
    }

    /// Handles a frame; returns false when the master says goodbye.
    fn receive(&mut self, frame: Frame) -> bool {
        match frame {
            Frame::Binary(bytes) => self.values(bytes),
            Frame::Text(text) => match serde_json::from_str(&text) {
                Ok(ToVolunteer::Bye { .. }) | Err(_) => return false,
                Ok(ToVolunteer::Ping(beat)) => self.say(&ToMaster::Pong(beat)),
                Ok(ToVolunteer::Recall { ids }) => {
                    let ids = self.dispatch.recall(&ids);
                    self.say(&ToMaster::Returned { ids, careful: false });
                }
                Ok(ToVolunteer::Welcome(_) | ToVolunteer::Pong(_)) => {}
            },
        }
        true
    }

    fn values(&mut self, frame: Bytes) {
        match Binary::decode(frame) {
            Ok(Binary::Values(values)) => {
                let refused = self.dispatch.extend(values);
                self.give_back(refused, false);
            }
            Ok(Binary::Part { total, bytes }) => {
                if let Ok(Some(whole)) = self.assembler.part(total, &bytes) {
                    self.values(whole);
                }
            }
            _ => {}
        }
    }

    fn feed(&mut self) {
        while let Some((number, values)) = self.dispatch.feed(Instant::now()) {
            let bytes = values.iter().map(|(_, value)| protocol::value_len(value)).sum();
            let frame =
                protocol::encode_values(values.iter().map(|(loan, value)| (*loan, value)), bytes);
            if let Some(core) = &self.cores[number] {
                // A core that has just died also sends [`CoreEvent::Ended`]; the values are taken
                // back then.
                let _ = core.values.send(frame);
            }
        }
    }

    fn hear(&mut self, id: CoreId, what: CoreEvent) {
        let number = id.number;
        if id.generation != self.generations[number] && !matches!(what, CoreEvent::Stray(_)) {
            return;
        }
        match what {
            CoreEvent::Results(frame) => self.results(number, frame, true),
            CoreEvent::Tentative(frame) => self.results(number, frame, false),
            CoreEvent::Confirmed => self.confirm_tentative(number),
            CoreEvent::Message(CoreMessage::Started { id }) => {
                self.dispatch.started(number, id, Instant::now())
            }
            CoreEvent::Message(CoreMessage::Spoiled { careful }) => self.spoiled(number, careful),
            CoreEvent::Message(CoreMessage::Ready) => self.dispatch.ready(number),
            CoreEvent::Message(CoreMessage::Broken { message, stack }) => {
                self.say(&ToMaster::Broken { message, stack })
            }
            CoreEvent::Message(CoreMessage::Log { entries }) => {
                self.say(&ToMaster::Log { entries })
            }
            CoreEvent::Message(CoreMessage::Report { id, report }) => {
                self.say(&ToMaster::Report { id, report })
            }
            CoreEvent::Stray(text) => {
                self.say(&ToMaster::Log {
                    entries: vec![LogEntry { level: "log".into(), text, id: None, count: None }],
                });
            }
            CoreEvent::Ended(why) => self.handle_core_death(
                number,
                "died",
                &format!("it ended the process that computed it ({why})"),
            ),
        }
    }

    /// Handles a frame of results, which count only once the core is `sure` of them.
    fn results(&mut self, number: usize, frame: Bytes, sure: bool) {
        match Binary::decode(frame.clone()) {
            Ok(Binary::Results(answers)) => {
                // The duration of a result that may not count says nothing. With the greatest
                // duration, the core gets as few values at a time as at first.
                let micros =
                    if sure { answers.iter().map(|answer| answer.micros).sum() } else { u64::MAX };
                self.stillbirths[number] = 0;
                self.dispatch.answered(
                    number,
                    answers.iter().map(|answer| answer.loan),
                    micros,
                    Instant::now(),
                );
                self.unsure[number].push(frame);
                if sure {
                    self.confirm_tentative(number);
                }
            }
            _ => self.handle_core_death(
                number,
                "died",
                "the process that computed it wrote something unintelligible",
            ),
        }
    }

    fn confirm_tentative(&mut self, number: usize) {
        self.outbox.extend(self.unsure[number].drain(..).map(Frame::Binary));
    }

    fn kill_overdue(&mut self) {
        let (now, timeout) = (Instant::now(), self.timeout.unwrap_or_default());
        self.dispatch.tick(now);
        for number in self.dispatch.overdue(now) {
            self.handle_core_death(
                number,
                "timeout",
                &format!("no answer within {}", spoken(timeout)),
            );
        }
    }

    /// Handles the death of core `number`, or kills the core: settles its values and starts
    /// another core.
    fn handle_core_death(&mut self, number: usize, kind: &str, why: &str) {
        if self.cores[number].take().is_none() {
            return;
        }
        self.confirm_tentative(number);
        let CrashOutcome { culprit, returned, careful } = self.dispatch.died(number);
        if culprit.is_some() || !returned.is_empty() {
            // The values ended the core, not a failed start.
            self.stillbirths[number] = 0;
        }
        if let Some(loan) = culprit {
            let failure = Failure { message: why.into(), stack: None, kind: kind.into() };
            let answer = Answer { loan, micros: 0, result: Err(failure) };
            self.outbox.push_back(Frame::Binary(protocol::encode_results([&answer])));
        }
        self.give_back(returned, careful);
        self.start_anew(number);
    }

    /// Replaces core `number` after an uncaught error, because the core may raise further errors.
    fn spoiled(&mut self, number: usize, careful: bool) {
        if self.cores[number].take().is_none() {
            return;
        }
        self.stillbirths[number] = 0;
        let (open, others) = self.dispatch.spoiled(number, careful);
        self.give_back(open, true);
        self.give_back(others, false);
        self.start_anew(number);
    }

    fn give_back(&mut self, ids: Vec<Loan>, careful: bool) {
        if !ids.is_empty() {
            self.say(&ToMaster::Returned { ids, careful });
        }
    }

    fn start_anew(&mut self, number: usize) {
        self.generations[number] += 1;
        self.start(number);
    }

    fn start(&mut self, number: usize) {
        self.stillbirths[number] += 1;
        if self.stillbirths[number] > MAX_FAILED_STARTS {
            let message = "the process that should load the function ends again and again".into();
            self.say(&ToMaster::Broken { message, stack: None });
            return;
        }
        let id = CoreId { number, generation: self.generations[number] };
        match self.engine.start(id, self.events.clone()) {
            Ok(core) => self.cores[number] = Some(core),
            Err(error) => self.say(&ToMaster::Broken {
                message: format!("no process can be started: {error}"),
                stack: None,
            }),
        }
    }

    fn tick(&mut self) {
        let now = Instant::now();
        self.dispatch.tick(now);
        let items: Vec<Running> =
            self.dispatch.long_calls(now).into_iter().map(|(id, ms)| Running { id, ms }).collect();
        if !items.is_empty() {
            self.say(&ToMaster::Started { items, loading: None });
        }
        if now.saturating_duration_since(self.last_sent) >= self.heartbeat && self.outbox.is_empty()
        {
            self.say(&ToMaster::Ping(Beat { t: 0.into() }));
        }
    }
}
