//! Accepting: an item gets a result, or is left out.

use super::Items;
use crate::{journal::Entry, master::shape::Packed};
use bytes::Bytes;
use std::path::Path;
use stream_lender::{Index, Loan, SubStreamId};

impl Items {
    /// Settles the value of `loan` with its result: for the output in order, or as a message to
    /// the program at once. Returns the value's length in bytes, or `None` if the result is
    /// refused.
    #[inline]
    pub(crate) fn accept(&mut self, sub: SubStreamId, loan: Loan, result: Bytes) -> Option<u64> {
        if let Some(program) = &mut self.program {
            let value = self.lender.result(sub, loan, None).ok()?;
            program.tell_result(loan.index, result);
            return Some(value.bytes.len() as u64);
        }
        if self.journal.is_none() && !self.packs {
            let value = self.lender.result(sub, loan, Some(result)).ok()?;
            return Some(value.bytes.len() as u64);
        }
        self.accept_and_record(sub, loan, result)
    }

    /// As [`accept`](Self::accept), with a journal or an output that needs the input.
    fn accept_and_record(&mut self, sub: SubStreamId, loan: Loan, result: Bytes) -> Option<u64> {
        let entry = self.entry(loan.index, &result);
        let result = if self.packs { self.pack(loan.index, &result, false)? } else { result };
        let value = self.lender.result(sub, loan, Some(result)).ok()?;
        if let (Some(journal), Some(entry)) = (&self.journal, entry) {
            if entry.only_by.is_some() {
                self.only_by.remove(&loan.index);
            }
            journal.record(entry);
        }
        Some(value.bytes.len() as u64)
    }

    /// Leaves out the value of `loan`, which failed for good, or outputs `report` in its place.
    pub(crate) fn leave_out(&mut self, sub: SubStreamId, loan: Loan, report: Option<Bytes>) {
        let report = match report {
            Some(report) if self.packs => self.pack(loan.index, &report, true),
            report => report,
        };
        let _ = self.lender.result(sub, loan, report);
    }

    /// The value at `index` with its `result`; `failed`: with a report in the place of the result.
    fn pack(&self, index: Index, result: &Bytes, failed: bool) -> Option<Bytes> {
        let value = self.lender.value(index)?;
        Some(Packed::pack(&value.bytes, result, failed))
    }

    /// The journal's entry for `index`, in case `result` is accepted.
    fn entry(&self, index: Index, result: &Bytes) -> Option<Entry> {
        self.journal.as_ref()?;
        Some(Entry {
            index,
            value: self.lender.value(index)?.bytes.clone(),
            result: result.clone(),
            target: self.targets.file(index).map(Path::to_owned),
            only_by: self.only_by.get(&index).copied(),
        })
    }

    /// Returns `result`, copied if small and far from its turn: otherwise a small result would keep
    /// a whole frame in memory.
    #[inline]
    pub(crate) fn keep(&self, index: Index, result: Bytes) -> Bytes {
        let is_far = index.saturating_sub(self.lender.results_output()) > 4096;
        if result.len() < 1024 && is_far { Bytes::copy_from_slice(&result) } else { result }
    }
}
