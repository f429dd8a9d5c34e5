//! The values of a child: which it gets, and when.

use super::{ALONE, ChildSession, GivenValue};
use crate::{engine::CoreEvent, program::pipe::Pipe};
use bytes::Bytes;
use pando_protocol::{
    core::CoreMessage,
    volunteer::{Answer, Binary, Failure},
};
use std::time::Instant;

impl ChildSession {
    /// Waits for a value for the next child; returns false if the core is dropped.
    pub(super) async fn wait_for_value(&mut self) -> bool {
        while self.waiting.is_empty() {
            tokio::select! {
                Some(frame) = self.frames.recv() => self.take(frame).await,
                _ = &mut self.dropped => return false,
            }
        }
        true
    }

    pub(super) fn owes(&self) -> bool {
        !(self.given.is_empty()
            && self.waiting.is_empty()
            && self.held.is_empty()
            && self.unsure == 0)
    }

    /// Takes a frame of values.
    pub(super) async fn take(&mut self, frame: Bytes) {
        let Ok(Binary::Values(values)) = Binary::decode(frame) else { return };
        for (loan, value) in values {
            if memchr::memchr(self.program.options.separator, &value.bytes).is_none() {
                self.waiting.push_back((loan, value.bytes));
                continue;
            }
            let message =
                "it holds a newline, and would be taken for two: separate values with NUL by -0";
            let failure = Failure::new(message, "framing").into();
            self.say(&[Answer { loan, micros: 0, result: Err(failure) }]).await;
        }
    }

    /// Whether the child has a value and must not get a second one: while the program is unproven,
    /// or because children end after a single answer.
    pub(super) fn is_alone(&self) -> bool {
        let facts = &self.program.facts;
        let at_first = (self.answered == 0 || !self.proven) && self.since.elapsed() < ALONE;
        !self.given.is_empty() && (at_first || facts.is_one_shot())
    }

    /// Gives the child all permitted values.
    pub(super) fn write_ahead(&mut self, pipe: &mut Pipe) {
        while !self.is_alone()
            && let Some((loan, value)) = self.waiting.pop_front()
        {
            if self.given.is_empty() {
                self.since = Instant::now();
            }
            let start = pipe.push(&value, self.program.options.separator);
            self.given.push_back(GivenValue { loan, value, start });
        }
    }

    /// Tells the host which value the child has begun; all earlier values are answered.
    pub(super) async fn tell_what_begins(&mut self) {
        let first = self.given.front().map(|given| given.loan);
        if let Some(id) = first.filter(|_| first != self.begun) {
            self.begun = first;
            let _ =
                self.events.send((self.id, CoreEvent::Message(CoreMessage::Started { id }))).await;
        }
    }
}
