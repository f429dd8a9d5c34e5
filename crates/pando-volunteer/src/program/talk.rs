//! The exchange between the host and the children of one core, one child after the other.
//!
//! Lines have no names: an answer belongs to a value by its place alone, and after one extra line
//! all answers would belong to wrong values. So a line counts only where it can be an answer. It
//! is an error if a child writes a line before it got a value, or for a value of which it has not
//! read a byte, or when no answer is due. The first value is written after the child has been
//! quiet for a while, and alone; so is the second. Their answers count once no further line has
//! followed, as far as time allows. A child that replaces one that died begins like the first one.

mod answers;
mod values;

use super::{
    LONGEST, PATIENCE, Program,
    pipe::{Pipe, unread},
};
use crate::{
    engine::{CoreEvent, CoreEvents, CoreId},
    group::Member,
    stray::{LAST_WORDS, stray},
};
use bytes::{Bytes, BytesMut};
use pando_protocol::{
    core::CoreMessage,
    volunteer::{Answer, Loan},
};
use std::{
    collections::VecDeque,
    process::ExitStatus,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};
use tokio::{
    io::AsyncReadExt,
    process::{Child, ChildStdout},
    sync::{mpsc, oneshot},
    time::{sleep_until, timeout},
};

/// The exit code of a shell that cannot run the command.
const NOT_EXECUTABLE: i32 = 126;
/// The exit code of a shell that does not find the command.
const NOT_FOUND: i32 = 127;
/// Most bytes read from a child's output at a time.
const BLOCK: usize = 64 * 1024;
/// How long after its start an unproven child gets no value. Lines in this period
/// answer no value.
const START: Duration = Duration::from_millis(100);
/// The first answer counts if no second value comes within this time.
const NEXT: Duration = Duration::from_millis(100);
/// The first answer also counts if the second value takes this long.
const UNSURE: Duration = Duration::from_secs(1);
/// How long a value stays the only one of its child. Then other values follow, because the child
/// may wait for several.
const ALONE: Duration = Duration::from_secs(1);
/// Most children in a row that end before the first value.
const MAX_FAILED_STARTS: u32 = 3;

/// The state of the exchange; see the module.
pub(super) struct ChildSession {
    id: CoreId,
    events: CoreEvents,
    program: Program,
    command: String,
    frames: mpsc::UnboundedReceiver<Bytes>,
    /// Returns when the core is dropped.
    dropped: oneshot::Receiver<()>,
    /// Values that have not been written to the present child.
    waiting: VecDeque<(Loan, Bytes)>,
    /// Values that have been written and have no answer.
    given: VecDeque<GivenValue>,
    /// Answers that are held back.
    held: Vec<Answer>,
    /// The number of answers at the host that do not count yet.
    unsure: u32,
    /// The value that was last reported to the host as begun.
    begun: Option<Loan>,
    /// The earliest time at which the child can have begun the first value of `given`.
    since: Instant,
    /// The next timed event, and its time.
    timer: Option<(Timer, Instant)>,
    /// Whether a child has answered a value without any extra line.
    proven: bool,
    /// The number of answers of the present child.
    answered: u64,
    /// The number of children that ended before the first value, since the last answer.
    stillbirths: u32,
    /// The duration of the last answer, and the longest duration.
    took: Duration,
    longest: Duration,
}

struct GivenValue {
    loan: Loan,
    value: Bytes,
    /// The position of the value in the child's input, in bytes.
    start: u64,
}

/// How the exchange with a child ends.
enum TalkEnd {
    /// The core was dropped.
    Killed,
    /// The child wrote a line that answers no value.
    Talks,
    /// The child closed the output after this incomplete line.
    Closed(BytesMut),
}

/// The consequence of a child's end.
enum Outcome {
    /// Another child replaces the child.
    Again,
    /// Nothing: the child wrote a line that answers no value.
    Talks,
    /// The core ends with the child, and reports this event.
    Over(CoreEvent),
}

/// A timed event.
#[derive(Clone, Copy)]
enum Timer {
    /// The child may be given a value.
    Start,
    /// No line has followed the answer that is held back.
    Quiet,
    /// The next value has not come in time.
    Next,
    /// The next value takes too long.
    Tentative,
    /// The child has not ended in time.
    Close,
}

impl ChildSession {
    pub(super) fn new(
        id: CoreId,
        events: CoreEvents,
        program: Program,
        command: String,
        frames: mpsc::UnboundedReceiver<Bytes>,
        dropped: oneshot::Receiver<()>,
    ) -> Self {
        Self {
            id,
            events,
            program,
            command,
            frames,
            dropped,
            waiting: VecDeque::new(),
            given: VecDeque::new(),
            held: Vec::new(),
            unsure: 0,
            begun: None,
            since: Instant::now(),
            timer: None,
            proven: false,
            answered: 0,
            stillbirths: 0,
            took: Duration::ZERO,
            longest: Duration::ZERO,
        }
    }

    /// Talks with one child after the other, starting with `first`. Returns the last event of the
    /// core, if there is one.
    pub(super) async fn live(mut self, first: (Child, Member)) -> Option<CoreEvent> {
        let (mut child, mut member) = first;
        loop {
            let stray = tokio::spawn(stray(
                child.stderr.take().expect("piped"),
                self.id,
                self.events.clone(),
            ));
            let outcome = self.talk_with(&mut child, &member).await;
            member.kill();
            let _ = child.kill().await;
            let _ = timeout(LAST_WORDS, stray).await;
            match outcome {
                Outcome::Over(last) => return Some(last),
                Outcome::Again if self.wait_for_value().await => {}
                // Extra lines end the run, and are not charged to a value.
                Outcome::Again | Outcome::Talks => return None,
            }
            (child, member) = match self.program.spawn(&self.command) {
                Ok(next) => next,
                Err(error) => {
                    return Some(CoreEvent::Ended(format!("it cannot be started again: {error}")));
                }
            };
        }
    }

    async fn talk_with(&mut self, child: &mut Child, member: &Member) -> Outcome {
        let outcome = match self.run(child, member).await {
            TalkEnd::Killed => Outcome::Over(CoreEvent::Ended("killed".into())),
            TalkEnd::Talks => Outcome::Talks,
            TalkEnd::Closed(rest) => {
                let (status, why) = ended(child).await;
                self.closed(rest, status, why).await
            }
        };
        if let Outcome::Talks = outcome {
            self.program.facts.talks.send_replace(true);
        }
        outcome
    }

    /// Runs until the child's output ends, the child writes a line that is no answer, or the core
    /// is dropped. After the drop, a child that owes no answer reads its input to the end: any
    /// line from then on is an extra line. What the child has left running ends with it, and may
    /// not keep its output open.
    async fn run(&mut self, child: &mut Child, member: &Member) -> TalkEnd {
        let mut pipe = Pipe::new(child.stdin.take().expect("piped"));
        let mut output: ChildStdout = child.stdout.take().expect("piped");
        let mut last_words: Option<Instant> = None;
        (self.answered, self.begun) = (0, None);
        self.timer = (!self.proven).then(|| (Timer::Start, Instant::now() + START));
        let (mut buffer, mut scanned) = (BytesMut::new(), 0);
        loop {
            if matches!(self.timer, None | Some((Timer::Next | Timer::Tentative, _))) {
                self.write_ahead(&mut pipe);
            }
            self.tell_what_begins().await;
            buffer.reserve(BLOCK);
            let (wanted, now) = (pipe.is_open(), Instant::now());
            let lonely =
                self.is_alone() && !self.waiting.is_empty() && !self.program.facts.is_one_shot();
            tokio::select! {
                Some(frame) = self.frames.recv(), if wanted => self.take(frame).await,
                _ = &mut self.dropped, if wanted => {
                    // At the end of the input, a child prints any lines kept back. Waiting for
                    // extra lines is pointless while answers are due or before the first answer,
                    // and needless if children end by themselves.
                    if self.owes() || self.answered == 0 || self.program.facts.ends.load(Ordering::Relaxed) {
                        return TalkEnd::Killed;
                    }
                    pipe.close();
                    self.timer = Some((Timer::Close, now + (self.longest * 2).clamp(PATIENCE, LONGEST)));
                }
                () = pipe.write(), if pipe.has_outgoing() => {}
                () = sleep_until((self.since + ALONE).into()), if lonely => {}
                () = sleep_until(self.timer.map_or(now, |(_, at)| at).into()), if self.timer.is_some() => {
                    if let Some(Timer::Close) = self.handle_timer().await {
                        return TalkEnd::Killed;
                    }
                }
                _ = child.wait(), if last_words.is_none() => {
                    member.kill();
                    last_words = Some(now + LAST_WORDS);
                }
                // A process outside the group keeps the output open.
                () = sleep_until(last_words.unwrap_or(now).into()), if last_words.is_some() => {
                    if unread(&output).unwrap_or(0) == 0 {
                        return if wanted { TalkEnd::Closed(buffer) } else { TalkEnd::Killed };
                    }
                    last_words = Some(now + LAST_WORDS);
                }
                read = output.read_buf(&mut buffer) => {
                    if !matches!(read, Ok(1..)) {
                        return if wanted { TalkEnd::Closed(buffer) } else { TalkEnd::Killed };
                    }
                    if !self.answers(&mut buffer, &mut scanned, pipe.read())
                        || self.given.is_empty() && (!buffer.is_empty() || unread(&output) > Some(0))
                    {
                        return TalkEnd::Talks;
                    }
                    self.say_what_counts().await;
                }
            }
        }
    }

    /// Handles the timed event that is due, and returns its kind.
    async fn handle_timer(&mut self) -> Option<Timer> {
        let (timer, _) = self.timer.take()?;
        let later = |timer, time| Some((timer, Instant::now() + time));
        match timer {
            Timer::Quiet if self.unsure == 1 => self.timer = later(Timer::Next, NEXT),
            Timer::Next if !self.given.is_empty() => self.timer = later(Timer::Tentative, UNSURE),
            Timer::Quiet | Timer::Next | Timer::Tentative => self.release().await,
            Timer::Start | Timer::Close => {}
        }
        Some(timer)
    }

    /// After new answers: gives the host the answers that count, and waits for lines after the
    /// others.
    async fn say_what_counts(&mut self) {
        if !self.given.is_empty() {
            return self.say_held().await;
        }
        let Some(time) = self.quiet() else { return self.release().await };
        if !self.proven {
            self.say_unsure().await;
        }
        self.timer = Some((Timer::Quiet, Instant::now() + time));
    }

    /// Handles the end of a child that closed its output after `rest` and ended with `status`.
    /// After a successful end with at least one answer, another child takes over.
    async fn closed(&mut self, rest: BytesMut, status: Option<ExitStatus>, why: String) -> Outcome {
        let facts = self.program.facts.clone();
        let ended_well = status.is_some_and(|status| status.success());
        // As in any text, the last line may lack its end.
        if ended_well
            && !rest.is_empty()
            && let Some(given) = self.given.pop_front()
        {
            self.answer(given.loan, rest.freeze());
        }
        if ended_well && self.answered > 0 {
            facts.ends.store(true, Ordering::Relaxed);
            facts.one_shot.fetch_or(self.answered == 1, Ordering::Relaxed);
            self.release().await;
            while let Some(given) = self.given.pop_back() {
                self.waiting.push_front((given.loan, given.value));
            }
            return Outcome::Again;
        }
        self.say_held().await;
        let is_stillborn = self.answered == 0 && self.given.is_empty();
        if let (false, Some(NOT_EXECUTABLE | NOT_FOUND)) =
            (facts.is_proven(), status.and_then(|status| status.code()))
        {
            let message = format!("the command cannot be run ({why})");
            return Outcome::Over(CoreEvent::Message(CoreMessage::Broken { message, stack: None }));
        }
        if !is_stillborn {
            let silent = if ended_well { ", without an answer" } else { "" };
            return Outcome::Over(CoreEvent::Ended(why + silent));
        }
        self.stillbirths += 1;
        if self.stillbirths <= MAX_FAILED_STARTS {
            return Outcome::Again;
        }
        let message =
            format!("the command ends before it has been given a value, again and again ({why})");
        Outcome::Over(CoreEvent::Message(CoreMessage::Broken { message, stack: None }))
    }
}

async fn ended(child: &mut Child) -> (Option<ExitStatus>, String) {
    match timeout(LAST_WORDS, child.wait()).await {
        Ok(Ok(status)) => (Some(status), status.to_string()),
        _ => (None, "it closed its standard output".into()),
    }
}
