//! What passes between the host and the children of one core, one child after the other.
//!
//! Lines bear no names: an answer is known by its place alone, and a line too many makes all that follow the answers of others. So what a child
//! writes counts only where it can be an answer: not before a value was written, not for a value of which the child has not read a byte, and not
//! when nothing is owed. The first value is written when the child has been quiet for a while, and alone, and so is the second. Their
//! answers count once no line has followed either, as far as time allows.

use super::{
    super::{
        core::{CoreId, FromCore, Voice},
        group::Member,
        stray::{LAST_WORDS, stray},
    },
    LONGEST, PATIENCE, Program,
    pipe::{Pipe, unread},
};
use crate::protocol::{self, Answer, Binary, Failure, Form, Loan};
use bytes::{Bytes, BytesMut};
use pando_protocol::core::CoreMessage;
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

/// What a shell exits with when it cannot run the command.
const NOT_EXECUTABLE: i32 = 126;
/// What a shell exits with when there is no such command.
const NOT_FOUND: i32 = 127;
/// Bytes asked of a child's output at a time.
const BLOCK: usize = 64 * 1024;
/// So long a program that has not answered anything yet is left alone at its start: what it writes then answers no value.
const START: Duration = Duration::from_millis(100);
/// So long no line must follow an answer, at least.
const QUIET: Duration = Duration::from_millis(50);
/// It is a fourth of the time that the first answer took, up to this,
const FIRST_QUIET: Duration = Duration::from_millis(200);
/// and for the second one half as long again as the longer of both took, up to this.
const SECOND_QUIET: Duration = Duration::from_millis(500);
/// The first answer counts if no second value comes within this time,
const NEXT: Duration = Duration::from_millis(100);
/// or once that takes so long.
const UNSURE: Duration = Duration::from_secs(1);
/// Other values follow one that is to be alone when that takes so long: a child may wait for several.
const ALONE: Duration = Duration::from_secs(1);
/// Children that end before they have been given a value, one after the other, at most.
const STILLBIRTHS: u32 = 3;
/// An answer that took as long as this, and after which nothing is owed, is held back for [`BREATH`].
const SLOW: Duration = Duration::from_millis(50);
/// See [`SLOW`].
const BREATH: Duration = Duration::from_millis(1);

/// See the module.
pub(super) struct Talk {
    id: CoreId,
    voice: Voice,
    program: Program,
    frames: mpsc::UnboundedReceiver<Bytes>,
    /// Comes back when nobody wants the core any more.
    dropped: oneshot::Receiver<()>,
    /// Values that have not been written to the present child.
    waiting: VecDeque<(Loan, Bytes)>,
    /// Those that have, and have no answer.
    given: VecDeque<Given>,
    /// Answers that are held back.
    held: Vec<Answer>,
    /// Answers that the host has and that do not count yet.
    unsure: u32,
    /// The value that the host was last told of as begun.
    begun: Option<Loan>,
    /// When the first of those given could be begun.
    since: Instant,
    /// What is waited for, and until when.
    due: Option<(Due, Instant)>,
    /// Answers of the present child.
    answered: u64,
    /// Children that ended before they were given a value, since one answered.
    stillbirths: u32,
    /// The time that the last answer took, and the longest.
    took: Duration,
    longest: Duration,
}

struct Given {
    loan: Loan,
    value: Bytes,
    /// The byte of the child's input at which it begins.
    start: u64,
}

/// How talking with a child ends.
enum End {
    /// Nobody wants it any more.
    Killed,
    /// It wrote something that answers no value.
    Talks,
    /// Its output is closed, after this beginning of a line.
    Closed(BytesMut),
}

/// What follows the end of a child.
enum Outcome {
    /// Another goes on.
    Again,
    /// Nothing: it wrote something that answers no value.
    Talks,
    /// The core ends with it, and says so.
    Over(FromCore),
}

/// What is waited for.
#[derive(Clone, Copy)]
enum Due {
    /// The child may be given a value.
    Start,
    /// No line has followed the answer that is held back.
    Quiet,
    /// The next value should have come.
    Next,
    /// It takes too long to wait for its answer.
    Unsure,
    /// It should have ended.
    Close,
}

impl Talk {
    pub(super) fn new(
        id: CoreId,
        voice: Voice,
        program: Program,
        frames: mpsc::UnboundedReceiver<Bytes>,
        dropped: oneshot::Receiver<()>,
    ) -> Self {
        Self {
            id,
            voice,
            program,
            frames,
            dropped,
            waiting: VecDeque::new(),
            given: VecDeque::new(),
            held: Vec::new(),
            unsure: 0,
            begun: None,
            since: Instant::now(),
            due: None,
            answered: 0,
            stillbirths: 0,
            took: Duration::ZERO,
            longest: Duration::ZERO,
        }
    }

    /// Talks with one child after the other, the `first` of which is there. Gives what is last to be said of the core, if anything is.
    pub(super) async fn live(mut self, first: (Child, Member)) -> Option<FromCore> {
        let (mut child, mut member) = first;
        loop {
            let stray = tokio::spawn(stray(child.stderr.take().expect("piped"), self.id, self.voice.clone()));
            let outcome = self.talk_with(&mut child).await;
            member.kill();
            let _ = child.kill().await;
            let _ = timeout(LAST_WORDS, stray).await;
            match outcome {
                Outcome::Over(last) => return Some(last),
                Outcome::Again if self.has_value().await => {}
                // That the program talks ends the run, and is said of no value.
                Outcome::Again | Outcome::Talks => return None,
            }
            (child, member) = match self.program.spawn() {
                Ok(next) => next,
                Err(error) => return Some(FromCore::Ended(format!("it cannot be started again: {error}"))),
            };
        }
    }

    async fn talk_with(&mut self, child: &mut Child) -> Outcome {
        let pipe = Pipe::new(child.stdin.take().expect("piped"));
        let outcome = match self.run(pipe, child.stdout.take().expect("piped")).await {
            End::Killed => Outcome::Over(FromCore::Ended("killed".into())),
            End::Talks => Outcome::Talks,
            End::Closed(rest) => {
                let (status, why) = ended(child).await;
                self.closed(rest, status, why).await
            }
        };
        if let Outcome::Talks = outcome {
            self.program.known.talks.send_replace(true);
        }
        outcome
    }

    /// Until the child's output ends, it writes what is no answer, or its core is dropped. Then, if it owes nothing, it may read its input to
    /// the end: what it writes now, or had written before, was too much.
    async fn run(&mut self, mut pipe: Pipe, mut output: ChildStdout) -> End {
        (self.answered, self.begun) = (0, None);
        self.due = (!self.program.known.is_proven()).then(|| (Due::Start, Instant::now() + START));
        let (mut buffer, mut scanned) = (BytesMut::new(), 0);
        loop {
            if matches!(self.due, None | Some((Due::Next | Due::Unsure, _))) {
                self.write_ahead(&mut pipe);
            }
            self.tell_what_begins().await;
            buffer.reserve(BLOCK);
            let (wanted, now) = (pipe.is_open(), Instant::now());
            let lonely = self.is_alone() && !self.waiting.is_empty() && !self.program.known.is_one_shot();
            tokio::select! {
                Some(frame) = self.frames.recv(), if wanted => self.take(frame).await,
                _ = &mut self.dropped, if wanted => {
                    // One that ends by itself was told apart by its end; another may not be made for the end of its input.
                    if self.owes() || self.answered == 0 || self.program.known.ends.load(Ordering::Relaxed) {
                        return End::Killed;
                    }
                    pipe.close();
                    self.due = Some((Due::Close, now + (self.longest * 2).clamp(PATIENCE, LONGEST)));
                }
                () = pipe.write(), if pipe.has_outgoing() => {}
                () = sleep_until((self.since + ALONE).into()), if lonely => {}
                () = sleep_until(self.due.map_or(now, |(_, at)| at).into()), if self.due.is_some() => {
                    if let Some(Due::Close) = self.is_due().await {
                        return End::Killed;
                    }
                }
                read = output.read_buf(&mut buffer) => {
                    if !matches!(read, Ok(1..)) {
                        return if wanted { End::Closed(buffer) } else { End::Killed };
                    }
                    if !self.answers(&mut buffer, &mut scanned, pipe.read())
                        || self.given.is_empty() && (!buffer.is_empty() || unread(&output) > Some(0))
                    {
                        return End::Talks;
                    }
                    self.say_what_counts().await;
                }
            }
        }
    }

    /// What was waited for is due: gives what that is.
    async fn is_due(&mut self) -> Option<Due> {
        let (due, _) = self.due.take()?;
        let later = |due, time| Some((due, Instant::now() + time));
        match due {
            Due::Quiet if self.unsure == 1 => self.due = later(Due::Next, NEXT),
            Due::Next if !self.given.is_empty() => self.due = later(Due::Unsure, UNSURE),
            Due::Quiet | Due::Next | Due::Unsure => self.release().await,
            Due::Start | Due::Close => {}
        }
        Some(due)
    }

    /// Answers came: says those that count, and waits for what may follow the others.
    async fn say_what_counts(&mut self) {
        if !self.given.is_empty() {
            return self.say_held().await;
        }
        let Some(time) = self.quiet() else { return self.release().await };
        if !self.program.known.is_proven() {
            self.say_unsure().await;
        }
        self.due = Some((Due::Quiet, Instant::now() + time));
    }

    /// The child's output is closed, after `rest`, and it ended with `status`. When it ended well and had answered something, another goes on.
    async fn closed(&mut self, rest: BytesMut, status: Option<ExitStatus>, why: String) -> Outcome {
        let known = self.program.known.clone();
        let ended_well = status.is_some_and(|status| status.success());
        // As in any text, the last line may lack its end.
        if ended_well
            && !rest.is_empty()
            && let Some(given) = self.given.pop_front()
        {
            self.answer(given.loan, rest.freeze());
        }
        if ended_well && self.answered > 0 {
            known.ends.store(true, Ordering::Relaxed);
            known.one_shot.fetch_or(self.answered == 1, Ordering::Relaxed);
            self.release().await;
            while let Some(given) = self.given.pop_back() {
                self.waiting.push_front((given.loan, given.value));
            }
            return Outcome::Again;
        }
        self.say_held().await;
        let is_stillborn = self.answered == 0 && self.given.is_empty();
        if let (false, Some(NOT_EXECUTABLE | NOT_FOUND)) = (known.is_proven(), status.and_then(|status| status.code())) {
            let message = format!("the command cannot be run ({why})");
            return Outcome::Over(FromCore::Message(CoreMessage::Broken { message, stack: None }));
        }
        if !is_stillborn {
            return Outcome::Over(FromCore::Ended(why));
        }
        self.stillbirths += 1;
        if self.stillbirths <= STILLBIRTHS {
            return Outcome::Again;
        }
        let message = format!("the command ends before it has been given a value, again and again ({why})");
        Outcome::Over(FromCore::Message(CoreMessage::Broken { message, stack: None }))
    }

    /// Whether there is a value for another child; false when nobody wants the core any more.
    async fn has_value(&mut self) -> bool {
        while self.waiting.is_empty() {
            tokio::select! {
                Some(frame) = self.frames.recv() => self.take(frame).await,
                _ = &mut self.dropped => return false,
            }
        }
        true
    }

    fn owes(&self) -> bool {
        !(self.given.is_empty() && self.waiting.is_empty() && self.held.is_empty() && self.unsure == 0)
    }

    /// Values came.
    async fn take(&mut self, frame: Bytes) {
        let Ok(Binary::Values(values)) = Binary::decode(frame) else { return };
        for (loan, value) in values {
            if memchr::memchr(self.program.separator, &value.bytes).is_none() {
                self.waiting.push_back((loan, value.bytes));
                continue;
            }
            let message = "it holds a newline, and would be taken for two: separate values with NUL by -0".into();
            let failure = Failure { message, stack: None, kind: "framing".into() };
            self.say(&[Answer { loan, micros: 0, result: Err(failure) }]).await;
        }
    }

    /// Whether the child has a value, and is to have no other beside it: as long as little is known of it, or when it ends after one.
    fn is_alone(&self) -> bool {
        let known = &self.program.known;
        let at_first = (self.answered == 0 || !known.is_proven()) && self.since.elapsed() < ALONE;
        !self.given.is_empty() && (at_first || known.is_one_shot())
    }

    /// Gives the child what it may be given.
    fn write_ahead(&mut self, pipe: &mut Pipe) {
        while !self.is_alone()
            && let Some((loan, value)) = self.waiting.pop_front()
        {
            if self.given.is_empty() {
                self.since = Instant::now();
            }
            let start = pipe.push(&value, self.program.separator);
            self.given.push_back(Given { loan, value, start });
        }
    }

    /// Takes answers out of what the child wrote, having read so many bytes. False: some of it answers no value.
    fn answers(&mut self, buffer: &mut BytesMut, scanned: &mut usize, read: u64) -> bool {
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

    fn answer(&mut self, loan: Loan, line: Bytes) {
        let now = Instant::now();
        self.took = now.saturating_duration_since(self.since);
        self.longest = self.longest.max(self.took);
        self.since = now;
        self.answered += 1;
        self.stillbirths = 0;
        let result = match self.program.json.then(|| serde_json::from_slice::<serde::de::IgnoredAny>(&line)) {
            Some(Err(error)) => {
                Err(Failure { message: format!("its answer is not valid JSON: {error}"), stack: None, kind: "json".into() })
            }
            _ => Ok((Form::Bytes, line)),
        };
        self.held.push(Answer { loan, micros: self.took.as_micros() as u64, result });
    }

    /// How long an answer after which nothing is owed is held back: a line that follows shows that it may be none. At first, and where that
    /// costs little.
    fn quiet(&self) -> Option<Duration> {
        match &self.program.known {
            known if !known.is_proven() && self.unsure == 0 => Some((self.took / 4).clamp(QUIET, FIRST_QUIET)),
            known if !known.is_proven() => Some((self.longest * 3 / 2).clamp(QUIET, SECOND_QUIET)),
            known if known.is_one_shot() => Some(QUIET),
            _ => (self.took >= SLOW).then_some(BREATH),
        }
    }

    /// Answers are in the host's hands, so that it gives the next value, and do not count yet.
    async fn say_unsure(&mut self) {
        self.unsure += 1;
        let held = std::mem::take(&mut self.held);
        let _ = self.voice.send((self.id, FromCore::Unsure(protocol::encode_results(&held)))).await;
    }

    /// What is held back counts, and what comes later does so at once.
    async fn release(&mut self) {
        self.program.known.proven.store(true, Ordering::Relaxed);
        if std::mem::take(&mut self.unsure) > 0 {
            let _ = self.voice.send((self.id, FromCore::Sure)).await;
        }
        self.say_held().await;
    }

    async fn say_held(&mut self) {
        let held = std::mem::take(&mut self.held);
        self.say(&held).await;
    }

    async fn say(&self, answers: &[Answer]) {
        if !answers.is_empty() {
            let _ = self.voice.send((self.id, FromCore::Results(protocol::encode_results(answers)))).await;
        }
    }

    /// Tells the host which value the child is at: those before it are answered.
    async fn tell_what_begins(&mut self) {
        let first = self.given.front().map(|given| given.loan);
        if let Some(id) = first.filter(|_| first != self.begun) {
            self.begun = first;
            let _ = self.voice.send((self.id, FromCore::Message(CoreMessage::Started { id }))).await;
        }
    }
}

async fn ended(child: &mut Child) -> (Option<ExitStatus>, String) {
    match timeout(LAST_WORDS, child.wait()).await {
        Ok(Ok(status)) => (Some(status), status.to_string()),
        _ => (None, "it closed its standard output".into()),
    }
}
