//! One link of a volunteer, from hello to its end.

use super::context::Context;
use crate::swarm::link::Link;
use bytes::Bytes;
use pando::protocol::{Answer, Assembler, Binary, Frame, Malformed, ToMaster, Value, encode_results};
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
    pub(crate) lent: HashSet<u64>,
    /// What it has answered rightly while that was its.
    pub(crate) answered: Vec<u64>,
    /// What it claimed to have, and has not; until when.
    pub(crate) claimed: Option<(Instant, Vec<u64>)>,
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
            answered: Vec::new(),
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
        for answer in answers {
            if self.lent.remove(&answer.id) && answer.result.is_ok() {
                self.answered.push(answer.id);
            }
        }
    }

    /// Hands values back.
    pub(crate) fn hand_back(&mut self, ids: Vec<u64>, careful: bool) {
        for id in &ids {
            self.lent.remove(id);
        }
        self.say(&ToMaster::Returned { ids, careful });
    }

    /// The values of a frame, once it is whole.
    pub(crate) fn values(&mut self, frame: Bytes) -> Result<Vec<(u64, Value)>, Malformed> {
        let mut binary = Binary::decode(frame)?;
        if let Binary::Part { total, bytes } = binary {
            let Some(whole) = self.assembler.part(total, &bytes)? else { return Ok(Vec::new()) };
            binary = Binary::decode(whole)?;
        }
        let Binary::Values(values) = binary else { return Err(Malformed("it is not of values")) };
        self.lent.extend(values.iter().map(|(id, _)| *id));
        Ok(values)
    }
}
