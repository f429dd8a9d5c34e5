//! The two ends of a gateway (`pando join --share`): values come from a run, and answers go back.

use crate::{
    master::{items::Upstream, registry::LongCall, run::Master, state::RunState},
    protocol::{Loan, Running, ToMaster, Value},
    volunteer::PassedUp,
};
use std::{
    task::{Context, Poll},
    time::Instant,
};

impl Master {
    /// Takes values of the run. They are lent under their indexes.
    pub(crate) fn give(&self, values: Vec<(Loan, Value)>) {
        self.with(|state| state.give(values));
    }

    /// Gives values back to the run, as far as no device has begun them.
    pub(crate) fn recall(&self, loans: &[Loan]) {
        self.with(|state| loans.iter().for_each(|loan| state.recall_for_upstream(loan.index)));
    }

    /// Drops values that the run does not need any more.
    pub(crate) fn drop_given(&self, loans: &[Loan]) {
        self.with(|state| loans.iter().for_each(|loan| state.drop_given(loan.index)));
    }

    /// Tells the run what a device says besides answers.
    pub(in crate::master) fn tell_upstream(&self, message: ToMaster) {
        self.with(|state| state.tell_upstream(message));
    }

    /// What goes back to the run next; `None` when the owner of this machine ends the sharing.
    pub(crate) fn poll_upstream(&self, context: &Context<'_>) -> Poll<Option<PassedUp>> {
        let mut state = self.lock();
        if state.shutdown().is_interrupted() {
            return Poll::Ready(None);
        }
        let said = state.items_mut().upstream_mut().and_then(Upstream::take_said);
        self.resume_channels(&mut state);
        match said {
            Some(said) => Poll::Ready(Some(said)),
            None => self.wake_for_output(&mut state, context),
        }
    }

    /// The run is over: nothing is computed any more, and the devices are told so.
    pub(crate) fn end_upstream(&self) {
        self.with(|state| state.items_mut().lender_mut().drop_output());
    }

    /// The calls that devices have reported as long, with the times so far.
    pub(crate) fn long_calls(&self, now: Instant) -> Vec<Running> {
        let state = self.lock();
        let devices = state.registry().devices();
        let calls = devices.flat_map(|device| device.loans().running());
        let call = |(id, call): (Loan, &LongCall)| Running {
            id,
            ms: call.elapsed(now).as_millis() as u64,
        };
        calls.map(call).collect()
    }
}

/// For gateways.
impl RunState {
    /// Tells the run how many cores all devices have, and gives recalled values back. While all
    /// devices stand back, there are no cores, and no value waits here for their next try.
    pub(in crate::master) fn serve_upstream(&mut self) {
        if self.items().has_upstream() {
            let cores = u32::try_from(self.registry().computing_cores()).unwrap_or(u32::MAX);
            self.items_mut().note_cores(cores);
        }
    }

    fn give(&mut self, values: Vec<(Loan, Value)>) {
        for (loan, value) in values {
            let failed_by = self.retries().who_failed(self.registry(), loan.index);
            self.items_mut().give(loan, value, &failed_by);
        }
        self.items_mut().lender_mut().input_ready();
    }

    fn recall_for_upstream(&mut self, index: u64) {
        if let Some((sub, loan)) = self.items_mut().recall(index)
            && let Some(device) = self.registry_mut().get_mut(sub)
        {
            device.recall_cancelled(loan);
        }
    }

    /// The device that has the value may go on with it; its answer changes nothing.
    fn drop_given(&mut self, index: u64) {
        if let Some((sub, loan, bytes)) = self.items_mut().drop_given(index)
            && let Some(device) = self.registry_mut().get_mut(sub)
        {
            device.loans_mut().add_copy(loan, bytes);
            device.recall_cancelled(loan);
        }
    }

    fn tell_upstream(&mut self, message: ToMaster) {
        if let Some(upstream) = self.items_mut().upstream_mut() {
            upstream.say(message);
        }
    }
}
