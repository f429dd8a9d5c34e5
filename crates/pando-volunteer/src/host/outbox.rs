//! Messages and results on their way to the master.

use bytes::Bytes;
use pando_protocol::volunteer::{
    Answer, Binary, Cutter, Frame, Loan, Malformed, PART, ToMaster, encode_results,
};
use std::collections::VecDeque;

/// A frame of results.
#[derive(Debug, Clone)]
pub(super) struct Results {
    frame: Bytes,
    loans: Vec<Loan>,
}

impl Results {
    /// The results of `answers`.
    pub(super) fn of(answers: &[Answer]) -> Self {
        Self {
            frame: encode_results(answers),
            loans: answers.iter().map(|answer| answer.loan).collect(),
        }
    }

    /// The results in a frame of a core, and their duration in microseconds altogether.
    pub(super) fn decode(frame: Bytes) -> Result<(Self, u64), Malformed> {
        let answers = answers(frame.clone())?;
        let micros = answers.iter().fold(0, |sum: u64, answer| sum.saturating_add(answer.micros));
        Ok((Self { frame, loans: answers.iter().map(|answer| answer.loan).collect() }, micros))
    }

    /// Whether the frame is sent in parts.
    fn is_long(&self) -> bool {
        self.frame.len() > PART
    }

    /// The loans of the results.
    pub(super) fn loans(&self) -> &[Loan] {
        &self.loans
    }

    /// Drops all results except those that `keeps` accepts; returns whether any is left.
    pub(super) fn keep(&mut self, keeps: &impl Fn(&Loan) -> bool) -> bool {
        if !self.loans.iter().all(keeps) {
            let mut answers = answers(self.frame.clone()).unwrap_or_default();
            answers.retain(|answer| keeps(&answer.loan));
            *self = Self::of(&answers);
        }
        !self.loans.is_empty()
    }
}

fn answers(frame: Bytes) -> Result<Vec<Answer>, Malformed> {
    match Binary::decode(frame)? {
        Binary::Results(answers) => Ok(answers),
        _ => Err(Malformed("it is not of results")),
    }
}

/// What waits for the link, in order. Other frames go between the parts of a long one.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    queue: VecDeque<Unsent>,
    /// The results of which some parts are sent.
    begun: Option<Results>,
    cutter: Cutter,
}

#[derive(Debug)]
enum Unsent {
    Message(ToMaster),
    Results(Results),
}

impl Unsent {
    /// The loans that are over as soon as this is sent.
    fn loans(&self) -> &[Loan] {
        match self {
            Self::Results(results) => results.loans(),
            Self::Message(ToMaster::Returned { ids, .. }) => ids,
            Self::Message(_) => &[],
        }
    }

    fn is_long(&self) -> bool {
        matches!(self, Self::Results(results) if results.is_long())
    }
}

impl Outbox {
    pub(super) fn say(&mut self, message: ToMaster) {
        self.queue.push_back(Unsent::Message(message));
    }

    pub(super) fn add(&mut self, results: Results) {
        self.queue.push_back(Unsent::Results(results));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty() && !self.cutter.is_busy()
    }

    /// The number of messages and results that wait.
    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    /// The next frame to send.
    pub(super) fn next_frame(&mut self) -> Option<Frame> {
        let is_busy = self.cutter.is_busy();
        match self.queue.pop_front_if(|next| !(is_busy && next.is_long())) {
            Some(Unsent::Message(message)) => Some(Frame::json(&message)),
            Some(Unsent::Results(results)) if results.is_long() => {
                self.cutter.start(results.frame.clone());
                self.begun = Some(results);
                self.next_part()
            }
            Some(Unsent::Results(results)) => Some(Frame::Binary(results.frame)),
            None => self.next_part(),
        }
    }

    fn next_part(&mut self) -> Option<Frame> {
        let part = self.cutter.next_frame().map(Frame::Binary);
        self.begun.take_if(|_| !self.cutter.is_busy());
        part
    }

    /// The link is lost: what was sent only in part is sent again.
    pub(super) fn rewind(&mut self) {
        self.cutter = Cutter::default();
        if let Some(results) = self.begun.take() {
            self.queue.push_front(Unsent::Results(results));
        }
    }

    /// The loans whose answers or returns are not sent.
    pub(super) fn loans(&self) -> impl Iterator<Item = Loan> {
        let begun = self.begun.iter().flat_map(|results| results.loans());
        begun.chain(self.queue.iter().flat_map(Unsent::loans)).copied()
    }

    /// Drops everything except what the volunteer says about itself.
    pub(super) fn keep_updates(&mut self) {
        (self.begun, self.cutter) = (None, Cutter::default());
        self.queue.retain(|unsent| matches!(unsent, Unsent::Message(ToMaster::Update { .. })));
    }

    /// Drops the answers and returns of all loans except those that `keeps` accepts.
    pub(super) fn keep(&mut self, keeps: &impl Fn(&Loan) -> bool) {
        self.rewind();
        self.queue.retain_mut(|outgoing| match outgoing {
            Unsent::Results(results) => results.keep(keeps),
            Unsent::Message(ToMaster::Returned { ids, .. }) => {
                ids.retain(keeps);
                !ids.is_empty()
            }
            Unsent::Message(_) => true,
        });
    }
}
