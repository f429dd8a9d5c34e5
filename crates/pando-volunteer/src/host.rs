//! The host of a native volunteer, without I/O, threads and clock.

mod cores;
mod outbox;
mod passing;
#[cfg(test)]
mod tests;

use crate::{dispatch::Dispatch, engine::CoreId};
use bytes::Bytes;
use cores::CoreSlot;
use outbox::Outbox;
use pando_protocol::volunteer::{
    Assembler, Beat, Binary, Frame, Hello, Loan, Malformed, Path, Running, ToMaster, ToVolunteer,
    VERSION, Value, Welcome,
};
use passing::Passing;
pub use passing::{PassedOn, PassedUp};
use std::{
    collections::{HashSet, VecDeque},
    time::{Duration, Instant},
};

/// The heartbeat until a master says another one.
const FIRST_HEARTBEAT: Duration = Duration::from_secs(5);
/// Most loans in a hello, because a hello has a size limit.
const MOST_HOLDS: usize = 4000;
/// Most loans in another message, so that the frame stays short.
const MOST_IDS: usize = 4000;
/// Most messages that wait for a link before the function's output is dropped.
const MOST_WAITING: usize = 200;

/// What a volunteer says about itself.
#[derive(Debug, Clone)]
pub struct Introduction {
    /// A random id, kept as long as this volunteer lives.
    pub device: String,
    /// The device's name, for people.
    pub name: String,
    /// `native`, or `browser` for a simulated tab.
    pub kind: String,
    /// The number of lent cores; 0 while the volunteer is paused.
    pub cores: u32,
}

/// The goodbye of a master.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goodbye {
    /// Why the master ends the channel, as in [`ToVolunteer::Bye`].
    pub reason: String,
    /// The reason, for people.
    pub text: String,
}

/// What the driver of a host has to do with a core.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CoreOrder {
    /// Start this core. [`Host::ready`] or [`Host::cannot_start`] answers.
    Start(CoreId),
    /// Give these values to this core.
    Compute(CoreId, Vec<(Loan, Value)>),
    /// End this core, even in the middle of a call. Its events have no effect any more.
    End(CoreId),
}

/// The host of one volunteer, across all its links and jobs.
///
/// - *The link* to the master: [`connected`](Self::connected) begins a link with a hello.
///   [`receive`](Self::receive) takes a frame, [`next_frame`](Self::next_frame) gives a frame to
///   send, [`lost`](Self::lost) ends the link. The host keeps its values and its answers for the
///   next link. After a [`goodbye`](Self::goodbye) there is nothing more to do.
/// - *The cores*: [`next_order`](Self::next_order) says what to do with them. Their events come
///   back by [`hear`](Self::hear), or by [`ready`](Self::ready), [`answered`](Self::answered) and
///   [`cannot_start`](Self::cannot_start).
/// - *The time*: [`pass_time`](Self::pass_time) is called when [`due`](Self::due) has come. The
///   link of a master that is silent until [`silent_at`](Self::silent_at) is lost.
/// - *The owner*: [`lend`](Self::lend), [`rename`](Self::rename) and [`leave`](Self::leave).
/// - *A gateway* has no cores: [`next_passed_on`](Self::next_passed_on) gives its values, and
///   [`pass_up`](Self::pass_up) takes what the devices behind it say.
///
/// After each call, the driver carries out all orders, sends frames while the link has room, and
/// looks at the times again.
#[derive(Debug)]
pub struct Host {
    introduction: Introduction,
    link: LinkState,
    goodbye: Option<Goodbye>,
    /// The job of the last welcome.
    job: Option<String>,
    /// The last welcome, without its loans.
    welcome: Option<Welcome>,
    /// The number of results for the present job and earlier ones.
    computed: u64,
    timeout: Option<Duration>,
    heartbeat: Duration,
    dispatch: Dispatch,
    cores: Vec<CoreSlot>,
    orders: VecDeque<CoreOrder>,
    /// Frames that belong to the present link, and go before all others.
    urgent: VecDeque<Frame>,
    outbox: Outbox,
    /// The values of a gateway; `None` for a host with cores.
    passing: Option<Passing>,
    assembler: Assembler,
    last_sent: Option<Instant>,
    last_received: Option<Instant>,
}

/// The state of the link to the master.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LinkState {
    /// There is no link.
    None,
    /// The master has not answered the hello.
    Introduced,
    /// The master has said welcome.
    Welcome,
}

impl Host {
    /// A host that holds nothing and has no link.
    pub fn new(introduction: Introduction) -> Self {
        Self {
            introduction,
            link: LinkState::None,
            goodbye: None,
            job: None,
            welcome: None,
            computed: 0,
            timeout: None,
            heartbeat: FIRST_HEARTBEAT,
            dispatch: Dispatch::new(0, 1, None),
            cores: Vec::new(),
            orders: VecDeque::new(),
            urgent: VecDeque::new(),
            outbox: Outbox::default(),
            passing: None,
            assembler: Assembler::default(),
            last_sent: None,
            last_received: None,
        }
    }

    /// A link to the master is open, in place of an earlier one: says hello, with the join token
    /// and the loans that the volunteer holds.
    pub fn connected(&mut self, token: &str, now: Instant) {
        self.connected_by(token, None, now);
    }

    /// As [`connected`](Self::connected). `path` is what the master cannot see of the route itself.
    pub fn connected_by(&mut self, token: &str, path: Option<Path>, now: Instant) {
        self.lost();
        let mut holds: Vec<Loan> = self.held().collect();
        if holds.len() > MOST_HOLDS {
            holds.truncate(MOST_HOLDS);
            self.keep(&holds);
        }
        let hello = Hello {
            version: VERSION,
            token: token.to_owned(),
            device: self.introduction.device.clone(),
            name: self.introduction.name.clone(),
            cores: self.introduction.cores,
            job: self.job.clone(),
            holds,
            kind: self.introduction.kind.clone(),
            path,
            reloaded: false,
        };
        self.link = LinkState::Introduced;
        self.urgent.push_back(Frame::json(&ToMaster::Hello(hello)));
        (self.last_sent, self.last_received) = (Some(now), Some(now));
    }

    /// The link is lost. The cores compute on.
    pub fn lost(&mut self) {
        self.link = LinkState::None;
        self.urgent.clear();
        self.outbox.rewind();
        self.assembler = Assembler::default();
    }

    /// Whether the master has said welcome on the present link.
    pub fn is_welcome(&self) -> bool {
        self.link == LinkState::Welcome
    }

    /// The goodbye of the master, if it has said one.
    pub fn goodbye(&self) -> Option<&Goodbye> {
        self.goodbye.as_ref()
    }

    /// All loans whose answer or return is not sent, each once.
    pub fn held(&self) -> impl Iterator<Item = Loan> {
        let tentative = self.cores.iter().flat_map(CoreSlot::tentative_loans);
        let passed_on = self.passing.iter().flat_map(Passing::held);
        self.dispatch.held().chain(tentative).chain(passed_on).chain(self.outbox.loans())
    }

    /// Takes a frame of the master.
    ///
    /// # Errors
    /// When the master does not speak as agreed: the link is of no use any more.
    pub fn receive(&mut self, frame: Frame, now: Instant) -> Result<(), Malformed> {
        self.last_received = Some(now);
        match frame {
            Frame::Binary(frame) => self.values(frame, now),
            Frame::Text(text) => {
                let message = serde_json::from_str(&text)
                    .map_err(|_| Malformed("a message that cannot be understood"))?;
                self.message(message, now);
                Ok(())
            }
        }
    }

    fn values(&mut self, frame: Bytes, now: Instant) -> Result<(), Malformed> {
        let mut binary = Binary::decode(frame)?;
        if let Binary::Part { total, bytes } = binary {
            let Some(whole) = self.assembler.part(total, &bytes)? else { return Ok(()) };
            binary = Binary::decode(whole)?;
        }
        let Binary::Values(values) = binary else { return Err(Malformed("it is not of values")) };
        if let Some(passing) = &mut self.passing {
            passing.pass_on(values);
            return Ok(());
        }
        let refused = self.dispatch.extend(values);
        self.say_returned(refused, false);
        self.feed(now);
        Ok(())
    }

    fn message(&mut self, message: ToVolunteer, now: Instant) {
        match message {
            ToVolunteer::Welcome(welcome) if self.link == LinkState::Introduced => {
                self.welcomed(welcome, now);
            }
            ToVolunteer::Welcome(_) | ToVolunteer::Pong(_) => {}
            ToVolunteer::Recall { ids } => self.recall(ids, now),
            ToVolunteer::Ping(beat) => self.urgent.push_back(Frame::json(&ToMaster::Pong(beat))),
            ToVolunteer::Bye { reason, text, .. } => self.goodbye = Some(Goodbye { reason, text }),
        }
    }

    /// Goes on with the loans that the master lets the volunteer keep, or begins another job.
    fn welcomed(&mut self, mut welcome: Welcome, now: Instant) {
        let keep = std::mem::take(&mut welcome.keep);
        let Welcome { job, options, .. } = welcome.clone();
        self.welcome = Some(welcome);
        self.heartbeat = Duration::from_millis(options.heartbeat.max(1));
        if self.job.as_ref() == Some(&job) {
            self.keep(&keep);
        } else {
            self.forget();
            self.job = Some(job);
            self.timeout = options.timeout.map(Duration::from_millis);
            self.dispatch = Dispatch::new(0, options.concurrency.max(1), self.timeout);
            self.adjust_cores();
        }
        self.link = LinkState::Welcome;
        self.feed(now);
    }

    /// Forgets all loans except those in `kept`.
    fn keep(&mut self, kept: &[Loan]) {
        let kept: HashSet<&Loan> = kept.iter().collect();
        self.passing.iter_mut().for_each(|passing| passing.keep(&kept));
        let keeps = |loan: &Loan| kept.contains(loan);
        self.outbox.keep(&keeps);
        self.cores.iter_mut().for_each(|core| core.keep(&keeps));
        self.dispatch.keep(|loan| keeps(&loan));
    }

    /// Forgets the job, and ends all cores. The master still hears of changed cores and names.
    fn forget(&mut self) {
        self.job = None;
        self.outbox.keep_updates();
        self.forget_passed_on();
        self.end_cores();
        self.dispatch = Dispatch::new(0, 1, None);
    }

    /// Whether [`Host::next_frame`] has a frame.
    pub fn has_frame(&self) -> bool {
        match self.link {
            LinkState::None => false,
            LinkState::Introduced => !self.urgent.is_empty(),
            LinkState::Welcome => !(self.urgent.is_empty() && self.outbox.is_empty()),
        }
    }

    /// The next frame to send. A driver that takes a frame has to send the frame, or to report the
    /// link as lost.
    pub fn next_frame(&mut self, now: Instant) -> Option<Frame> {
        let frame = match self.link {
            LinkState::None => None,
            LinkState::Introduced => self.urgent.pop_front(),
            LinkState::Welcome => self.urgent.pop_front().or_else(|| self.outbox.next_frame()),
        };
        if frame.is_some() {
            self.last_sent = Some(now);
        }
        frame
    }

    /// The next order for a core.
    pub fn next_order(&mut self) -> Option<CoreOrder> {
        self.orders.pop_front()
    }

    /// The time of the next [`Host::pass_time`].
    pub fn due(&self) -> Option<Instant> {
        // A ping needs room on the link; until then, other frames wait as well.
        let silent = self.link != LinkState::None && !self.has_frame();
        let ping = self.last_sent.filter(|_| silent).map(|last| last + self.heartbeat);
        [ping, self.dispatch.due()].into_iter().flatten().min()
    }

    /// The time at which the link counts as lost, because the master has said nothing for three
    /// heartbeats.
    pub fn silent_at(&self) -> Option<Instant> {
        let last = self.last_received.filter(|_| self.link != LinkState::None);
        last.map(|last| last + self.heartbeat * 3)
    }

    /// The volunteer was suspended until `now`: the silence of the master proves nothing.
    pub fn slept(&mut self, now: Instant) {
        self.last_received = self.last_received.map(|_| now);
    }

    /// Does what is due at `now`: ends cores whose calls take too long, reports long calls, and
    /// pings a master to which nothing was sent for a heartbeat.
    pub fn pass_time(&mut self, now: Instant) {
        self.dispatch.tick(now);
        self.end_overdue(now);
        self.end_forgotten(now);
        let items: Vec<Running> =
            self.dispatch.long_calls(now).into_iter().map(|(id, ms)| Running { id, ms }).collect();
        if !items.is_empty() {
            self.say(ToMaster::Started { items, loading: None });
        }
        self.feed(now);
        let is_silent = self.last_sent.is_some_and(|last| now >= last + self.heartbeat);
        if self.link != LinkState::None && is_silent && !self.has_frame() {
            self.urgent.push_back(Frame::json(&ToMaster::Ping(Beat { t: 0.into() })));
        }
    }

    /// Lends another number of cores. With none, the volunteer pauses: it returns values that no
    /// core has, also later ones.
    pub fn lend(&mut self, cores: u32, now: Instant) {
        self.introduction.cores = cores;
        self.say(ToMaster::Update { name: None, cores: Some(cores) });
        self.adjust_cores();
        self.feed(now);
    }

    /// Gives the volunteer another name.
    pub fn rename(&mut self, name: &str) {
        self.introduction.name = name.to_owned();
        self.say(ToMaster::Update { name: Some(name.to_owned()), cores: None });
    }

    /// Returns all values, also those in progress, ends all cores, and says goodbye for this
    /// `reason`, as in [`ToMaster::Bye`].
    pub fn leave(&mut self, reason: &str) {
        let held: Vec<Loan> = self.held().collect();
        self.forget();
        self.say_returned(held, false);
        self.say(ToMaster::Bye { reason: reason.to_owned() });
    }

    fn say_returned(&mut self, mut ids: Vec<Loan>, careful: bool) {
        while !ids.is_empty() {
            let rest = ids.split_off(ids.len().min(MOST_IDS));
            self.say(ToMaster::Returned { ids, careful });
            ids = rest;
        }
    }

    /// Says `message` now, or after the next welcome. Long calls are reported again after a
    /// welcome.
    fn say(&mut self, message: ToMaster) {
        let is_lasting = match message {
            ToMaster::Started { .. } | ToMaster::Bye { .. } => false,
            ToMaster::Log { .. } | ToMaster::Report { .. } => self.outbox.len() < MOST_WAITING,
            _ => true,
        };
        if self.link == LinkState::Welcome || is_lasting {
            self.outbox.say(message);
        }
    }
}
