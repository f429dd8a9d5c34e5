//! `--sync-stdio`: a program in the loop, over standard input and output, one JSON object per line.
//!
//! Pando says `{"ask":n}` when cores are free for n more values, `{"result":…,"index":i}` and `{"error":…,"index":i}` as soon as a value is
//! done, whatever the order; the program says `{"value":…}`, `{"cancel":i}` and `{"end":true}`. Indexes count the values from 1.

use super::{Core, Ending, InputError, Master};
use crate::protocol::{Form, Value};
use bytes::Bytes;
use serde_json::json;
use std::{
    collections::{BTreeSet, VecDeque},
    io::{BufRead, ErrorKind, Write},
};
use stream_lender::{Index, Output, SubStreamId};

/// Values that wait for a core, at most: a program that sends more than it was asked for waits.
const MOST_WAITING: usize = 65_536;

/// What there is to say, and what has been asked.
#[derive(Debug, Default)]
pub(crate) struct Sync {
    /// Values that a core has at a time.
    per_core: u64,
    lines: VecDeque<String>,
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

    /// Whether `index` is not wanted any more; asked once, when it is done or about to be lent.
    pub(crate) fn forgets(&mut self, index: Index) -> bool {
        !self.cancelled.is_empty() && self.cancelled.remove(&index)
    }

    /// `index` is done.
    pub(crate) fn done(&mut self, index: Index, result: &[u8]) {
        let result = String::from_utf8_lossy(result);
        self.lines.push_back(format!("{{\"result\":{result},\"index\":{}}}", index + 1));
    }

    /// `index` failed for good.
    pub(crate) fn failed(&mut self, index: Index, message: &str) {
        self.lines.push_back(json!({"error": message, "index": index + 1}).to_string());
    }

    pub(crate) fn has_lines(&self) -> bool {
        !self.lines.is_empty()
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
        let seats = self.seats.iter().filter(|(_, seat)| !seat.replaced);
        let free =
            seats.map(|(sub, seat)| (u64::from(seat.cores) * each).saturating_sub(self.lender.held(*sub) as u64)).sum::<u64>();
        let on_their_way = (sync.asked.max(sync.came) - sync.came) + self.input.len() as u64 + self.lender.waiting() as u64;
        if let Some(more) = free.checked_sub(on_their_way).filter(|more| *more > 0) {
            sync.asked = sync.asked.max(sync.came) + more;
            sync.lines.push_back(json!({"ask": more}).to_string());
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
            sync.done(index, &result);
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
        let mut how = Ok(());
        for (number, line) in source.lines().enumerate() {
            let heard = match line {
                Ok(line) if line.trim().is_empty() => continue,
                Ok(line) => heard(&line).map_err(|why| InputError::new(format!("line {} of standard input: {why}", number + 1))),
                Err(error) => Err(InputError::new(format!("standard input cannot be read: {error}"))),
            };
            match heard {
                Ok(Heard::Value(value)) => self.take(value),
                Ok(Heard::Cancel(index)) => self.with(|core| core.cancel(index)),
                Ok(Heard::End) => break,
                Err(error) => {
                    how = Err(error);
                    break;
                }
            }
        }
        self.with(|core| {
            core.input.end(how);
            core.lender.input_ready();
            core.notice_end();
        });
    }

    fn take(&self, value: Value) {
        let mut core = self.lock();
        while core.input.len() >= MOST_WAITING && core.lender.input_is_open() {
            core = self.input_wanted.wait(core).expect("no task panics while it holds the lock");
        }
        if let Some(sync) = &mut core.sync {
            sync.came += 1;
        }
        core.input.extend([value]);
        core.lender.input_ready();
        self.wake(&mut core);
    }

    /// Talks to the program, on `sink`, until the run ends. Blocks.
    pub fn talk(&self, mut sink: impl Write) -> Ending {
        loop {
            let (lines, ending) = self.wait_for_lines();
            let said = lines.iter().try_for_each(|line| writeln!(sink, "{line}")).and_then(|()| sink.flush());
            if let Err(error) = said {
                self.with(|core| core.lender.drop_output());
                return match error.kind() {
                    ErrorKind::BrokenPipe => Ending::ReaderLeft,
                    _ => Ending::OutputFailed(format!("standard output cannot be written: {error}")),
                };
            }
            if let Some(ending) = ending {
                return ending;
            }
        }
    }

    fn wait_for_lines(&self) -> (VecDeque<String>, Option<Ending>) {
        let mut core = self.lock();
        loop {
            // Results were said when they came: their places in the order are only given free.
            let ending = loop {
                match core.lender.next_output() {
                    Output::Item(..) => {}
                    Output::Pending => break None,
                    Output::Failed(error) => break Some(core.failures.ending().unwrap_or(Ending::InputFailed(error))),
                    Output::Done if core.interrupted => break Some(core.failures.ending().unwrap_or(Ending::Interrupted)),
                    Output::Done => break Some(core.failures.ending().unwrap_or(Ending::Complete)),
                }
            };
            self.wake(&mut core);
            let lines = core.sync.as_mut().map(|sync| std::mem::take(&mut sync.lines)).unwrap_or_default();
            if ending.is_some() || !lines.is_empty() {
                return (lines, ending);
            }
            core.output_waits = true;
            core = self.output_ready.wait(core).expect("no task panics while it holds the lock");
        }
    }
}

enum Heard {
    Value(Value),
    Cancel(Index),
    End,
}

/// Understands one line of the program.
fn heard(line: &str) -> Result<Heard, String> {
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
