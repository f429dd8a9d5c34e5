//! `--confirm COMMAND`: a result counts only after COMMAND has accepted it. Otherwise its value is
//! computed again.
//!
//! While the command runs, a sub-stream of its own holds the value, so that nothing is lost when
//! the device leaves. The lender keeps the value, and the attempts are counted with all others in
//! [`Retries`](super::Retries); so `stream_lender::Stubborn`, which keeps values and counts
//! attempts of its own, has no place here.

use crate::master::{gallery::ShownResult, items::Items};
use bytes::Bytes;
use std::collections::VecDeque;
use stream_lender::{Loan, SubStreamId};

/// A result waiting for confirmation.
#[derive(Debug)]
pub(crate) struct Unconfirmed {
    /// The sub-stream holding the value meanwhile.
    sub: SubStreamId,
    /// The sub-stream which held the value before.
    before: SubStreamId,
    loan: Loan,
    /// The name of the device which answered, or the names.
    device: String,
    /// The sessions which answered.
    by: Vec<SubStreamId>,
    result: Bytes,
    /// The result for people who look at the results.
    shown: Option<ShownResult>,
}

impl Unconfirmed {
    pub(crate) fn loan(&self) -> Loan {
        self.loan
    }

    /// The name of the device which answered, or the names.
    pub(crate) fn device(&self) -> &str {
        &self.device
    }

    /// The sessions which answered.
    pub(crate) fn by(&self) -> &[SubStreamId] {
        &self.by
    }

    pub(crate) fn result(&self) -> &Bytes {
        &self.result
    }
}

/// The results waiting for confirmation.
#[derive(Debug, Default)]
pub(crate) struct Confirmations {
    /// Results whose command does not run yet.
    waiting: VecDeque<Unconfirmed>,
    /// Bytes of all results.
    bytes: u64,
}

impl Confirmations {
    /// Takes the value of `loan` from `before`, and queues for confirmation the `result` of a
    /// `device`, which answered in the sessions `by`; once it is confirmed, it is `shown`. Returns
    /// false if `before` did not hold the loan.
    pub(crate) fn hold(
        &mut self,
        items: &mut Items,
        (before, loan): (SubStreamId, Loan),
        (device, by): (&str, Vec<SubStreamId>),
        (result, shown): (Bytes, Option<ShownResult>),
    ) -> bool {
        if items.lender_mut().hand_back(before, loan).is_err() {
            return false;
        }
        let sub = items.open_paused();
        if items.lender_mut().resume_loan(sub, loan).is_none() {
            items.lender_mut().close(sub);
            return false;
        }
        self.bytes += result.len() as u64;
        let device = device.into();
        self.waiting.push_back(Unconfirmed { sub, before, loan, device, by, result, shown });
        true
    }

    /// Takes the next result whose command is to run.
    pub(crate) fn take_next(&mut self) -> Option<Unconfirmed> {
        self.waiting.pop_front()
    }

    /// Whether no result waits for its command.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The number of results whose command does not run yet.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Bytes of results that wait, or whose command runs.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The value of a result to confirm; `None` when the run has ended before.
    pub(crate) fn start(&mut self, items: &mut Items, unconfirmed: &Unconfirmed) -> Option<Bytes> {
        let lender = items.lender_mut();
        let value = lender.value(unconfirmed.loan.index).map(|value| value.bytes.clone());
        if value.is_none() {
            self.bytes -= unconfirmed.result.len() as u64;
            lender.close(unconfirmed.sub);
        }
        value
    }

    /// Accepts a result. Returns the result for people who look at the results.
    pub(crate) fn confirm(
        &mut self,
        items: &mut Items,
        unconfirmed: Unconfirmed,
    ) -> Option<ShownResult> {
        let Unconfirmed { sub, loan, result, shown, .. } = unconfirmed;
        self.bytes -= result.len() as u64;
        let accepted = items.accept(sub, loan, result).is_some();
        items.lender_mut().close(sub);
        shown.filter(|_| accepted)
    }

    /// Refuses a result. If the session which held the value still exists, its device takes the
    /// blame, and another device gets the value. `fail` is given the holder of the failed value.
    pub(crate) fn refute<R>(
        &mut self,
        items: &mut Items,
        unconfirmed: &Unconfirmed,
        fail: impl FnOnce(&mut Items, SubStreamId) -> Option<R>,
    ) -> Option<R> {
        let Unconfirmed { sub, before, loan, ref result, .. } = *unconfirmed;
        self.bytes -= result.len() as u64;
        let lender = items.lender_mut();
        let _ = lender.hand_back(sub, loan);
        let holder = [before, sub].into_iter().find(|sub| lender.resume_loan(*sub, loan).is_some());
        let failed = holder.and_then(|holder| fail(items, holder));
        items.lender_mut().close(sub);
        failed
    }
}
