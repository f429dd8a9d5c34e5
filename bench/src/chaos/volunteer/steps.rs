//! The steps of a volunteer, and its lies.

use super::{After, Volunteer};
use crate::{
    chaos::{
        lies::{self, Lie},
        plan::Step,
        session::Session,
        stranger,
    },
    swarm::link::Address,
};
use pando_protocol::volunteer::{Answer, Failure, Frame, Loan, ToMaster, Value, encode_results};
use std::time::{Duration, Instant};
use tokio::time::sleep;

impl Volunteer {
    /// Carries out one step of the plan.
    pub(super) async fn step(
        &mut self,
        session: &mut Session,
        address: &Address,
        step: Step,
        now: Instant,
    ) -> Result<(), After> {
        match step {
            Step::Die(time) => return Err(After::Another(time)),
            Step::Cut(time) => return Err(After::Back(time)),
            Step::Freeze(time) => {
                sleep(time).await;
                self.cores.stood_still(time);
                self.host.slept(Instant::now());
            }
            Step::Withhold(time) => self.withholds = Some(now + time),
            Step::Deaf(time) => self.deaf = Some(now + time),
            Step::Repeat(time) => self.repeats = Some(now + time),
            Step::Fail(time) => self.fails = Some(now + time),
            Step::Leave(time) => {
                if self.chance.toss(0.2) {
                    session.hand_back(self.held(), true);
                }
                self.host.leave(self.chance.one(&["left", "hidden", "bored"]));
                self.send(session, now);
                // The writer of the link needs a moment.
                sleep(self.character.latency + Duration::from_millis(5)).await;
                return Err(After::Another(time));
            }
            Step::Lend(cores, time) => {
                self.lends = Some(now + time);
                self.host.lend(cores, now);
            }
            Step::Twin => return Err(After::Twin),
            Step::Lie(lie) => return self.lie(session, address, lie),
        }
        Ok(())
    }

    fn lie(&mut self, session: &mut Session, address: &Address, lie: Lie) -> Result<(), After> {
        let (chance, count) = (&mut self.chance, self.context.count());
        match lie {
            Lie::Results => {
                let over = session.over.clone();
                let ids = lies::beyond(chance, count).into_iter().chain(over);
                let frame = lies::wrong(chance, ids);
                session.send(Frame::Binary(frame));
            }
            Lie::Twice => self.lie_twice(session),
            Lie::Returned => {
                let mut ids: Vec<Loan> = self.host.held().collect();
                ids.extend(&session.over);
                ids.extend(lies::ids(chance, count));
                session.hand_back(ids, chance.toss(0.5));
            }
            Lie::Holds => {
                self.claims = true;
                return Err(self.soon());
            }
            Lie::Started => session.say(&lies::started(chance, count)),
            Lie::Chatter => drop(session.send(lies::chatter(chance, count))),
            Lie::Malformed => {
                session.lied = true;
                session.send(lies::malformed(chance, count));
            }
            Lie::Misplaced => {
                session.lied = true;
                match chance.of_range(0..3) {
                    0 => self.introduce(session, address),
                    1 => session.say(&ToMaster::Broken {
                        message: "it cannot be loaded".into(),
                        stack: Some("\u{1b}c".into()),
                    }),
                    _ => session.say(&ToMaster::Bye { reason: "left".into() }),
                }
            }
            Lie::Hello => drop(tokio::spawn(stranger::wrong_hello(address.clone(), chance.fork()))),
            Lie::Stranger => drop(tokio::spawn(stranger::stranger(address.clone(), chance.fork()))),
        }
        Ok(())
    }

    /// Sends an error for a loan, and then a wrong result for it. Only the first answer may count.
    fn lie_twice(&mut self, session: &mut Session) {
        self.is_spiteful = true;
        let ids = self.held();
        let Some(loan) = ids.iter().find(|loan| session.lent.contains(loan)).copied() else {
            return;
        };
        let failure = Failure::new("the first of two answers", "error").into();
        let error = Answer { loan, micros: 1, result: Err(failure) };
        let wrong = lies::wrong(&mut self.chance, [loan]);
        if self.chance.toss(0.5) {
            session.answer(&[error]);
            session.send(Frame::Binary(wrong));
        } else {
            let both = [&encode_results([&error])[..], &wrong[1..]].concat();
            session.send(Frame::Binary(both.into()));
        }
    }

    /// Sends wrong answers for the earlier loans of values that are lent again.
    pub(super) fn answer_what_is_over(&mut self, session: &mut Session, values: &[(Loan, Value)]) {
        let again = |over: &&Loan| values.iter().any(|(loan, _)| loan.index == over.index);
        let over: Vec<Loan> = session.over.iter().filter(again).copied().collect();
        if !over.is_empty() {
            session.send(Frame::Binary(lies::wrong(&mut self.chance, over)));
        }
    }

    /// Lies about random values. The volunteer lends no core, so it never holds a value, and every
    /// statement is false.
    pub(super) fn lie_about_everything(&mut self, session: &mut Session) {
        let (chance, count) = (&mut self.chance, self.context.count());
        let ids = lies::ids(chance, count);
        match chance.of_range(0..6) {
            0..3 => {
                let frame = lies::wrong(chance, ids);
                session.send(Frame::Binary(frame));
            }
            3 => session.say(&ToMaster::Returned { ids, careful: chance.toss(0.5) }),
            4 => session.say(&lies::started(chance, count)),
            _ => drop(session.send(lies::chatter(chance, count))),
        }
    }
}
