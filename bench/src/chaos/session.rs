//! One connection of a volunteer, from its hello to its end.

use super::context::Context;
use crate::swarm::link::Link;
use bytes::Bytes;
use pando_protocol::volunteer::{
    Answer, Assembler, Binary, Frame, Loan, Malformed, ToMaster, Value, encode_results,
};
use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

/// The state of one connection.
pub(crate) struct Session {
    pub(crate) link: Link,
    pub(crate) heartbeat: Duration,
    pub(crate) last_sent: Instant,
    pub(crate) last_received: Instant,
    /// The loans that this volunteer holds in the master's view, as far as the volunteer can know.
    pub(crate) lent: HashSet<Loan>,
    /// The loans that are over, because the volunteer answered or returned them. No later message
    /// about such a loan over this link may count, although the volunteer may hold the same value
    /// again.
    pub(crate) over: Vec<Loan>,
    /// The loans that the volunteer claimed but does not have, and the time when it gives them
    /// back.
    pub(crate) claimed: Option<(Instant, Vec<Loan>)>,
    /// The volunteer has sent something for which the master may close the channel.
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

    /// Sends results.
    pub(crate) fn answer(&mut self, answers: &[Answer]) {
        self.send(Frame::Binary(encode_results(answers)));
        self.end(answers.iter().map(|answer| answer.loan));
    }

    /// Marks the given loans as over, if the volunteer holds them.
    pub(crate) fn end(&mut self, loans: impl Iterator<Item = Loan>) {
        for loan in loans {
            if self.lent.remove(&loan) {
                self.over.push(loan);
            }
        }
    }

    /// Hands values back to the master.
    pub(crate) fn hand_back(&mut self, ids: Vec<Loan>, careful: bool) {
        self.end(ids.iter().copied());
        self.say(&ToMaster::Returned { ids, careful });
    }

    /// The values of a frame; empty until the last part of a long frame has come.
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
