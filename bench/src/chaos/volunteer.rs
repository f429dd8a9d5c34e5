//! A simulated volunteer: a real host with simulated cores, which compute the job's function.
//! Around them, the volunteer carries out the steps of its plan.

mod calls;
mod records;
mod steps;

use super::{
    chance::Chance,
    context::Context,
    lies,
    plan::{Character, Step, Unfit},
    session::Session,
};
use crate::swarm::{
    cores::Cores,
    link::{Address, Link},
};
use calls::Calls;
use futures_util::StreamExt;
use pando_protocol::volunteer::{Answer, Frame, Loan, ToMaster, ToVolunteer, Value};
use pando_volunteer::{CoreId, Host, Introduction};
use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::Message;

const MS: Duration = Duration::from_millis(1);
/// The number of sent results that the volunteer remembers, because they may have been lost on
/// their way.
const REMEMBERED: usize = 20;

/// A simulated volunteer.
pub(crate) struct Volunteer {
    context: Arc<Context>,
    chance: Chance,
    character: Character,
    steps: VecDeque<(Duration, Step)>,
    /// The identifier of the present device.
    device: String,
    host: Host,
    cores: Cores,
    /// Answers that the cores have given, and the host has not received.
    withheld: Vec<(CoreId, Vec<Answer>)>,
    /// The last job that the volunteer worked for.
    job: Option<String>,
    /// The results that the volunteer sent most recently.
    said: VecDeque<Answer>,
    /// When a value is lent again, the volunteer sends wrong answers for its earlier loans.
    is_spiteful: bool,
    claims: bool,
    withholds: Option<Instant>,
    deaf: Option<Instant>,
    repeats: Option<Instant>,
    fails: Option<Instant>,
    lends: Option<Instant>,
    next_lie: Instant,
    /// The number of items that the volunteer has answered rightly.
    right: usize,
}

/// The continuation after a link ends.
enum After {
    /// The volunteer reconnects after a while.
    Back(Duration),
    /// Another volunteer comes in its place after a while.
    Another(Duration),
    /// The volunteer reconnects at once, while this link stays open.
    Twin,
}

impl Volunteer {
    pub(crate) fn new(context: Arc<Context>, character: Character, mut chance: Chance) -> Self {
        let device = new_device(&mut chance);
        Self {
            context,
            host: host(&character, &device),
            device,
            chance,
            steps: character.steps.iter().cloned().collect(),
            cores: Cores::default(),
            withheld: Vec::new(),
            job: None,
            said: VecDeque::new(),
            character,
            is_spiteful: false,
            claims: false,
            withholds: None,
            deaf: None,
            repeats: None,
            fails: None,
            lends: None,
            next_lie: Instant::now(),
            right: 0,
        }
    }

    /// Connects, and connects again after each link, until this future is dropped.
    pub(crate) async fn live(mut self) {
        sleep(self.character.joins).await;
        loop {
            let address = self.context.address(self.character.afar);
            let life = self.context.life();
            let Ok(link) = Link::open(&address, self.character.latency).await else {
                sleep(10 * MS + self.chance.time(50 * MS)).await;
                continue;
            };
            // A relay answers for its masters, and a master that ends answers nobody.
            let is_certain = self.context.life() == life && self.context.plan.relay.is_none();
            let mut session = Session::new(link, is_certain.then_some(life));
            let after = self.attend(&mut session, &address).await;
            self.host.lost();
            self.tell(&format!("its link ends, with {:?} held", self.held()));
            match after {
                After::Back(time) => {
                    drop(session);
                    sleep(time).await;
                }
                After::Another(_) if !self.character.stays => return,
                After::Another(time) => {
                    drop(session);
                    self.become_another();
                    sleep(time).await;
                }
                After::Twin => {
                    let time = self.chance.time(400 * MS);
                    tokio::spawn(async move {
                        sleep(time).await;
                        drop(session);
                    });
                }
            }
        }
    }

    fn become_another(&mut self) {
        // Liars are as many as planned, however often they come back.
        if self.character.lie.is_none() {
            self.device = new_device(&mut self.chance);
        }
        self.host = host(&self.character, &self.device);
        self.cores = Cores::default();
        self.withheld.clear();
        self.said.clear();
        self.job = None;
    }

    /// The loans whose answers were not sent.
    fn held(&self) -> Vec<Loan> {
        self.host.held().collect()
    }

    async fn attend(&mut self, session: &mut Session, address: &Address) -> After {
        self.introduce(session, address);
        loop {
            let wake = self.next(session);
            let message = tokio::select! {
                message = session.link.incoming.next(), if self.deaf.is_none() => Some(message),
                () = tokio::time::sleep_until(wake.into()) => None,
            };
            let now = Instant::now();
            match message {
                Some(Some(Ok(message))) => {
                    if let Err(after) = self.receive(session, message, now) {
                        return after;
                    }
                }
                Some(_) => return self.soon(),
                None => {}
            }
            if let Err(after) = self.pass_time(session, address, now).await {
                return after;
            }
        }
    }

    /// Says hello. Among its loans are those whose answers may be lost on their way.
    fn introduce(&mut self, session: &mut Session, address: &Address) {
        let now = Instant::now();
        self.host.connected(&address.token, now);
        let Some(Frame::Text(text)) = self.host.next_frame(now) else { return };
        let Ok(ToMaster::Hello(mut hello)) = serde_json::from_str(&text) else { return };
        hello.holds.extend(self.said.iter().map(|answer| answer.loan));
        if std::mem::take(&mut self.claims) {
            hello.holds.extend(lies::ids(&mut self.chance, self.context.count()));
        }
        hello.kind = self.chance.one(&["browser", "native", ""]).into();
        self.tell(&format!("joins, holds {:?}", hello.holds));
        session.say(&ToMaster::Hello(hello));
    }

    fn soon(&mut self) -> After {
        After::Back(self.chance.time(50 * MS))
    }

    /// The next time at which the volunteer has to act, even if no message comes.
    fn next(&self, session: &Session) -> Instant {
        let step = self.steps.front().map(|(at, _)| self.context.start() + *at);
        let modes = [self.withholds, self.deaf, self.repeats, self.fails, self.lends, step];
        let claimed = session.claimed.as_ref().map(|(until, _)| *until);
        let silent = self.host.silent_at().filter(|_| self.deaf.is_none());
        let lie = (self.character.cores == 0).then_some(self.next_lie);
        let times = [claimed, silent, lie, self.cores.next(), self.host.due()];
        modes.into_iter().chain(times).flatten().min().unwrap_or_else(Instant::now)
    }

    fn receive(
        &mut self,
        session: &mut Session,
        message: Message,
        now: Instant,
    ) -> Result<(), After> {
        match message {
            Message::Binary(frame) => match session.values(frame.clone()) {
                Ok(values) => self.values(session, &values, Frame::Binary(frame), now),
                Err(error) => self.context.complain(format!("the master sent a {error}")),
            },
            Message::Text(text) => match serde_json::from_str(&text) {
                Ok(message) => return self.message(session, message, now),
                Err(error) => self.context.complain(format!("the master said {text}: {error}")),
            },
            Message::Close(_) => return Err(self.soon()),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
        }
        Ok(())
    }

    fn values(
        &mut self,
        session: &mut Session,
        values: &[(Loan, Value)],
        frame: Frame,
        now: Instant,
    ) {
        for (loan, value) in values {
            if !self.context.is_item(session.life, loan.index, &value.bytes) {
                let complaint = format!("the master sent {value:?} for {loan:?}, which is not it");
                self.context.complain(complaint);
            }
            self.context.note(session.life, |computed| {
                computed.sent.insert(loan.index);
            });
        }
        if self.is_spiteful {
            self.answer_what_is_over(session, values);
        }
        if let Some(Unfit::Returns { careful }) = self.character.unfit {
            session.hand_back(values.iter().map(|(loan, _)| *loan).collect(), careful);
        } else {
            self.tell_host(frame, now);
        }
    }

    fn tell_host(&mut self, frame: Frame, now: Instant) {
        if let Err(error) = self.host.receive(frame, now) {
            self.context.complain(format!("the host understands no {error}"));
        }
    }

    fn message(
        &mut self,
        session: &mut Session,
        message: ToVolunteer,
        now: Instant,
    ) -> Result<(), After> {
        match message {
            ToVolunteer::Welcome(welcome) => self.welcomed(session, welcome, now),
            ToVolunteer::Bye { reason, text, .. } => {
                let fine = ["done", "stopped", "replaced"].contains(&&*reason);
                if !fine && !session.lied {
                    self.context.complain(format!(
                        "{} was sent away: {reason}: {text}",
                        self.character.name
                    ));
                }
                self.tell(&format!("is told {reason}"));
                return Err(self.soon());
            }
            other => self.tell_host(Frame::json(&other), now),
        }
        Ok(())
    }

    async fn pass_time(
        &mut self,
        session: &mut Session,
        address: &Address,
        now: Instant,
    ) -> Result<(), After> {
        while let Some((_, step)) =
            self.steps.pop_front_if(|(at, _)| self.context.start() + *at <= now)
        {
            self.tell(&format!("{step:?}"));
            self.step(session, address, step, now).await?;
        }
        for mode in [&mut self.withholds, &mut self.repeats, &mut self.fails] {
            mode.take_if(|until| *until <= now);
        }
        if self.deaf.take_if(|until| *until <= now).is_some() {
            self.host.slept(now);
        }
        if self.lends.take_if(|until| *until <= now).is_some() {
            self.host.lend(self.character.cores, now);
        }
        if let Some((_, ids)) = session.claimed.take_if(|(until, _)| *until <= now) {
            session.hand_back(ids, false);
        }
        if self.host.due().is_some_and(|at| at <= now) {
            self.host.pass_time(now);
        }
        self.compute(now);
        self.send(session, now);
        if self.character.cores == 0 && self.next_lie <= now {
            self.next_lie = now + 5 * MS + self.chance.time(50 * MS);
            self.lie_about_everything(session);
        }
        if self.deaf.is_none() && self.host.silent_at().is_some_and(|at| at <= now) {
            self.tell("hears nothing");
            return Err(self.soon());
        }
        Ok(())
    }

    /// Lets the cores compute, and gives their answers to the host.
    fn compute(&mut self, now: Instant) {
        loop {
            self.cores.obey(&mut self.host, now);
            let mut calls = Calls {
                job: &self.context.plan.job,
                chance: &mut self.chance,
                longest: self.context.plan.job.latency.mul_f64(self.character.slowness * 2.0),
                lie: self.character.lie.as_ref(),
                right: &mut self.right,
                fails: self.fails.is_some() || self.character.unfit == Some(Unfit::Fails),
                forges: self.context.forge,
                shuffles: self.character.shuffles,
            };
            self.withheld.extend(self.cores.advance(now, &mut calls));
            if self.withholds.is_some() || self.withheld.is_empty() {
                return;
            }
            self.answer(now);
        }
    }

    /// Gives answers to the host, in a random number of frames.
    fn answer(&mut self, now: Instant) {
        for (id, done) in std::mem::take(&mut self.withheld) {
            let mut rest = &done[..];
            while !rest.is_empty() {
                let (some, others) = rest.split_at(self.chance.0.usize(1..=rest.len()));
                self.host.answered(id, some, now);
                rest = others;
            }
        }
    }

    /// Sends the frames of the host, and perhaps all recent results again.
    fn send(&mut self, session: &mut Session, now: Instant) {
        let mut answers = Vec::new();
        while let Some(frame) = self.host.next_frame(now) {
            answers.extend(session.send(frame));
        }
        self.note_right(session, &answers);
        // No part of a long frame is missing now, so that other long frames may follow.
        if !answers.is_empty() && self.repeats.is_some() {
            session.answer(&answers);
            session.answer(self.said.make_contiguous());
        }
        self.said.extend(answers);
        self.said.drain(..self.said.len().saturating_sub(REMEMBERED));
    }

    fn tell(&self, what: &str) {
        self.context.tell(&format!("{} {what}", self.character.name));
    }
}

/// The identifier of a new device.
fn new_device(chance: &mut Chance) -> String {
    format!("{:016x}", chance.0.u64(..))
}

fn host(character: &Character, device: &str) -> Host {
    Host::new(Introduction {
        device: device.to_owned(),
        name: character.name.clone(),
        kind: "native".into(),
        cores: character.cores,
    })
}
