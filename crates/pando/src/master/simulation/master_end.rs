//! The master's ends of the links: real sessions, driven in random order, in the way of their
//! tasks.

use super::{
    clock::{Clock, Event},
    link::{Down, Note, Up},
    plan::chance,
    world::World,
};
use crate::{
    master::{
        registry::Page,
        session::{Departure, Door, Session, introduce},
    },
    protocol::{Assembler, Binary, Frame, Path},
};
use bytes::Bytes;
use futures_util::FutureExt;
use stream_lender::Loan;

/// More steps than this at one moment show an endless loop.
const MOST_STEPS: usize = 100_000;

/// The master's end of one link.
pub(super) struct MasterEnd {
    pub(super) session: Session,
    pub(super) link: usize,
    /// The time at which the timer goes off.
    timer: u64,
    /// Assembles the parts of a frame to the device.
    assembler: Assembler,
}

impl World {
    /// Performs all steps possible at this moment. Returns whether there were any.
    pub(super) fn settle(&mut self) -> bool {
        let mut steps = 0;
        loop {
            self.serve_ends();
            self.serve_gateways();
            // After the end of the run, no volunteer is admitted.
            if self.ending.is_none() {
                self.let_in();
            }
            let count = self.master_ends.len();
            let first = self.rng.usize(0..count.max(1));
            let mut idle = true;
            for at in 0..count {
                // When a end is removed, the following ends move up.
                let at = (first + at) % count;
                idle &= at >= self.master_ends.len() || !self.step(at);
            }
            if idle && !self.serve_ends() && !self.serve_gateways() {
                return steps > 0;
            }
            steps += 1;
            assert!(steps < MOST_STEPS, "it goes round and round");
        }
    }

    /// Opens sessions for volunteers whose hello has arrived.
    fn let_in(&mut self) {
        let now = self.clock.now();
        for number in self.waiting.clone() {
            if !self.links[number].has_arrived(now) || self.leads_to_frozen(number) {
                continue;
            }
            self.waiting.retain(|waiting| *waiting != number);
            let Some((_, Up::Frame(frame, _))) = self.links[number].up.pop_front() else {
                self.links[number].left = true;
                continue;
            };
            let gateway = self.links[number].gateway;
            let Some(master) = self.master_of(number).cloned() else { continue };
            let hello = introduce(frame, &Door::default())
                .expect("every device knows how to introduce itself");
            let session = Session::open(
                master.clone(),
                hello.clone(),
                Path::WebSocket,
                Page::default(),
                self.clock.instant(),
            );
            say!(self, "{} is attended as {:?}", hello.device, session.sub());
            let device = self.links[number].device;
            let new =
                MasterEnd { session, link: number, timer: now, assembler: Assembler::default() };
            if gateway.is_some() {
                self.seen.note("joined a gateway");
                self.master_ends.push(new);
                continue;
            }
            if self.devices[device].gateway.is_some() {
                self.model.gateways.insert(hello.device.clone());
            }
            let session = &new.session;
            let state = self.master.lock();
            let copies = state.registry().get(session.sub()).into_iter();
            let copies = copies.flat_map(|device| device.loans().copies());
            let kept: Vec<Loan> =
                state.items().lender().outstanding(session.sub()).chain(copies).collect();
            let is_paused =
                state.registry().get(session.sub()).is_some_and(|device| device.cores() == 0);
            let goes_on = hello.job.as_deref() == Some(&*self.master.job.id)
                && state.registry().evidence().rest_before(&hello.device).is_none();
            self.model.kept_shared(session.sub(), &kept, &state, &mut self.seen);
            drop(state);
            // The device's earlier session, if there is one, has lost its loans.
            if let Some(old) = self.master_ends.iter().find(|end| {
                let link = &self.links[end.link];
                link.device == device && link.gateway.is_none()
            }) {
                self.seen.note("replaced");
                let old = old.session.sub();
                let missing = hello.holds.iter().find(|loan| {
                    goes_on && self.model.only_with(old, **loan) && !kept.contains(loan)
                });
                assert_eq!(
                    missing, None,
                    "{} has it and nobody else, and may not keep it",
                    hello.device
                );
                self.model.left(old);
            }
            self.seen.note_if(!kept.is_empty(), "took up");
            self.model.kept(session.sub(), &kept);
            if is_paused {
                self.model.pauses(session.sub());
            }
            self.master_ends.push(new);
        }
    }

    /// Performs the first possible step of one session, in the order of its task. Returns
    /// whether there was any.
    fn step(&mut self, at: usize) -> bool {
        let (now, instant) = (self.clock.now(), self.clock.instant());
        if self.leads_to_frozen(self.master_ends[at].link) {
            return false;
        }
        let end = &mut self.master_ends[at];
        let link = &mut self.links[end.link];
        let reads = end.session.read_on(instant);
        let step = if reads && link.has_arrived(now) {
            match link.up.pop_front() {
                Some((_, Up::Frame(frame, note))) => self.receive(at, frame, note),
                _ => Err(Departure::Lost),
            }
        } else if end.session.may_send() && link.has_room() {
            self.send(at)
        } else if end.session.wake().notified().now_or_never().is_some() {
            end.session.woken(instant)
        } else if !reads && link.has_closed(now) {
            Err(Departure::Lost)
        } else if end.timer <= now {
            end.session.do_due(instant).map(|when| {
                end.timer = Clock::micros(when);
                self.clock.after(end.timer - now, Event::Timer);
            })
        } else {
            return false;
        };
        if let Err(departure) = step {
            self.leave(at, &departure);
        }
        true
    }

    fn receive(&mut self, at: usize, frame: Frame, note: Note) -> Result<(), Departure> {
        let instant = self.clock.instant();
        let MasterEnd { session, link, .. } = &mut self.master_ends[at];
        if self.links[*link].gateway.is_some() {
            return session.receive(frame, instant);
        }
        let sub = session.sub();
        self.model.hear(sub, &note, &self.master.lock(), &mut self.seen);
        let received = session.receive(frame, instant);
        self.model.look(&self.master.lock(), &mut self.seen);
        received
    }

    fn send(&mut self, at: usize) -> Result<(), Departure> {
        let instant = self.clock.instant();
        let MasterEnd { session, link, assembler, .. } = &mut self.master_ends[at];
        let (link, sub) = (*link, session.sub());
        // Otherwise the values were lent earlier, when other devices were connected.
        let fresh = !session.has_frame();
        let Some(frame) = session.next_frame(instant)? else { return Ok(()) };
        if let Frame::Binary(bytes) = &frame
            && let Some(whole) = whole(assembler, bytes.clone())
        {
            let Ok(Binary::Values(values)) = Binary::decode(whole) else {
                panic!("what is sent can be decoded")
            };
            if let Some(gateway) = self.links[link].gateway {
                values.iter().for_each(|(loan, _)| self.sent_behind(gateway, *loan));
                self.push_down(link, Down::Frame(frame));
                return Ok(());
            }
            let state = self.master.lock();
            for (loan, value) in values {
                say!(
                    self,
                    "{loan:?} is sent to {sub:?}, attempt {}, careful {}",
                    value.attempt,
                    value.careful
                );
                self.model.sent(sub, loan, &value, fresh, &state, &mut self.seen);
            }
        }
        self.push_down(link, Down::Frame(frame));
        Ok(())
    }

    fn leave(&mut self, at: usize, departure: &Departure) {
        let MasterEnd { mut session, link, .. } = self.master_ends.remove(at);
        say!(self, "{:?} leaves: {departure:?}", session.sub());
        self.seen.note(match departure {
            Departure::Done => "done",
            Departure::Left(_) => "left",
            Departure::Lost => "lost",
            Departure::Silent => "silent",
            Departure::Stuck => "stuck",
            Departure::Removed => "removed",
            Departure::Replaced => "told that it is replaced",
            Departure::Protocol(_) => "sent away",
            Departure::Broken(_) => "broken",
        });
        if let Departure::Stuck = departure {
            let device = &self.devices[self.links[link].device];
            // A hanging call beside other calls is ended by its core, which is not simulated, and
            // not by the device.
            let is_late = device.froze || self.plan.job.options.timeout.is_some();
            let is_known = device.gateway.is_none();
            let is_honest = is_known && !(device.idles && device.deaf || device.lied || is_late);
            // Answers of a device are lost if its link is cut.
            assert!(
                !is_honest || self.links[link].cut,
                "the link of device {} is closed, which does what it can",
                device.number
            );
        }
        let is_behind = self.links[link].gateway.is_some();
        if matches!(departure, Departure::Lost | Departure::Silent) && !is_behind {
            self.model.vanished(session.sub(), &self.master.lock());
        }
        session.leave(departure, self.clock.instant());
        if !is_behind {
            self.model.look(&self.master.lock(), &mut self.seen);
            self.model.left(session.sub());
        }
        self.links[link].left = true;
        while let Some(frame) = session.next_message() {
            if !self.links[link].has_room() && chance(&mut self.rng, 50) {
                break;
            }
            self.push_down(link, Down::Frame(frame));
        }
        self.push_down(link, Down::Close);
    }
}

/// The complete frame, if `bytes` completes one.
pub(super) fn whole(assembler: &mut Assembler, bytes: Bytes) -> Option<Bytes> {
    match Binary::decode(bytes.clone()) {
        Ok(Binary::Part { total, bytes }) => {
            assembler.part(total, &bytes).expect("parts fit together")
        }
        _ => Some(bytes),
    }
}
