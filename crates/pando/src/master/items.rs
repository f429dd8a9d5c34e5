//! The way of an item between the two ends of a run: [`read`], [`ask`], [`accept`], [`emit`].
//!
//! [`Items`] are the items that are read and not yet output. Features that are off are not on the
//! way: without a journal nothing is recorded, without a program in the loop nothing is told.

mod accept;
mod ask;
mod emit;
mod ending;
mod feedback;
mod queue;
mod read;
mod targets;
mod upstream;

pub(crate) use ending::{Ending, Left};
pub(crate) use feedback::{FromProgram, Loop, ToProgram};
pub(crate) use queue::{Cut, Framing, InputError, Misfit, Unusable};
pub(crate) use queue::{LONGEST, Read, Taken, check_length, no_memory, too_long};
pub(crate) use upstream::Upstream;

use crate::{
    journal::{DeviceMark, Recorder},
    protocol::Value,
};
use bytes::Bytes;
use queue::InputQueue;
use std::{collections::HashMap, sync::Arc};
use stream_lender::{Index, Order, SubStreamId, Window};
use targets::Targets;

/// Lends the values of a run. The result of an item that failed and is left out is `None`.
pub(crate) type Lender = stream_lender::Lender<Value, Option<Bytes>, InputError>;

/// See the module.
pub(crate) struct Items {
    lender: Lender,
    /// Items that were read and for which nobody has asked yet.
    queue: InputQueue,
    /// The files for results of values that are read and not yet output (`--output-dir`).
    targets: Targets,
    /// The writer of the journal (`--journal`).
    journal: Option<Arc<Recorder>>,
    /// For values whose results count on the word of one device: this device, until the journal has
    /// the result.
    only_by: HashMap<Index, DeviceMark>,
    /// The program in the loop (`--sync-stdio`).
    program: Option<Loop>,
    /// The run of which this one shares the job (`pando join --share`).
    upstream: Option<Upstream>,
    /// Results wait for the output together with their inputs.
    packs: bool,
    /// More results of an earlier run may follow: the input is read even when no device asks.
    resuming: bool,
    /// The number of items that were read with the result of an earlier run.
    earlier: u64,
    /// Bytes read from the input so far.
    bytes_read: u64,
    /// The values read last need no computation. The input is then read even when no device asks,
    /// because the master must notice the end of the input without any volunteer.
    reads_on: bool,
}

impl Items {
    /// No items, before anything is read.
    pub(crate) fn new(window: Window, order: Order, program: Option<Loop>) -> Self {
        let lender = Lender::with_weights(
            window,
            |value: &Value| value.bytes.len() as u64,
            |result: &Option<Bytes>| result.as_ref().map_or(0, |result| result.len() as u64),
        );
        let lender = lender.with_order(order);
        Self {
            lender,
            queue: InputQueue::default(),
            targets: Targets::default(),
            journal: None,
            only_by: HashMap::new(),
            program,
            upstream: None,
            packs: false,
            resuming: false,
            earlier: 0,
            bytes_read: 0,
            reads_on: false,
        }
    }

    /// Keeps inputs together with their results until the output.
    pub(crate) fn keep_inputs(&mut self) {
        self.packs = true;
    }

    /// If `is_gateway`, takes values of another run from now on, and gives their results back
    /// there.
    pub(crate) fn share(&mut self, is_gateway: bool) {
        self.upstream = is_gateway.then(Upstream::default);
    }

    /// The run of which this one shares the job.
    pub(crate) fn upstream_mut(&mut self) -> Option<&mut Upstream> {
        self.upstream.as_mut()
    }

    /// Whether the values are those of another run.
    pub(crate) fn has_upstream(&self) -> bool {
        self.upstream.is_some()
    }

    /// Writes results to `journal` from now on; `resuming`: results of an earlier run follow.
    pub(crate) fn keep_journal(&mut self, journal: Arc<Recorder>, resuming: bool) {
        (self.journal, self.resuming) = (Some(journal), resuming);
    }

    /// The writer of the journal.
    pub(crate) fn journal(&self) -> Option<&Arc<Recorder>> {
        self.journal.as_ref()
    }

    /// Notes for the journal whether the next result of `index` counts on the word of one device.
    pub(crate) fn note_only_by(&mut self, index: Index, device: Option<DeviceMark>) {
        match device.filter(|_| self.journal.is_some()) {
            Some(device) => drop(self.only_by.insert(index, device)),
            None => drop(self.only_by.remove(&index)),
        }
    }

    /// The lender.
    pub(crate) fn lender(&self) -> &Lender {
        &self.lender
    }

    /// The lender, for whoever decides about loans.
    pub(crate) fn lender_mut(&mut self) -> &mut Lender {
        &mut self.lender
    }

    /// The program in the loop.
    pub(crate) fn program(&self) -> Option<&Loop> {
        self.program.as_ref()
    }

    /// As [`program`](Self::program).
    pub(crate) fn program_mut(&mut self) -> Option<&mut Loop> {
        self.program.as_mut()
    }

    /// Whether any value waits to be lent, or could be read for the next ask.
    pub(crate) fn has_some_to_lend(&self) -> bool {
        // The next values of another run come when it likes.
        let more =
            if self.has_upstream() { self.queue.has_given() } else { self.lender.has_room() };
        more || self.lender.returned() > 0
    }

    /// The first item without a result, or the index after the last item.
    pub(crate) fn first_unsettled(&self) -> Index {
        self.lender.oldest().map_or(self.end(), |(index, _)| index)
    }

    /// The index after the last item which was read and not cut off.
    pub(crate) fn end(&self) -> Index {
        self.lender.end()
    }

    /// Bytes of results that wait for their turn, or for the program in the loop.
    pub(crate) fn result_bytes(&self) -> u64 {
        let upstream = self.upstream.as_ref().map_or(0, Upstream::bytes);
        self.lender.result_bytes() + self.program.as_ref().map_or(0, Loop::bytes) + upstream
    }

    /// Opens a sub-stream which holds values and never asks for any.
    pub(crate) fn open_paused(&mut self) -> SubStreamId {
        let sub = self.lender.open();
        self.lender.pause(sub);
        sub
    }

    /// Whether nothing is kept of any item.
    #[cfg(test)]
    pub(crate) fn is_clear(&self) -> bool {
        self.targets.is_empty() && self.queue.is_empty()
    }
}
