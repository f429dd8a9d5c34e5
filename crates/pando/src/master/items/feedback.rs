//! The program in the loop (`--sync-stdio`): the messages to the program, and the count of values
//! asked for.

use crate::protocol::Value;
use bytes::Bytes;
use std::{
    collections::{BTreeSet, VecDeque},
    mem,
};
use stream_lender::Index;

/// A message to the program.
#[derive(Debug)]
pub(crate) enum ToProgram {
    /// Cores are free for this many more values.
    Ask(u64),
    /// The result of a value: a JSON text.
    Result(Index, Bytes),
    /// The value failed for good, or was cancelled.
    Error(Index, String),
}

/// A message from the program.
#[derive(Debug)]
pub(crate) enum FromProgram {
    /// The next value.
    Value(Value),
    /// The next value is unusable, for this reason.
    Unusable(String),
    /// The program no longer wants this value.
    Cancel(Index),
    /// No more values follow.
    End,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Loop {
    /// Values that a core computes at a time.
    per_core: u64,
    said: VecDeque<ToProgram>,
    /// Bytes of results in `said`, and of results being written.
    bytes: u64,
    /// Bytes of results being written.
    on_their_way: u64,
    /// Values asked for since the start.
    asked: u64,
    /// Values received since the start.
    came: u64,
    /// Cancelled values without a result.
    cancelled: BTreeSet<Index>,
}

/// Values come from the program.
impl Loop {
    pub(crate) fn new(per_core: u64) -> Self {
        Self { per_core, ..Self::default() }
    }

    /// Values that a core computes at a time.
    pub(crate) fn per_core(&self) -> u64 {
        self.per_core
    }

    /// Values received since the start.
    pub(crate) fn came(&self) -> u64 {
        self.came
    }

    /// Counts one received value.
    pub(crate) fn count_one(&mut self) {
        self.came += 1;
    }

    /// Asks for values for `free` calls, minus the values asked for before and `ready` ones.
    pub(super) fn ask(&mut self, free: u64, ready: u64) {
        let on_their_way = (self.asked.max(self.came) - self.came) + ready;
        if let Some(more) = free.checked_sub(on_their_way).filter(|more| *more > 0) {
            self.asked = self.asked.max(self.came) + more;
            self.said.push_back(ToProgram::Ask(more));
        }
    }

    /// Notes that the program cancels `index`, which is not settled. Returns false if there is no
    /// such value, or if the value was cancelled before.
    pub(super) fn cancel(&mut self, index: Index) -> bool {
        let cancels = index < self.came && self.cancelled.insert(index);
        if cancels {
            self.tell_error(index, "cancelled");
        }
        cancels
    }

    /// Takes the note that `index` was cancelled, and returns whether there was one: the value is
    /// settled, or would be lent now.
    pub(super) fn take_cancelled(&mut self, index: Index) -> bool {
        !self.cancelled.is_empty() && self.cancelled.remove(&index)
    }

    /// Whether `index` is cancelled and not settled.
    pub(super) fn has_cancelled(&self, index: Index) -> bool {
        self.cancelled.contains(&index)
    }
}

/// Messages go to the program.
impl Loop {
    /// Queues the result of `index`, unless the program has cancelled the value.
    pub(super) fn tell_result(&mut self, index: Index, result: Bytes) {
        if !self.take_cancelled(index) {
            self.bytes += result.len() as u64;
            self.said.push_back(ToProgram::Result(index, result));
        }
    }

    /// Queues the message that `index` failed for good.
    pub(crate) fn tell_error(&mut self, index: Index, message: &str) {
        self.said.push_back(ToProgram::Error(index, message.into()));
    }

    /// Bytes of results which the program has not taken.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes all messages to write. The messages taken by the last call have been written.
    pub(crate) fn take_said(&mut self) -> VecDeque<ToProgram> {
        self.bytes -= self.on_their_way;
        self.on_their_way = self.bytes;
        mem::take(&mut self.said)
    }

    /// Takes the next message, which needs no writing.
    pub(crate) fn pop_said(&mut self) -> Option<ToProgram> {
        let said = self.said.pop_front()?;
        if let ToProgram::Result(_, result) = &said {
            self.bytes -= result.len() as u64;
        }
        Some(said)
    }

    /// Whether any message waits.
    pub(super) fn has_said(&self) -> bool {
        !self.said.is_empty()
    }
}
