//! The answers of a child: which lines are answers, and from when on they count.

use super::ChildSession;
use crate::engine::CoreEvent;
use crate::program::MOST_BYTES;
use bytes::{Bytes, BytesMut};
use pando_protocol::volunteer::{Answer, Failure, Form, Loan, encode_results};
use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

/// The least time after an answer in which no line may follow.
const QUIET: Duration = Duration::from_millis(50);
/// The greatest such time for the first answer; the time is a fourth of the answer's duration.
const FIRST_QUIET: Duration = Duration::from_millis(200);
/// The greatest such time for the second answer; the time is one and a half times the longer
/// duration of the two answers.
const SECOND_QUIET: Duration = Duration::from_millis(500);
/// The least duration of an answer that is held back for [`BREATH`] if no other answer is due.
const SLOW: Duration = Duration::from_millis(50);
/// See [`SLOW`].
const BREATH: Duration = Duration::from_millis(1);
/// The most characters of a failure that the program tells.
const LONGEST_MESSAGE: usize = 10_000;

impl ChildSession {
    /// Takes answers out of the child's output, given that the child has read `read` bytes.
    /// Returns false if a line answers no value.
    pub(super) fn answers(
        &mut self,
        buffer: &mut BytesMut,
        scanned: &mut usize,
        read: u64,
    ) -> bool {
        while let Some(at) = memchr::memchr(self.program.options.separator, &buffer[*scanned..]) {
            let mut line = buffer.split_to(*scanned + at + 1);
            *scanned = 0;
            line.truncate(line.len() - 1);
            match self.given.pop_front().filter(|given| given.start < read) {
                Some(given) => self.answer(given.loan, line.freeze()),
                None => return false,
            }
        }
        *scanned = buffer.len();
        true
    }

    pub(super) fn answer(&mut self, loan: Loan, line: Bytes) {
        let now = Instant::now();
        self.took = now.saturating_duration_since(self.since);
        self.longest = self.longest.max(self.took);
        self.since = now;
        self.answered += 1;
        self.stillbirths = 0;
        let result = self.result(line).map_err(Box::new);
        self.held.push(Answer { loan, micros: self.took.as_micros() as u64, result });
    }

    /// The result in an answer, or the failure that the program tells.
    fn result(&self, line: Bytes) -> Result<(Form, Bytes), Failure> {
        if let Some(why) = line.strip_prefix(self.program.error_mark.as_bytes()) {
            let why = String::from_utf8_lossy(why);
            let told = why.trim();
            let message = if told.is_empty() { "the program tells a failure" } else { told };
            return Err(Failure::new(
                message.chars().take(LONGEST_MESSAGE).collect::<String>(),
                "error",
            ));
        }
        if line.len() > MOST_BYTES {
            let message = format!("its answer has more than {MOST_BYTES} bytes");
            return Err(Failure::new(message, "length"));
        }
        if self.program.options.json
            && let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(&line)
        {
            return Err(Failure::new(format!("its answer is not valid JSON: {error}"), "json"));
        }
        Ok((Form::Bytes, line))
    }

    /// How long to hold back an answer after which no other is due, because a line that follows
    /// would prove it wrong. Only done for first answers, and where waiting costs little.
    pub(super) fn quiet(&self) -> Option<Duration> {
        if self.proven {
            let facts = &self.program.facts;
            return if facts.is_one_shot() {
                Some(QUIET)
            } else {
                (self.took >= SLOW).then_some(BREATH)
            };
        }
        Some(match self.unsure {
            0 => (self.took / 4).clamp(QUIET, FIRST_QUIET),
            _ => (self.longest * 3 / 2).clamp(QUIET, SECOND_QUIET),
        })
    }

    /// Gives the host answers that do not count yet, in exchange for the next value.
    pub(super) async fn say_unsure(&mut self) {
        self.unsure += 1;
        let held = std::mem::take(&mut self.held);
        let _ = self.events.send((self.id, CoreEvent::Tentative(encode_results(&held)))).await;
    }

    /// Makes all answers so far count, and later answers count at once.
    pub(super) async fn release(&mut self) {
        self.proven = true;
        self.program.facts.proven.store(true, Ordering::Relaxed);
        if std::mem::take(&mut self.unsure) > 0 {
            let _ = self.events.send((self.id, CoreEvent::Confirmed)).await;
        }
        self.say_held().await;
    }

    pub(super) async fn say_held(&mut self) {
        let held = std::mem::take(&mut self.held);
        self.say(&held).await;
    }

    pub(super) async fn say(&self, answers: &[Answer]) {
        if !answers.is_empty() {
            let _ = self.events.send((self.id, CoreEvent::Results(encode_results(answers)))).await;
        }
    }
}
