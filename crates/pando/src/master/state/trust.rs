//! Several devices for one value, in the state of the run.

use super::RunState;
use crate::master::{
    job::Job,
    policy::{
        RunContext, Trust,
        trust::{Around, Comparison},
    },
};
use std::time::Instant;
use stream_lender::{Index, SubStreamId};

impl RunState {
    /// Gives results whose turn has come, and values that came back to the devices that may take
    /// them. Returns whether results wait to be compared.
    pub(super) fn serve_by_trust(&mut self, job: &Job) -> bool {
        let Some(now) = self.trust.as_ref().map(Trust::now) else { return false };
        self.with_trust(job, now, |trust, around| {
            trust.collect(around.context.items);
            trust.give_provisional(around);
            trust.wake(around.context.items.lender(), around.context.registry);
            trust.has_comparison()
        })
        .unwrap_or_default()
    }

    /// The session that computes a value, given its `holder` for the lender.
    pub(crate) fn computed_by(
        &self,
        index: Index,
        holder: Option<SubStreamId>,
    ) -> Option<SubStreamId> {
        self.trust.as_ref().map_or(holder, |trust| trust.holder(index, holder))
    }

    /// The next comparison for the command of `--verify-with`.
    pub(crate) fn take_comparison(&mut self) -> Option<Comparison> {
        self.trust.as_mut()?.take_comparison()
    }

    /// Notes the outcome of a comparison. Returns lines for people.
    pub(crate) fn compared(
        &mut self,
        comparison: &Comparison,
        equal: bool,
        (job, now): (&Job, Instant),
    ) -> Vec<String> {
        self.with_trust(job, now, |trust, around| trust.compared(around, comparison, equal))
            .unwrap_or_default()
    }

    /// How the output is in doubt, in words; `None` if it is not.
    pub(crate) fn doubts(&self) -> Option<String> {
        self.trust.as_ref()?.doubts()
    }

    fn with_trust<R>(
        &mut self,
        job: &Job,
        now: Instant,
        act: impl FnOnce(&mut Trust, &mut Around) -> R,
    ) -> Option<R> {
        let Self { items, registry, retries, confirmations, trust, .. } = self;
        let context = &mut RunContext { items, registry, job, now };
        Some(act(trust.as_mut()?, &mut Around { context, retries, confirmations }))
    }
}
