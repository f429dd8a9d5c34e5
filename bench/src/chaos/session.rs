//! One link of a volunteer, from hello to its end.

use super::context::Context;
use crate::swarm::link::Link;
use bytes::Bytes;
use pando_protocol::volunteer::{Answer, Assembler, Binary, Frame, Loan, Malformed, ToMaster, Value, encode_results};
use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

/// See the module.
pub(crate) struct Session {
    pub(crate) link: Link,
    pub(crate) heartbeat: Duration,
    pub(crate) last_sent: Instant,
    pub(crate) last_received: Instant,
    /// What is this volunteer's for the master, as far as it can know.
    pub(crate) lent: HashSet<Loan>,
    /// The loans that are over: it has answered them, rightly or with an error, or given them back. Whatever it says of one of them over
    /// this link must not count, although the value may be its again.
    pub(crate) over: Vec<Loan>,
    /// What it claimed to have, and has not; until when.
    pub(crate) claimed: Option<(Instant, Vec<Loan>)>,
    /// It has said what it may be sent away for.
    pub(crate) lied: bool,
    assembler: Assembler,
}

impl Session {
    pub(crate) fn new(link: Link, context: &Context, now: Instant) -> Self {
        Self {
            link,
            heartbeat: context.plan.job.heartbeat,
            last_sent: now,
            last_received: now,
            lent: HashSet::new(),
            over: Vec::new(),
            claimed: None,
            lied: false,
            assembler: Assembler::default(),
        }
    }

    pub(crate) fn say(&mut self, message: &ToMaster) {
        self.send(Frame::json(message));
    }

    pub(crate) fn send(&mut self, frame: Frame) {
        self.last_sent = Instant::now();
        self.link.send(frame, self.last_sent);
    }

    /// Says results.
    pub(crate) fn answer(&mut self, answers: &[Answer]) {
        self.send(Frame::Binary(encode_results(answers)));
        self.end(answers.iter().map(|answer| answer.loan));
    }

    /// These are over, as far as they were its.
    pub(crate) fn end(&mut self, loans: impl Iterator<Item = Loan>) {
        for loan in loans {
            if self.lent.remove(&loan) {
                self.over.push(loan);
            }
        }
    }

    /// Hands values back.
    pub(crate) fn hand_back(&mut self, ids: Vec<Loan>, careful: bool) {
        self.end(ids.iter().copied());
        self.say(&ToMaster::Returned { ids, careful });
    }

    /// The values of a frame, once it is whole.
    pub(crate) fn values(&mut self, frame: Bytes) -> Result<Vec<(Loan, Value)>, Malformed> {
        let mut binary = Binary::decode(frame)?;
        if let Binary::Part { total, bytes } = binary {
            let Some(whole) = self.assembler.part(total, &bytes)? else { return Ok(Vec::new()) };
            binary = Binary::decode(whole)?;
        }
        let Binary::Values(values) = binary else { return Err(Malformed("it is not of values")) };
        self.lent.extend(values.iter().map(|(loan, _)| *loan));
        Ok(values)
    }
}
