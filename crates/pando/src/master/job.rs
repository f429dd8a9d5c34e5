//! The job of a run: what is the same from its start to its end.

mod framed;

pub(super) use framed::check_framing;

use super::{files::Files, items::Framing, shape::Shape};
use crate::{
    config::{BatchSize, FailureLimit, OnError, TrustRule},
    failed::FailedItems,
    protocol::{JobOptions, JobProgram, Value},
};
use bytes::{BufMut, BytesMut};
use pando_bundler::Bundle;
use std::{sync::Arc, time::Duration};
use stream_lender::{Index, Lent, Order};

/// The job of a run: its function and options, which stay the same from start to end.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    /// A random identifier, different for each run.
    pub(crate) id: String,
    /// The function's bundle.
    pub(crate) function: Arc<Bundle>,
    /// The options sent to volunteers.
    pub(crate) options: JobOptions,
    /// How the input is cut into values and how results are separated.
    pub(crate) framing: Framing,
    /// Values per lent core that a device may hold.
    pub(crate) batch_size: BatchSize,
    /// Retries of an item after its first attempt.
    pub(crate) retries: u32,
    /// `--copies` and `--verify`: several devices compute each value.
    pub(crate) trust: Option<TrustJob>,
    /// `--speculate`: idle devices get copies of values in progress elsewhere.
    pub(crate) speculate: bool,
    /// `--sync-stdio`: a program in the loop sends values and receives each result at once.
    pub(crate) sync: bool,
    /// `pando join --share`: the values are those of another run, where the results go.
    pub(crate) gateway: bool,
    /// `--confirm`: a result counts only after a command has confirmed it.
    pub(crate) confirms: bool,
    /// `--files` and `--output-dir`: values are names of files, or results go to files.
    pub(crate) files: Option<Arc<Files>>,
    /// How values become items, and results lines.
    pub(crate) shape: Shape,
    /// `--dry-run`: people are shown the first value.
    pub(crate) shows_first: bool,
    /// The reaction to an item that failed on its last attempt.
    pub(crate) on_error: OnError,
    /// How many items may fail before the run ends (`--max-failures`).
    pub(crate) max_failures: Option<FailureLimit>,
    /// The list of items that failed for good (`--failed`).
    pub(crate) failed: Option<Arc<FailedItems>>,
    /// The numbers of the items in the whole input, if this run has only some of them
    /// (`--only-failed`).
    pub(crate) numbers: Option<Arc<[u64]>>,
    /// Only the cores of this machine can compute the function.
    pub(crate) local_only: bool,
    /// The program that native volunteers run in place of a function.
    pub(crate) program: Option<JobProgram>,
    /// `--exec` without `{}`: a program answers values with lines.
    pub(crate) answers_lines: bool,
    /// The window: the most values that are read and not yet output.
    pub(crate) window: usize,
    /// The order of the output.
    pub(crate) order: Order,
    /// What is known of the number of items before the input is read.
    pub(crate) size: InputSize,
    /// `--quiet`: output printed by the function is hidden.
    pub(crate) quiet: bool,
    /// `--verbose`: people are told why values are recalled, and who gets them.
    pub(crate) explains: bool,
}

/// How results are trusted in a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TrustJob {
    pub(crate) rule: TrustRule,
    /// Whether a command compares results.
    pub(crate) compares: bool,
    /// Decides which values are checked.
    pub(crate) seed: u64,
}

/// What is known of the number of items before the input is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InputSize {
    Unknown,
    /// The number of items.
    Items(u64),
    /// The number of bytes, with the separators.
    Bytes(u64),
}

impl Job {
    /// The form of a value for a volunteer. If the function asks for names of files, the name comes
    /// before the bytes, as [`Bundle::names`] says. A program gets the path of a file alone.
    pub(super) fn sent(&self, Lent { loan, value }: Lent<Value>) -> Lent<Value> {
        if let Some(files) = self.files.as_ref().filter(|files| files.by_name) {
            return Lent { loan, value: files.path_alone(value) };
        }
        let Some(files) = self.files.as_ref().filter(|_| self.function.names) else {
            return Lent { loan, value };
        };
        let name = files.name(loan.index).unwrap_or_default();
        let mut bytes = BytesMut::with_capacity(4 + name.len() + value.bytes.len());
        bytes.put_u32(name.len() as u32);
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(&value.bytes);
        Lent { loan, value: Value { bytes: bytes.freeze(), ..value } }
    }

    /// Whether volunteers get names of files, with or without the bytes.
    pub(super) fn sends_names(&self) -> bool {
        self.function.names || self.files.as_ref().is_some_and(|files| files.by_name)
    }

    /// Values per core: the fixed batch size, or else the calls open at a time.
    pub(super) fn per_core(&self) -> u64 {
        match self.batch_size {
            BatchSize::Fixed(n) => n.into(),
            BatchSize::Auto => self.options.concurrency.into(),
        }
    }

    /// The number in the whole input, from 1, of the value at this place of the input.
    pub(super) fn number_of_value(&self, place: u64) -> u64 {
        let number = self.numbers.as_ref().and_then(|numbers| numbers.get(place as usize));
        number.copied().unwrap_or(place + 1)
    }

    /// The number of an item in the whole input, from 1: that of its first value.
    pub(crate) fn number(&self, index: Index) -> u64 {
        let first = self.shape.chunks.as_ref().map_or(index, |chunks| chunks.first(index));
        self.number_of_value(first)
    }

    /// The name of an item in messages: `item 7`, or with chunks `items 201-300`.
    pub(super) fn item(&self, index: Index) -> String {
        if let Some(chunks) = &self.shape.chunks {
            return chunks.name(index);
        }
        match self.number(index) {
            number if number == index + 1 => format!("item {number}"),
            number => format!("item {} (number {number} of the whole input)", index + 1),
        }
    }

    /// The numbers of an item's values in the input: the first and the last one.
    pub(super) fn values_of(&self, index: Index) -> (u64, u64) {
        let Some(chunks) = &self.shape.chunks else { return (index + 1, index + 1) };
        let numbers = chunks.numbers(index);
        (*numbers.start(), *numbers.end())
    }

    /// The places of an item's values in the input, from 0.
    pub(super) fn places_of(&self, index: Index) -> Vec<u64> {
        match &self.shape.chunks {
            Some(chunks) => {
                chunks.numbers_of_values(index).iter().map(|number| number - 1).collect()
            }
            None => vec![index],
        }
    }

    /// The number of values in each item, except the last one.
    pub(super) fn chunk_size(&self) -> u64 {
        self.shape.chunks.as_ref().map_or(1, |chunks| chunks.size())
    }

    /// The number of values in an item.
    pub(super) fn values_in(&self, index: Index) -> u64 {
        self.shape.chunks.as_ref().map_or(1, |chunks| chunks.values(index))
    }

    /// Whether results wait for the output together with their inputs.
    pub(super) fn packs(&self) -> bool {
        let reports_beside_files = self.files.is_some() && self.on_error == OnError::Report;
        self.shape.reshapes() || reports_beside_files
    }

    pub(super) fn heartbeat(&self) -> Duration {
        Duration::from_millis(self.options.heartbeat)
    }

    /// How long a device may be silent or idle before the master suspects a fault: three
    /// heartbeats.
    pub(super) fn silence_limit(&self) -> Duration {
        self.heartbeat() * 3
    }
}
