//! What the input gives: values, results that are known already, and errors.

use crate::{
    failed::FailedInput,
    protocol::{Form, MAX_FRAME, Value},
};
use bytes::Bytes;
use std::{
    collections::{BTreeMap, VecDeque},
    mem,
    path::PathBuf,
};
use stream_lender::{Index, Input, Loan, Pull};

/// The longest value, in bytes, which fits into a frame together with its header.
pub(crate) const LONGEST: usize = MAX_FRAME as usize - 64;
/// From this length on, in bytes, memory for a value and its copies is tested first, because a
/// failed allocation would end the process without a message.
const LONG: usize = 16 << 20;
/// About how many copies of a value are in memory at a time, on its way to a core of this machine.
const COPIES: usize = 5;

/// Why reading the input cannot go on, in words for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub(crate) struct InputError {
    /// The problem, and the remedy.
    pub(crate) text: String,
    /// The command line is at fault, which means exit status 2.
    pub(crate) usage: bool,
}

impl InputError {
    /// An error in the input, or in reading it.
    pub(crate) fn new(text: String) -> Self {
        Self { text, usage: false }
    }

    /// An error in the command line.
    pub(crate) fn usage(text: String) -> Self {
        Self { text, usage: true }
    }
}

/// An input that cannot be used as a value. Its item fails, as if the function had failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unusable {
    /// The number of the item in the input, from 1.
    pub(crate) number: u64,
    /// The problem, in words for people which name the line or item.
    pub(crate) why: String,
    /// What was read.
    pub(crate) input: FailedInput,
}

impl Unusable {
    /// The whole message about the item when the run goes on.
    pub(crate) fn told(&self) -> String {
        // The words about an item of the command line name its number already.
        if self.why.starts_with("item") {
            self.why.clone()
        } else {
            format!("item {} failed: {}", self.number, self.why)
        }
    }
}

/// A value whose result has no place in the output. Its item fails, as if the function had failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Misfit {
    pub(crate) index: Index,
    /// The place of the value in the input, from 0.
    pub(crate) place: u64,
    /// The problem, in words for people.
    pub(crate) why: String,
    pub(crate) input: FailedInput,
}

/// A value of the input, or why the input is unusable. The reason is rare, so it is boxed: a value
/// is moved several times on its way.
pub(crate) type Cut = Result<Value, Box<Unusable>>;

/// An item as it was read, and the file for its result.
pub(crate) type Taken = (Cut, Option<PathBuf>);

/// How the input is cut into values.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Framing {
    /// The byte after each value: newline or NUL.
    pub(crate) separator: u8,
    /// The form of the values. Text and JSON are validated; bytes are not.
    pub(crate) form: Form,
}

/// An item as it was read: a value, or a result that is known already.
#[derive(Debug)]
pub(crate) enum Read {
    Value(Value),
    Finished(Bytes),
    /// An unusable item without an output.
    LeftOut,
}

/// Values cut from the input for which nobody has asked yet.
#[derive(Debug, Default)]
pub(crate) struct InputQueue {
    values: VecDeque<Read>,
    /// Values of another run (`pando join --share`), each with the number of its first loan here.
    given: BTreeMap<Index, (u32, Value)>,
    ended: Option<Result<(), InputError>>,
}

impl InputQueue {
    /// Adds values in order.
    pub(crate) fn extend(&mut self, values: impl Iterator<Item = Value>) {
        self.values.extend(values.map(Read::Value));
    }

    /// Adds an item, which may have its result already.
    pub(crate) fn push(&mut self, read: Read) {
        self.values.push_back(read);
    }

    /// Adds a value of another run, which is lent under `loan` first.
    pub(super) fn give(&mut self, loan: Loan, value: Value) {
        self.given.insert(loan.index, (loan.number, value));
    }

    /// Takes the value of another run at `index` out of the queue. Returns whether it was there.
    pub(super) fn take_given(&mut self, index: Index) -> bool {
        self.given.remove(&index).is_some()
    }

    /// Whether the value of another run at `index` is in the queue.
    #[cfg(test)]
    pub(super) fn is_given(&self, index: Index) -> bool {
        self.given.contains_key(&index)
    }

    /// Takes all values of another run out of the queue.
    pub(super) fn take_all_given(&mut self) -> impl Iterator<Item = Index> {
        mem::take(&mut self.given).into_keys()
    }

    /// Whether the queue has values of another run.
    pub(super) fn has_given(&self) -> bool {
        !self.given.is_empty()
    }

    /// Takes the result of the next item if the item needs no computation. The result of an item
    /// that is left out is `None`.
    pub(crate) fn pop_finished(&mut self) -> Option<Option<Bytes>> {
        match self.values.pop_front_if(|read| !matches!(read, Read::Value(_)))? {
            Read::Finished(result) => Some(Some(result)),
            Read::LeftOut => Some(None),
            Read::Value(_) => unreachable!("it was looked at"),
        }
    }

    /// The number of items in the queue.
    pub(crate) fn len(&self) -> usize {
        self.values.len() + self.given.len()
    }

    /// Notes that no more values follow, and why.
    pub(crate) fn end(&mut self, how: Result<(), InputError>) {
        self.ended = Some(how);
    }

    /// Whether the input has ended and the queue is empty.
    pub(crate) fn has_only_its_end(&self) -> bool {
        self.values.is_empty() && self.ended.is_some()
    }

    /// Whether nothing more is read from the input.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.is_some()
    }

    /// Whether the input has ended with an error.
    pub(crate) fn has_failed(&self) -> bool {
        matches!(self.ended, Some(Err(_)))
    }

    /// Whether the queue is empty.
    pub(crate) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

impl Input for InputQueue {
    type Value = Value;
    type Error = InputError;

    fn pull(&mut self) -> Pull<Value, InputError> {
        if let Some(Read::Value(value)) =
            self.values.pop_front_if(|read| matches!(read, Read::Value(_)))
        {
            return Pull::Value(value);
        }
        match &self.ended {
            // A finished item is not lent: `pop_finished` takes it.
            _ if !self.values.is_empty() => Pull::Pending,
            None => match self.given.pop_first() {
                Some((index, (number, value))) => Pull::At(Loan { index, number }, value),
                None => Pull::Pending,
            },
            Some(Ok(())) => Pull::End,
            Some(Err(error)) => Pull::Failed(error.clone()),
        }
    }
}

/// Refuses a value of `length` bytes if this is too long, or if memory for the value and its
/// copies is missing.
pub(crate) fn check_length(length: usize) -> Result<(), String> {
    if length > LONGEST {
        return Err(too_long());
    }
    let fits =
        length < LONG || Vec::<u8>::new().try_reserve_exact(length.saturating_mul(COPIES)).is_ok();
    if fits { Ok(()) } else { Err(no_memory(length, "")) }
}

/// The words about a value that is too long.
pub(crate) fn too_long() -> String {
    format!("is too long: a value has at most {LONGEST} bytes")
}

/// The words about a value of `length` bytes for which there is no memory.
pub(crate) fn no_memory(length: usize, so_far: &str) -> String {
    format!("is too long for the memory that there is: it has {length} bytes{so_far}")
}
