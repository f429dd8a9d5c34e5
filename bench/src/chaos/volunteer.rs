//! A simulated volunteer: it computes the job's function, and carries out the steps of its plan.

mod steps;

use super::{
    chance::Chance,
    context::Context,
    lies,
    plan::{Character, Step, Unfit},
    session::Session,
    work::Work,
};
use crate::swarm::link::{Address, Link};
use futures_util::StreamExt;
use pando_protocol::volunteer::{
    Answer, Beat, Failure, Hello, Loan, ToMaster, ToVolunteer, VERSION, Value, Welcome,
};
use serde_json::json;
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
    device: String,
    /// The last job that the volunteer worked for.
    job: Option<String>,
    work: Work,
    /// The results that the volunteer sent most recently.
    said: VecDeque<Answer>,
    /// The number of cores that the volunteer lends now.
    cores: u32,
    /// When a value is lent again, the volunteer sends wrong answers for its earlier loans.
    is_spiteful: bool,
    claims: bool,
    withholds: Option<Instant>,
    deaf: Option<Instant>,
    repeats: Option<Instant>,
    fails: Option<Instant>,
    lends: Option<Instant>,
    next_lie: Instant,
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
        Self {
            context,
            device: format!("{:016x}", chance.0.u64(..)),
            chance,
            steps: character.steps.iter().cloned().collect(),
            job: None,
            work: Work::default(),
            said: VecDeque::new(),
            cores: character.cores,
            character,
            is_spiteful: false,
            claims: false,
            withholds: None,
            deaf: None,
            repeats: None,
            fails: None,
            lends: None,
            next_lie: Instant::now(),
        }
    }

    /// Connects, and connects again after each link, until this future is dropped.
    pub(crate) async fn live(mut self) {
        sleep(self.character.joins).await;
        loop {
            let address = self.context.address(self.character.afar);
            let Ok(link) = Link::open(&address, self.character.latency).await else {
                sleep(10 * MS + self.chance.time(50 * MS)).await;
                continue;
            };
            let mut session = Session::new(link, &self.context, Instant::now());
            let after = self.attend(&mut session, &address).await;
            self.tell(&format!("its link ends, with {:?} held", self.work.ids()));
            match after {
                After::Back(time) => {
                    drop(session);
                    sleep(time).await;
                }
                After::Another(_) if !self.character.stays => return,
                After::Another(time) => {
                    drop(session);
                    (self.device, self.job) = (format!("{:016x}", self.chance.0.u64(..)), None);
                    self.forget();
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

    fn forget(&mut self) {
        self.work = Work::default();
        self.said.clear();
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
                    session.last_received = now;
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

    fn introduce(&mut self, session: &mut Session, address: &Address) {
        let mut holds = self.work.ids();
        holds.extend(self.said.iter().map(|answer| answer.loan));
        if std::mem::take(&mut self.claims) {
            holds.extend(lies::ids(&mut self.chance, self.context.count));
        }
        self.tell(&format!("joins, holds {holds:?}"));
        session.say(&ToMaster::Hello(Hello {
            version: VERSION,
            token: address.token.clone(),
            device: self.device.clone(),
            name: self.character.name.clone(),
            cores: self.cores,
            job: self.job.clone(),
            holds,
            kind: self.chance.one(&["browser", "native", ""]).into(),
            path: None,
            reloaded: false,
        }));
    }

    fn soon(&mut self) -> After {
        After::Back(self.chance.time(50 * MS))
    }

    /// The next time at which the volunteer has to act, even if no message comes.
    fn next(&self, session: &Session) -> Instant {
        let step = self.steps.front().map(|(at, _)| self.context.start() + *at);
        let modes = [self.withholds, self.deaf, self.repeats, self.fails, self.lends, step];
        let claimed = session.claimed.as_ref().map(|(until, _)| *until);
        let silent = self.deaf.is_none().then_some(session.last_received + session.heartbeat * 3);
        let lie = (self.character.cores == 0).then_some(self.next_lie);
        let times = modes
            .into_iter()
            .flatten()
            .chain(claimed)
            .chain(silent)
            .chain(lie)
            .chain(self.work.next());
        times.fold(session.last_sent + session.heartbeat, Instant::min)
    }

    fn receive(
        &mut self,
        session: &mut Session,
        message: Message,
        now: Instant,
    ) -> Result<(), After> {
        match message {
            Message::Binary(frame) => match session.values(frame) {
                Ok(values) => {
                    if self.is_spiteful {
                        self.answer_what_is_over(session, &values);
                    }
                    let loans: Vec<Loan> = values.iter().map(|(loan, _)| *loan).collect();
                    values.into_iter().for_each(|(loan, value)| self.value(loan, value));
                    if let Some(Unfit::Returns { careful }) = self.character.unfit {
                        session.hand_back(self.work.recall(&loans), careful);
                    }
                }
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

    fn value(&mut self, loan: Loan, value: Value) {
        let read =
            usize::try_from(loan.index).ok().and_then(|at| self.context.plan.job.values.get(at));
        if read.is_none_or(|read| read.as_bytes() != value.bytes) {
            self.context
                .complain(format!("the master sent {value:?} for {loan:?}, which is {read:?}"));
        } else {
            self.work.add(loan, value);
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
            ToVolunteer::Recall { ids } => {
                let ids = self.work.recall(&ids);
                session.hand_back(ids, false);
            }
            ToVolunteer::Ping(beat) => session.say(&ToMaster::Pong(beat)),
            ToVolunteer::Pong(_) => {}
            ToVolunteer::Bye { reason, text } => {
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
        }
        Ok(())
    }

    fn welcomed(&mut self, session: &mut Session, welcome: Welcome, now: Instant) {
        self.tell(&format!("is welcome, keeps {:?}", welcome.keep));
        if self.job.as_ref().is_some_and(|job| *job != welcome.job) {
            self.forget();
        }
        self.job = Some(welcome.job);
        session.lent.extend(&welcome.keep);
        for answer in std::mem::take(&mut self.said)
            .into_iter()
            .filter(|answer| welcome.keep.contains(&answer.loan))
        {
            self.work.add_done(answer);
        }
        self.work.keep(&welcome.keep);
        let has = self.work.ids();
        let claimed: Vec<Loan> = welcome.keep.into_iter().filter(|id| !has.contains(id)).collect();
        session.claimed =
            (!claimed.is_empty()).then(|| (now + self.chance.time(300 * MS), claimed));
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
            session.last_received = now;
        }
        if self.lends.take_if(|until| *until <= now).is_some() {
            self.lend(session, self.character.cores);
        }
        if let Some((_, ids)) = session.claimed.take_if(|(until, _)| *until <= now) {
            session.hand_back(ids, false);
        }
        self.compute(now);
        self.answer(session);
        let items = self.work.long_calls(now);
        if !items.is_empty() {
            session.say(&ToMaster::Started { items, loading: None });
        }
        if self.character.cores == 0 && self.next_lie <= now {
            self.next_lie = now + 5 * MS + self.chance.time(50 * MS);
            self.lie_about_everything(session);
        }
        if self.deaf.is_none() && now >= session.last_received + session.heartbeat * 3 {
            self.tell("hears nothing");
            return Err(self.soon());
        }
        if now >= session.last_sent + session.heartbeat {
            session.say(&ToMaster::Ping(Beat { t: json!(0) }));
        }
        Ok(())
    }

    fn compute(&mut self, now: Instant) {
        let (job, forge) = (&self.context.plan.job, self.context.forge);
        let mean = job.latency.mul_f64(self.character.slowness * 2.0);
        let fails = self.fails.is_some() || self.character.unfit == Some(Unfit::Fails);
        let answer = |chance: &mut Chance, loan, value: &Value, time: Duration| {
            let result = match fails {
                true => {
                    let kind = chance.one(&["error", "throw", "timeout", "died"]).into();
                    Err(Failure { message: "it fails for a while".into(), stack: None, kind })
                }
                false if forge && chance.toss(0.02) => Ok((value.form, "\"forged\"".into())),
                false => job.answer(value),
            };
            Answer { loan, micros: time.as_micros() as u64, result }
        };
        let chance = (&mut self.chance, self.character.shuffles);
        self.work.advance(now, self.cores as usize, |chance| chance.time(mean), answer, chance);
    }

    /// Sends the finished results, in a random number of frames.
    fn answer(&mut self, session: &mut Session) {
        if self.withholds.is_some() {
            return;
        }
        let done = self.work.take_done();
        let mut rest = &done[..];
        while !rest.is_empty() {
            let (some, others) = rest.split_at(self.chance.0.usize(1..=rest.len()));
            session.answer(some);
            if self.repeats.is_some() {
                session.answer(some);
                session.answer(self.said.make_contiguous());
            }
            self.said.extend(some.iter().cloned());
            rest = others;
        }
        self.said.drain(..self.said.len().saturating_sub(REMEMBERED));
    }

    fn lend(&mut self, session: &mut Session, cores: u32) {
        self.cores = cores;
        session.say(&ToMaster::Update { name: None, cores: Some(cores) });
    }

    fn tell(&self, what: &str) {
        self.context.tell(&format!("{} {what}", self.character.name));
    }
}
