//! A simulated device: how it joins, what it receives and sends. [`super::work`] simulates its
//! computations.

use super::{
    clock::{Event, MS, SECOND},
    link::{Down, Link, Note, Up},
    master_end::whole,
    plan::{chance, pick},
    work::Worker,
    world::World,
};
use crate::{
    protocol::{
        self, Answer, Assembler, Beat, Binary, Cutter, Frame, Hello, Loan, ToMaster, ToVolunteer,
        Welcome, encode_results,
    },
    volunteer::Dispatch,
};
use fastrand::Rng;
use std::{collections::BTreeSet, time::Duration};

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
    /// The device repeats earlier messages now and then.
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
    pub(super) dispatch: Dispatch,
    pub(super) workers: Vec<Worker>,
    /// Loans whose answer or return has not been sent.
    pub(super) has: BTreeSet<Loan>,
    /// Answers and returned loans which were sent.
    pub(super) said: Vec<Answer>,
    pub(super) returned: Vec<Loan>,
    /// Answers that wait for a link.
    pub(super) unsent: Vec<Answer>,
    pub(super) link: Option<usize>,
    pub(super) job: Option<String>,
    /// The time of the next check for overdue calls.
    pub(super) overdue_at: u64,
    pub(super) frozen: bool,
    /// The device has been frozen at least once.
    pub(super) froze: bool,
    /// Events of the time while the device is frozen.
    pub(super) deferred: Vec<Event>,
    /// The device never joins again.
    pub(super) gone: bool,
    assembler: Assembler,
    last_heard: u64,
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
            dispatch: Dispatch::new(0, 1, None),
            workers: (0..cores).map(|_| Worker::default()).collect(),
            has: BTreeSet::new(),
            said: Vec::new(),
            returned: Vec::new(),
            unsent: Vec::new(),
            link: None,
            job: None,
            overdue_at: 0,
            frozen: false,
            froze: false,
            deferred: Vec::new(),
            gone: false,
            assembler: Assembler::default(),
            last_heard: 0,
        }
    }

    /// Forgets everything, as when a page is closed.
    fn forget(&mut self) {
        for worker in &mut self.workers {
            worker.end();
        }
        self.dispatch = Dispatch::new(0, 1, None);
        self.has.clear();
        self.said.clear();
        self.returned.clear();
        self.unsent.clear();
        self.deferred.clear();
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
        let hello = Hello {
            version: protocol::VERSION,
            token: String::new(),
            device: format!("device {number}"),
            name: "phone".into(),
            cores: if device.paused { 0 } else { device.cores },
            job: device.job.clone(),
            holds: device.has.iter().copied().collect(),
            kind: "browser".into(),
            path: None,
            reloaded: false,
        };
        let link = self.links.len();
        device.link = Some(link);
        device.assembler = Assembler::default();
        device.last_heard = self.clock.now() + SECOND;
        let usual = if self.calm { MS } else { pick(&mut self.rng, &[0, MS, 50 * MS, 400 * MS]) };
        self.links.push(Link::new(number, usual, pick(&mut self.rng, &[1, 4, 50])));
        self.waiting.push(link);
        say!(self, "{} joins, holding {:?}", hello.device, hello.holds);
        self.push_up(link, Up::Frame(Frame::json(&ToMaster::Hello(hello)), Note::Other));
        self.clock.after(self.plan.heartbeat, Event::Beat(number, link));
    }

    /// Closes the page of the device, which loses everything. With `again`, another device may
    /// join.
    pub(super) fn vanish(&mut self, number: usize, again: bool) {
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
            self.devices[number].last_heard = now;
            match what {
                Down::Close => self.link_lost(number),
                Down::Frame(Frame::Text(text)) => {
                    self.message(
                        number,
                        serde_json::from_str(&text).expect("the master says what is agreed"),
                    );
                }
                Down::Frame(Frame::Binary(bytes)) => {
                    let Some(whole) = whole(&mut self.devices[number].assembler, bytes) else {
                        continue;
                    };
                    let Ok(Binary::Values(values)) = Binary::decode(whole) else {
                        panic!("values are expected")
                    };
                    let device = &mut self.devices[number];
                    device.has.extend(values.iter().map(|(loan, _)| *loan));
                    if let Some(careful) = device.returns {
                        self.seen.note("returned at once");
                        self.give_back(
                            number,
                            values.into_iter().map(|(loan, _)| loan).collect(),
                            careful,
                        );
                        continue;
                    }
                    let refused = device.dispatch.extend(values);
                    if !refused.is_empty() {
                        self.seen.note("refused in a pause");
                        self.give_back(number, refused, false);
                    }
                    self.feed(number);
                }
            }
        }
    }

    fn message(&mut self, number: usize, message: ToVolunteer) {
        match message {
            ToVolunteer::Welcome(welcome) => self.welcomed(number, &welcome),
            ToVolunteer::Recall { .. }
                if self.devices[number].idles && self.devices[number].deaf => {}
            ToVolunteer::Recall { ids } => {
                self.seen.note("recalled");
                let ids = self.devices[number].dispatch.recall(&ids);
                self.seen.note_if(!ids.is_empty(), "returned what was recalled");
                self.give_back(number, ids, false);
            }
            ToVolunteer::Ping(beat) => self.say(number, &ToMaster::Pong(beat)),
            ToVolunteer::Pong(_) => {}
            ToVolunteer::Bye { reason, .. } => {
                say!(self, "device {number} is told bye: {reason}");
                // A device sent away for a protocol error joins again as another device.
                self.devices[number].gone = true;
                self.devices[number].link = None;
                if reason == "protocol" && !self.calm {
                    self.vanish(number, true);
                }
            }
        }
    }

    /// Goes on with the loans that the master lets the device keep, and drops the others.
    fn welcomed(&mut self, number: usize, welcome: &Welcome) {
        let options = &welcome.options;
        let device = &mut self.devices[number];
        if device.job.as_ref() != Some(&welcome.job) {
            device.forget();
            device.job = Some(welcome.job.clone());
            device.dispatch = Dispatch::new(
                device.cores as usize,
                options.concurrency,
                options.timeout.map(Duration::from_millis),
            );
            if device.paused {
                device.dispatch.pause();
            }
            for core in 0..device.workers.len() {
                self.clock.after(
                    10 * MS,
                    Event::CoreReady(number, core, device.workers[core].generation),
                );
            }
        }
        device.dispatch.keep(|loan| welcome.keep.contains(&loan));
        device.has.retain(|id| welcome.keep.contains(id));
        let unsent = std::mem::take(&mut device.unsent);
        let (kept, late) =
            unsent.into_iter().partition(|answer| welcome.keep.contains(&answer.loan));
        self.answer(number, kept);
        // Answers to dropped loans are sent now and then all the same.
        if chance(&mut self.rng, 50) {
            self.answer(number, late);
        }
    }

    pub(super) fn say(&mut self, number: usize, message: &ToMaster) {
        self.send_up(number, Frame::json(message), Note::Other);
    }

    /// Sends the number of lent cores, and perhaps another name.
    pub(super) fn lend(&mut self, number: usize, name: Option<String>, cores: u32) {
        let frame = Frame::json(&ToMaster::Update { name, cores: Some(cores) });
        self.send_up(number, frame, if cores == 0 { Note::Paused } else { Note::Other });
    }

    /// Returns values without a result.
    pub(super) fn give_back(&mut self, number: usize, ids: Vec<Loan>, careful: bool) {
        self.devices[number].has.retain(|id| !ids.contains(id));
        self.devices[number].returned.extend(&ids);
        say!(self, "device {number} gives back {ids:?}, careful {careful}");
        let frame = Frame::json(&ToMaster::Returned { ids: ids.clone(), careful });
        self.send_up(number, frame, Note::Returned(ids, careful));
    }

    /// Sends answers, or keeps them until there is a link.
    pub(super) fn answer(&mut self, number: usize, answers: Vec<Answer>) {
        let device = &mut self.devices[number];
        if answers.is_empty() {
            return;
        }
        if device.link.is_none() {
            return device.unsent.extend(answers);
        }
        let late = answers.iter().filter(|answer| !device.has.remove(&answer.loan)).count();
        device.said.extend(answers.iter().cloned());
        self.seen.note_if(late > 0, "late answer");
        self.send_answers(number, answers);
    }

    /// Repeats an earlier answer and return, although the value may have been lent again.
    fn stutter(&mut self, number: usize) {
        let device = &self.devices[number];
        if !device.stutters || device.said.is_empty() {
            return;
        }
        let answer = device.said[self.rng.usize(0..device.said.len())].clone();
        let ids: Vec<Loan> = device
            .returned
            .get(self.rng.usize(0..=device.returned.len()))
            .copied()
            .into_iter()
            .collect();
        say!(self, "device {number} says again {:?}, and gives back {ids:?}", answer.loan);
        self.send_answers(number, vec![answer]);
        let frame = Frame::json(&ToMaster::Returned { ids: ids.clone(), careful: true });
        self.send_up(number, frame, Note::Returned(ids, true));
    }

    fn send_answers(&mut self, number: usize, answers: Vec<Answer>) {
        let mut cutter = Cutter::default();
        cutter.start(encode_results(&answers));
        let mut answers = Some(answers);
        while let Some(frame) = cutter.next_frame() {
            let note = match answers.take_if(|_| !cutter.is_busy()) {
                Some(answers) => Note::Answers(answers),
                None => Note::Other,
            };
            self.seen.note_if(cutter.is_busy(), "parts");
            self.send_up(number, Frame::Binary(frame), note);
        }
    }

    pub(super) fn send_up(&mut self, number: usize, frame: Frame, note: Note) {
        if let Some(link) = self.devices[number].link {
            self.push_up(link, Up::Frame(frame, note));
        }
    }

    /// Once per heartbeat: sends a ping, and checks that the master is not silent.
    pub(super) fn beat(&mut self, number: usize, link: usize) {
        let device = &self.devices[number];
        if device.link != Some(link) {
            return;
        }
        self.clock.after(self.plan.heartbeat, Event::Beat(number, link));
        if device.frozen {
            return;
        }
        if self.clock.now().saturating_sub(device.last_heard) >= 3 * self.plan.heartbeat {
            say!(self, "device {number} has not heard of the master for long");
            self.links[link].cut = true;
            return self.link_lost(number);
        }
        self.say(number, &ToMaster::Ping(Beat { t: 0.into() }));
        self.stutter(number);
        let device = &mut self.devices[number];
        if device.idles && device.refuses && !device.deaf {
            let ids: Vec<Loan> = device.has.iter().copied().collect();
            let ids = device.dispatch.recall(&ids);
            self.give_back(number, ids, false);
        }
    }
}
