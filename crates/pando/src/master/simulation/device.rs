//! A simulated device: the real host of a native volunteer, around which the device lies, idles and
//! stutters. [`super::work`] simulates its cores.

use super::{
    clock::{Clock, Event, MS, SECOND},
    gateway::Gateway,
    link::{Down, Link, Note, Up},
    master_end::whole,
    plan::{chance, pick},
    work::Worker,
    world::World,
};
use crate::{
    protocol::{Answer, Assembler, Binary, Frame, Loan, ToMaster, ToVolunteer, encode_results},
    volunteer::{Host, Introduction},
};
use bytes::Bytes;
use fastrand::Rng;
use std::collections::BTreeSet;

/// One device, across all its links.
pub(super) struct SimulatedDevice {
    pub(super) number: usize,
    pub(super) cores: u32,
    /// The device lends no cores at present.
    pub(super) paused: bool,
    /// The factor by which calls take longer than usual.
    pub(super) slowness: u64,
    /// The percentage of calls that fail.
    pub(super) flaky: u32,
    /// The device sends wrong messages.
    pub(super) lies: bool,
    /// The device has sent a wrong message.
    pub(super) lied: bool,
    /// The device repeats earlier messages now and then, and answers loans that it was to drop.
    pub(super) stutters: bool,
    /// The device never computes anything.
    pub(super) idles: bool,
    /// An idling device also ignores recalls.
    pub(super) deaf: bool,
    /// An idling device returns all values without a recall.
    pub(super) refuses: bool,
    /// The device returns all values at once, with this `careful` flag.
    pub(super) returns: Option<bool>,
    /// The time in microseconds for which answers are gathered.
    pub(super) flush: u64,
    pub(super) host: Host,
    pub(super) workers: Vec<Worker>,
    /// Loans whose calls ended a core, or took too long.
    pub(super) guilty: BTreeSet<Loan>,
    /// Answers and returned loans which were sent.
    pub(super) said: Vec<Answer>,
    pub(super) returned: Vec<Loan>,
    pub(super) link: Option<usize>,
    job: Option<String>,
    /// The time of the last scheduled [`Event::Wake`].
    wake_at: u64,
    pub(super) frozen: bool,
    /// The device has been frozen at least once.
    pub(super) froze: bool,
    /// Events of the time while the device is frozen.
    pub(super) deferred: Vec<Event>,
    /// The device never joins again.
    pub(super) gone: bool,
    /// Present if the device is a gateway.
    pub(super) gateway: Option<Gateway>,
    /// The gateway that the device joins, in place of the run.
    pub(super) behind: Option<usize>,
    /// Assembles the values that a returning device keeps from its host.
    assembler: Assembler,
}

impl SimulatedDevice {
    pub(super) fn new(number: usize, rng: &mut Rng) -> Self {
        let cores = rng.u32(1..4);
        let idles = chance(rng, 5);
        Self {
            number,
            cores,
            paused: false,
            slowness: pick(rng, &[1, 1, 1, 2, 4]),
            flaky: pick(rng, &[0, 0, 0, 20, 100, 100]),
            // A lying device must compute: a false report of a call cannot be told from a real
            // long call.
            lies: !idles && chance(rng, 15),
            lied: false,
            stutters: chance(rng, 15),
            idles,
            deaf: chance(rng, 50),
            refuses: chance(rng, 50),
            returns: pick(
                rng,
                &[None, None, None, None, None, None, None, None, Some(false), Some(true)],
            ),
            flush: pick(rng, &[0, 10 * MS]),
            host: Host::new(introduction(number, cores)),
            workers: (0..cores).map(|_| Worker::default()).collect(),
            guilty: BTreeSet::new(),
            said: Vec::new(),
            returned: Vec::new(),
            link: None,
            job: None,
            wake_at: 0,
            frozen: false,
            froze: false,
            deferred: Vec::new(),
            gone: false,
            gateway: None,
            behind: None,
            assembler: Assembler::default(),
        }
    }

    /// Whether the device holds `loan`: neither an answer nor a return was sent.
    pub(super) fn holds(&self, loan: Loan) -> bool {
        self.host.held().any(|held| held == loan)
    }

    /// Makes the device a gateway, which is honest and computes nothing itself.
    pub(super) fn become_gateway(&mut self) {
        (self.gateway, self.lies, self.stutters) = (Some(Gateway::default()), false, false);
        (self.idles, self.returns) = (false, None);
        self.host = Host::gateway(introduction(self.number, 0));
    }

    /// Forgets everything, as when a page is closed.
    fn forget(&mut self) {
        match self.gateway {
            Some(_) => self.become_gateway(),
            None => self.host = Host::new(introduction(self.number, self.cores)),
        }
        self.deferred.clear();
        self.begin_job(None);
    }

    /// Forgets what concerns an earlier job.
    fn begin_job(&mut self, job: Option<String>) {
        self.job = job;
        for worker in &mut self.workers {
            worker.end();
        }
        self.guilty.clear();
        self.said.clear();
        self.returned.clear();
    }
}

fn introduction(number: usize, cores: u32) -> Introduction {
    Introduction {
        device: format!("device {number}"),
        name: "phone".into(),
        kind: "browser".into(),
        cores,
    }
}

impl World {
    pub(super) fn add_device(&mut self) -> usize {
        let number = self.devices.len();
        let mut device = SimulatedDevice::new(number, &mut self.rng);
        if self.calm {
            (
                device.flaky,
                device.lies,
                device.stutters,
                device.idles,
                device.returns,
                device.slowness,
            ) = (0, false, false, false, None, 1);
        }
        self.place(&mut device);
        self.devices.push(device);
        let delay = self.rng.u64(0..SECOND);
        self.clock.after(delay, Event::Join(number));
        number
    }

    /// Opens a link, and sends a hello with the loans of the device.
    pub(super) fn join(&mut self, number: usize) {
        let device = &mut self.devices[number];
        if device.gone || device.link.is_some() {
            return;
        }
        if device.frozen {
            return device.deferred.push(Event::Join(number));
        }
        self.find_way(number);
        let behind = self.devices[number].behind;
        if behind.is_some_and(|at| self.devices[at].master_behind().is_none()) {
            return self.link_lost(number);
        }
        let device = &mut self.devices[number];
        let link = self.links.len();
        device.link = Some(link);
        device.assembler = Assembler::default();
        device.host.connected("", self.clock.instant());
        let usual = if self.calm { MS } else { pick(&mut self.rng, &[0, MS, 50 * MS, 400 * MS]) };
        let capacity = pick(&mut self.rng, &[1, 4, 50]);
        self.links.push(Link::new(number, behind, usual, capacity));
        self.waiting.push(link);
        let device = &self.devices[number];
        say!(self, "device {number} joins, holding {:?}", device.host.held().collect::<Vec<_>>());
        self.serve(number);
        self.clock.after(self.plan.heartbeat, Event::Beat(number, link));
    }

    /// Closes the page of the device, which loses everything. With `again`, another device may
    /// join.
    pub(super) fn vanish(&mut self, number: usize, again: bool) {
        self.close_behind(number);
        self.devices[number].forget();
        self.devices[number].gone = true;
        if let Some(link) = self.devices[number].link {
            self.hang_up(link, true);
        }
        if again {
            self.add_device();
        }
    }

    /// Notes that the link is lost: the device tries again soon.
    pub(super) fn link_lost(&mut self, number: usize) {
        self.devices[number].link = None;
        self.devices[number].host.lost();
        let delay = self.rng.u64(200 * MS..2 * SECOND);
        self.clock.after(delay, Event::Join(number));
    }

    /// Receives what has arrived over a link.
    pub(super) fn hear(&mut self, link: usize) {
        let number = self.links[link].device;
        let now = self.clock.now();
        while self.devices[number].link == Some(link) && !self.devices[number].frozen {
            let Some((_, what)) = self.links[link].down.pop_front_if(|(at, _)| *at <= now) else {
                return;
            };
            match what {
                Down::Close => self.link_lost(number),
                Down::Frame(Frame::Binary(bytes)) if self.devices[number].returns.is_some() => {
                    self.return_at_once(number, bytes);
                }
                Down::Frame(Frame::Text(text)) => {
                    let message =
                        serde_json::from_str(&text).expect("the master says what is agreed");
                    self.message(number, &message, Frame::Text(text));
                }
                Down::Frame(values) => {
                    let more = self.pass_on(number, values);
                    let refused = more && self.devices[number].paused;
                    self.seen.note_if(refused, "refused in a pause");
                }
            }
        }
    }

    /// Passes a frame to the host. Returns whether the host has returned values.
    pub(super) fn pass_on(&mut self, number: usize, frame: Frame) -> bool {
        let (now, device) = (self.clock.instant(), &mut self.devices[number]);
        let returned = device.returned.len();
        device.host.receive(frame, now).expect("the master speaks as agreed");
        self.serve(number);
        self.devices[number].returned.len() > returned
    }

    fn return_at_once(&mut self, number: usize, bytes: Bytes) {
        let device = &mut self.devices[number];
        let Some(whole) = whole(&mut device.assembler, bytes) else { return };
        let Ok(Binary::Values(values)) = Binary::decode(whole) else {
            panic!("values are expected")
        };
        self.seen.note("returned at once");
        let careful = device.returns == Some(true);
        let ids = values.into_iter().map(|(loan, _)| loan).collect();
        self.say(number, &ToMaster::Returned { ids, careful });
    }

    fn message(&mut self, number: usize, message: &ToVolunteer, frame: Frame) {
        let device = &mut self.devices[number];
        match message {
            ToVolunteer::Recall { .. } if device.idles && device.deaf => {}
            ToVolunteer::Recall { .. } => {
                self.seen.note("recalled");
                let more = self.pass_on(number, frame);
                self.seen.note_if(more, "returned what was recalled");
            }
            ToVolunteer::Bye { reason, .. } => {
                say!(self, "device {number} is told bye: {reason}");
                device.forget();
                device.gone = true;
                device.link = None;
                self.close_behind(number);
                // A device sent away for a protocol error joins again as another device.
                if reason == "protocol" && !self.calm {
                    self.vanish(number, true);
                }
            }
            ToVolunteer::Welcome(welcome) => {
                let is_new = device.job.as_ref() != Some(&welcome.job);
                if is_new {
                    device.begin_job(Some(welcome.job.clone()));
                    device.share_job(&self.plan.job, &welcome.job);
                    self.close_behind(number);
                }
                self.pass_on(number, frame);
                if !is_new {
                    self.tell_in_progress(number);
                }
            }
            ToVolunteer::Ping(_) | ToVolunteer::Pong(_) => drop(self.pass_on(number, frame)),
        }
    }

    /// Carries out the orders of the host, sends its frames, and sets its timer.
    pub(super) fn serve(&mut self, number: usize) {
        while let Some(order) = self.devices[number].host.next_order() {
            self.obey(number, order);
        }
        self.obey_passed_on(number);
        let now = self.clock.instant();
        while let Some(frame) = self.devices[number].host.next_frame(now) {
            self.send_up(number, frame);
        }
        let device = &mut self.devices[number];
        let Some(at) = device.host.due().map(Clock::micros) else { return };
        if at != device.wake_at {
            device.wake_at = at;
            self.clock.after(at.saturating_sub(self.clock.now()), Event::Wake(number));
        }
    }

    /// Lets the host look at the clock.
    pub(super) fn wake(&mut self, number: usize) {
        let now = self.clock.instant();
        self.devices[number].host.pass_time(now);
        self.serve(number);
    }

    /// Sends a message which the host does not know of.
    pub(super) fn say(&mut self, number: usize, message: &ToMaster) {
        self.send_up(number, Frame::json(message));
    }

    /// Sends answers which the host does not know of.
    pub(super) fn answer(&mut self, number: usize, answers: &[Answer]) {
        let device = &self.devices[number];
        let late = answers.iter().any(|answer| !device.holds(answer.loan));
        self.seen.note_if(late, "late answer");
        self.send_up(number, Frame::Binary(encode_results(answers)));
    }

    /// Sends a frame over the link of the device, if there is a link.
    pub(super) fn send_up(&mut self, number: usize, frame: Frame) {
        let device = &mut self.devices[number];
        let Some(link) = device.link else { return };
        let note = self.links[link].note(&frame);
        match &note {
            Note::Answers(answers) => {
                for Answer { loan, result, .. } in answers {
                    let blamed =
                        result.as_ref().is_err_and(|it| ["died", "timeout"].contains(&&*it.kind));
                    let is_known = device.gateway.is_none();
                    let is_guilty = !is_known || device.guilty.contains(loan);
                    assert!(!blamed || is_guilty, "{loan:?} is innocent");
                }
                device.said.extend(answers.iter().cloned());
            }
            Note::Returned(ids, careful) => {
                say!(self, "device {number} gives back {ids:?}, careful {careful}");
                device.returned.extend(ids);
            }
            Note::Part => self.seen.note("parts"),
            Note::Paused | Note::Other => {}
        }
        self.push_up(link, Up::Frame(frame, note));
    }
}
