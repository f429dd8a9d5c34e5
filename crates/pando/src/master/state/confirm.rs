//! Results wait for the command of `--confirm`.

use super::RunState;
use crate::{
    master::{
        gallery::ShownResult,
        job::Job,
        policy::{Attempt, RunContext, Unconfirmed},
    },
    protocol::Failure,
};
use bytes::Bytes;
use std::time::Instant;

/// Confirmations.
impl RunState {
    /// Takes the next result whose command is to run.
    pub(crate) fn take_unconfirmed(&mut self) -> Option<Unconfirmed> {
        self.confirmations.take_next()
    }

    /// The value of a result to confirm; `None` when the run has ended before.
    pub(in crate::master) fn start_to_confirm(
        &mut self,
        unconfirmed: &Unconfirmed,
    ) -> Option<Bytes> {
        self.confirmations.start(&mut self.items, unconfirmed)
    }

    /// Accepts a result, or fails its value because of `refused`. Returns lines for people, and the
    /// accepted result for those who look at the results.
    pub(in crate::master) fn confirmed(
        &mut self,
        unconfirmed: Unconfirmed,
        refused: Option<String>,
        (job, now): (&Job, Instant),
    ) -> (Vec<String>, Option<ShownResult>) {
        let loan = unconfirmed.loan();
        let Self { items, registry, retries, confirmations, .. } = self;
        let Some(message) = refused else {
            let by = unconfirmed.by().to_vec();
            let shown = confirmations.confirm(items, unconfirmed);
            retries.computed(&mut RunContext { items, registry, job, now }, &by, loan.index);
            let lines = by.into_iter().filter_map(|sub| registry.succeeded(sub)).collect();
            return (lines, shown);
        };
        let failure = Failure::new(message, "confirm");
        let line = confirmations.refute(items, &unconfirmed, |items, sub| {
            let device = unconfirmed.device();
            let attempt = Attempt { sub, loan, device, failure: &failure };
            retries.failed(&mut RunContext { items, registry, job, now }, &attempt)
        });
        (line.into_iter().collect(), None)
    }
}
