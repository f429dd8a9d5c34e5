//! Reading: items come from the input, values to be lent or results that are known already.

use super::{InputError, Items, Read};
use crate::{master::job::InputSize, protocol::Value};
use std::path::PathBuf;

impl Items {
    /// Adds items, each with the file for its result, if there are files. So many of them have the
    /// result of an `earlier` run.
    pub(crate) fn add(
        &mut self,
        reads: impl IntoIterator<Item = (Read, Option<PathBuf>)>,
        earlier: u64,
    ) {
        self.earlier += earlier;
        self.reads_on = false;
        let mut lendable = false;
        for (read, target) in reads {
            lendable |= matches!(read, Read::Value(_));
            self.reads_on = !lendable;
            self.queue.push(read);
            self.targets.push(target);
        }
        self.lender.input_ready();
    }

    /// Adds values whose results go to no files.
    pub(crate) fn add_values(&mut self, values: impl ExactSizeIterator<Item = Value>) {
        self.reads_on = false;
        self.targets.pass(values.len() as u64);
        self.queue.extend(values);
        self.lender.input_ready();
    }

    /// Notes that `bytes` of the input have been read so far.
    pub(crate) fn note_bytes_read(&mut self, bytes: u64) {
        self.bytes_read = bytes;
    }

    /// The number of items of the whole input, and whether it is certain; `None` if nobody knows.
    pub(crate) fn total(&self, size: InputSize) -> Option<(u64, bool)> {
        let read = self.lender.values_read() + self.queue.len() as u64;
        let estimate = match size {
            _ if self.queue.has_ended() => return Some((read, true)),
            InputSize::Items(count) => Some((count, true)),
            InputSize::Bytes(bytes) if bytes <= self.bytes_read => Some((read, true)),
            InputSize::Bytes(bytes) => (u128::from(read) * u128::from(bytes))
                .checked_div(self.bytes_read.into())
                .map(|count| (u64::try_from(count).unwrap_or(u64::MAX), false)),
            InputSize::Unknown => None,
        };
        // The input may have more items than was said.
        estimate.filter(|(count, _)| *count >= read)
    }

    /// The number of items of the whole input, if it is certain.
    pub(crate) fn certain_total(&self, size: InputSize) -> Option<u64> {
        self.total(size).and_then(|(count, is_certain)| is_certain.then_some(count))
    }

    /// The number of items with a result, or left out.
    pub(crate) fn settled(&self) -> u64 {
        self.lender.results_output() + self.waiting()
    }

    /// The number of items that were read with the result of an earlier run.
    pub(crate) fn earlier(&self) -> u64 {
        self.earlier
    }

    /// The number of results that are not yet output.
    pub(crate) fn waiting(&self) -> u64 {
        (self.lender.in_progress() - self.lender.unfinished()) as u64
    }

    /// Notes that no more items follow, and why.
    pub(crate) fn end_input(&mut self, how: Result<(), InputError>) {
        self.resuming = false;
        self.queue.end(how);
        self.lender.input_ready();
        self.notice_end();
    }

    /// Notes that all results of an earlier run are read.
    pub(crate) fn end_resuming(&mut self) {
        self.resuming = false;
    }

    /// Whether the input is to be read now.
    pub(crate) fn wants_input(&self) -> bool {
        self.queue.is_empty()
            && (self.lender.wants_input()
                || (self.resuming || self.reads_on) && self.lender.has_room())
    }

    /// Whether a value is to be read now because some session asks for one.
    pub(crate) fn is_asked_for_value(&self) -> bool {
        self.queue.is_empty() && self.lender.wants_input()
    }

    /// The number of items for which nobody has asked yet.
    pub(crate) fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Whether the input has ended with an error.
    pub(crate) fn has_input_failed(&self) -> bool {
        self.queue.has_failed()
    }

    /// Moves finished items from the head of the input to the lender, as the window has room.
    /// Returns whether any was moved.
    pub(crate) fn take_finished(&mut self) -> bool {
        let mut taken = false;
        while self.lender.has_room()
            && let Some(result) = self.queue.pop_finished()
        {
            taken |= self.lender.read_finished(result).is_ok();
        }
        if taken {
            self.lender.input_ready();
            self.notice_end();
        }
        taken
    }

    /// Tells the lender that the input has ended or failed, once no value is left before the end.
    pub(crate) fn notice_end(&mut self) {
        // While a value waits to be lent again, an ask gets this value and does not look at the
        // input.
        if self.queue.has_only_its_end() && self.lender.returned() == 0 {
            let sub = self.lender.open();
            let _ = self.lender.ask(sub, &mut self.queue);
            self.lender.close(sub);
        }
    }
}
