//! A program in the loop: it is asked for values as cores become free, and told each result as soon as it is there, whatever the order.
//!
//! With `--sync-stdio` it is another process, over standard input and output, one JSON object per line: pando says `{"ask":n}`,
//! `{"result":…,"index":i}` and `{"error":…,"index":i}`, the program `{"value":…}`, `{"cancel":i}` and `{"end":true}`. With
//! [`Feedback`](crate::Feedback) it is this process. Indexes count the values from 1 for people and programs.

use super::{Core, Ending, InputError, Master};
use crate::protocol::{Form, Value};
use bytes::Bytes;
use serde_json::json;
use std::{
    collections::{BTreeSet, VecDeque},
    fmt,
    io::{BufRead, Write},
    task::{Context, Poll},
};
use stream_lender::{Index, Output, SubStreamId};

/// Values that wait for a core, at most: a program that sends more than it was asked for waits.
const MOST_WAITING: usize = 65_536;

/// What the program is told.
#[derive(Debug)]
pub(crate) enum Said {
    /// Cores are free for so many more values.
    Ask(u64),
    /// The result of a value: a JSON text.
    Result(Index, Bytes),
    /// A value failed for good, or was cancelled.
    Error(Index, String),
}

/// What the program says.
#[derive(Debug)]
pub(crate) enum Heard {
    /// The next value.
    Value(Value),
    /// A value that it does not want any more.
    Cancel(Index),
    /// No more values.
    End,
}

/// What there is to say, and what has been asked.
#[derive(Debug, Default)]
pub(crate) struct Sync {
    /// Values that a core has at a time.
    per_core: u64,
    said: VecDeque<Said>,
    /// Bytes of the results that are being said or wait for that.
    bytes: u64,
    /// Those of them that are being said.
    on_their_way: u64,
    /// Values asked for, in all.
    asked: u64,
    /// Values that came, in all.
    came: u64,
    /// Values that nobody wants any more and that have no result.
    cancelled: BTreeSet<Index>,
}

impl Sync {
    pub(crate) fn new(per_core: u64) -> Self {
        Self { per_core, ..Self::default() }
    }

    /// A value came.
    pub(crate) fn count_one(&mut self) {
        self.came += 1;
    }

    /// Whether `index` is not wanted any more; asked once, when it is done or about to be lent.
    pub(crate) fn forgets(&mut self, index: Index) -> bool {
        !self.cancelled.is_empty() && self.cancelled.remove(&index)
    }

    /// Whether `index` was cancelled, and is not done with.
    pub(crate) fn has_cancelled(&self, index: Index) -> bool {
        self.cancelled.contains(&index)
    }

    /// `index` failed for good.
    pub(crate) fn failed(&mut self, index: Index, message: &str) {
        self.said.push_back(Said::Error(index, message.into()));
    }

    /// Bytes of results that the program has not taken.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// All that there is to say; what was taken before has been said.
    fn take_said(&mut self) -> VecDeque<Said> {
        self.bytes -= self.on_their_way;
        self.on_their_way = self.bytes;
        std::mem::take(&mut self.said)
    }

    fn pop_said(&mut self) -> Option<Said> {
        let said = self.said.pop_front()?;
        if let Said::Result(_, result) = &said {
            self.bytes -= result.len() as u64;
        }
        Some(said)
    }

    /// Whether there is something to say.
    pub(crate) fn has_said(&self) -> bool {
        !self.said.is_empty()
    }
}

impl Core {
    /// Asks for as many values as cores are free, besides those on their way.
    pub(crate) fn ask_for_more(&mut self) {
        let Some(sync) = &mut self.sync else { return };
        if !self.lender.input_is_open() {
            return;
        }
        let each = sync.per_core;
        let seats = self.seats.iter().filter(|(_, seat)| !seat.replaced && !seat.stands_back);
        let free =
            seats.map(|(sub, seat)| (u64::from(seat.cores) * each).saturating_sub(self.lender.held(*sub) as u64)).sum::<u64>();
        let on_their_way = (sync.asked.max(sync.came) - sync.came) + self.input.len() as u64 + self.lender.waiting() as u64;
        if let Some(more) = free.checked_sub(on_their_way).filter(|more| *more > 0) {
            sync.asked = sync.asked.max(sync.came) + more;
            sync.said.push_back(Said::Ask(more));
        }
    }

    /// `index` has its result: it is output, or said at once.
    pub(crate) fn finish(&mut self, sub: SubStreamId, index: Index, result: Bytes) -> bool {
        let entry = self.entry(index, &result);
        let Some(sync) = &mut self.sync else {
            let accepted = self.lender.result(sub, index, Some(result)).is_ok();
            if accepted {
                self.record(entry);
            }
            return accepted;
        };
        let accepted = self.lender.result(sub, index, None).is_ok();
        if accepted && !sync.forgets(index) {
            sync.bytes += result.len() as u64;
            sync.said.push_back(Said::Result(index, result));
        }
        accepted
    }

    /// Whether `index`, lent to `sub` or failed there, is not wanted any more: then it is done with.
    pub(crate) fn forgets(&mut self, sub: SubStreamId, index: Index) -> bool {
        let forgets = self.sync.as_mut().is_some_and(|sync| sync.forgets(index));
        if forgets {
            let _ = self.lender.result(sub, index, None);
        }
        forgets
    }

    /// Results were said when they came: their places in the order are only given free. Gives how the run ended, if it did.
    fn give_places_free(&mut self) -> Option<Ending> {
        loop {
            match self.lender.next_output() {
                Output::Item(..) => {}
                Output::Pending => return None,
                Output::Failed(error) => return Some(self.ending(Some(error))),
                Output::Done => return Some(self.ending(None)),
            }
        }
    }

    fn cancel(&mut self, index: Index) {
        let Some(sync) = &mut self.sync else { return };
        if index >= sync.came || self.lender.is_settled(index) || !sync.cancelled.insert(index) {
            return;
        }
        sync.failed(index, "cancelled");
        if let Some(seat) = self.lender.holder(index).and_then(|sub| self.seats.get_mut(&sub)) {
            seat.recalls.push(index);
            seat.wake.notify_one();
        }
    }
}

impl Master {
    /// Hears the program, on `source`, to its end. Blocks.
    pub fn hear(&self, source: impl BufRead) {
        for (number, line) in source.lines().enumerate() {
            let heard = match line {
                Ok(line) if line.trim().is_empty() => continue,
                Ok(line) => understand(&line).map_err(|why| format!("line {} of standard input: {why}", number + 1)),
                Err(error) => Err(format!("standard input cannot be read: {error}")),
            };
            match heard {
                Ok(Heard::End) => break,
                Ok(heard) => self.heard(heard),
                Err(why) => return self.end_input(Err(InputError::new(why))),
            }
            self.wait_for_room();
        }
        self.heard(Heard::End);
    }

    /// Does as the program says.
    pub(crate) fn heard(&self, heard: Heard) {
        match heard {
            Heard::Value(value) => self.put(value),
            Heard::Cancel(index) => self.with(|core| core.cancel(index)),
            Heard::End => self.end_input(Ok(())),
        }
    }

    fn wait_for_room(&self) {
        let mut core = self.lock();
        while core.input.len() >= MOST_WAITING && core.lender.input_is_open() {
            core = self.input_wanted.wait(core).expect("no task panics while it holds the lock");
        }
    }

    /// Talks to the program, on `sink`, until the run ends. Blocks.
    pub fn talk(&self, mut sink: impl Write) -> Ending {
        loop {
            let (said, ending) = self.wait_for_words();
            let written = said.iter().try_for_each(|said| writeln!(sink, "{said}")).and_then(|()| sink.flush());
            if let Err(error) = written {
                return self.cannot_write(&error);
            }
            if let Some(ending) = ending {
                return ending;
            }
        }
    }

    fn wait_for_words(&self) -> (VecDeque<Said>, Option<Ending>) {
        let mut core = self.lock();
        loop {
            let ending = core.give_places_free();
            self.wake(&mut core);
            let said = core.sync.as_mut().map(Sync::take_said).unwrap_or_default();
            self.let_go(&mut core);
            if ending.is_some() || !said.is_empty() {
                return (said, ending);
            }
            core.output_waits = true;
            core = self.output_ready.wait(core).expect("no task panics while it holds the lock");
        }
    }

    /// The next that the program is to be told, or how the run ended.
    pub(crate) fn poll_said(&self, context: &mut Context<'_>) -> Poll<Result<Said, Ending>> {
        let mut core = self.lock();
        let ending = core.give_places_free();
        self.wake(&mut core);
        let next = core.sync.as_mut().and_then(Sync::pop_said);
        self.let_go(&mut core);
        match (next, ending) {
            (Some(said), _) => Poll::Ready(Ok(said)),
            (None, Some(ending)) => Poll::Ready(Err(ending)),
            (None, None) => self.wait_for_output(&mut core, context),
        }
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ask(count) => write!(f, r#"{{"ask":{count}}}"#),
            Self::Result(index, result) => {
                write!(f, r#"{{"result":{},"index":{}}}"#, String::from_utf8_lossy(result), index + 1)
            }
            Self::Error(index, message) => f.write_str(&json!({"error": message, "index": index + 1}).to_string()),
        }
    }
}

/// Understands one line of the program.
fn understand(line: &str) -> Result<Heard, String> {
    const FORMS: &str = r#"say {"value":…}, {"cancel":i} or {"end":true}"#;
    let message: serde_json::Value = serde_json::from_str(line).map_err(|error| format!("not valid JSON ({error}): {FORMS}"))?;
    if let Some(value) = message.get("value") {
        return Ok(Heard::Value(Value::new(value.to_string().into(), Form::Json)));
    }
    if let Some(index) = message.get("cancel").and_then(serde_json::Value::as_u64).filter(|index| *index > 0) {
        return Ok(Heard::Cancel(index - 1));
    }
    match message.get("end") {
        Some(serde_json::Value::Bool(true)) => Ok(Heard::End),
        _ => Err(format!("not understood: {FORMS}")),
    }
}
