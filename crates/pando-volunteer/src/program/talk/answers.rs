//! The answers of a child: which lines are answers, and from when on they count.

use super::ChildSession;
use crate::engine::CoreEvent;
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

impl ChildSession {
    /// Takes answers out of the child's output, given that the child has read `read` bytes.
    /// Returns false if a line answers no value.
    pub(super) fn answers(
        &mut self,
        buffer: &mut BytesMut,
        scanned: &mut usize,
        read: u64,
    ) -> bool {
        while let Some(at) = memchr::memchr(self.program.separator, &buffer[*scanned..]) {
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
        let result =
            match self.program.json.then(|| serde_json::from_slice::<serde::de::IgnoredAny>(&line))
            {
                Some(Err(error)) => Err(Failure {
                    message: format!("its answer is not valid JSON: {error}"),
                    stack: None,
                    kind: "json".into(),
                }),
                _ => Ok((Form::Bytes, line)),
            };
        self.held.push(Answer { loan, micros: self.took.as_micros() as u64, result });
    }

    /// How long to hold back an answer after which no other is due, because a line that follows
    /// would prove it wrong. Only done for first answers, and where waiting costs little.
    pub(super) fn quiet(&self) -> Option<Duration> {
        match &self.program.facts {
            facts if !facts.is_proven() && self.unsure == 0 => {
                Some((self.took / 4).clamp(QUIET, FIRST_QUIET))
            }
            facts if !facts.is_proven() => Some((self.longest * 3 / 2).clamp(QUIET, SECOND_QUIET)),
            facts if facts.is_one_shot() => Some(QUIET),
            _ => (self.took >= SLOW).then_some(BREATH),
        }
    }

    /// Gives the host answers that do not count yet, in exchange for the next value.
    pub(super) async fn say_unsure(&mut self) {
        self.unsure += 1;
        let held = std::mem::take(&mut self.held);
        let _ = self.events.send((self.id, CoreEvent::Tentative(encode_results(&held)))).await;
    }

    /// Makes all answers so far count, and later answers count at once.
    pub(super) async fn release(&mut self) {
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
