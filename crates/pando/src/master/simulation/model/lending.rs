//! What the master sends: each value to the right device, and to few enough.

use super::{Model, UNWANTED};
use crate::{
    master::{simulation::seen::Seen, state::RunState},
    protocol::{Loan, Value},
};
use stream_lender::SubStreamId;

impl Model {
    /// Checks a value sent to `sub`.
    pub(in crate::master::simulation) fn sent(
        &mut self,
        sub: SubStreamId,
        loan: Loan,
        value: &Value,
        fresh: bool,
        state: &RunState,
        seen: &mut Seen,
    ) {
        if let Some(shared) = &mut self.shared {
            return shared.sent(sub, loan, value, state);
        }
        let index = loan.index;
        let cut = self.cut();
        let is_paused = state.registry().get(sub).is_some_and(|device| device.cores() == 0);
        assert!(!fresh || !is_paused, "{sub:?} is lent {index} in a pause");
        let fate = &mut self.fates[index as usize];
        assert_eq!(value.bytes, fate.text, "{index} is another value");
        let old = fate.end.is_some() || cut.is_some_and(|fatal| fatal <= index);
        let copy = !state.items().lender().holds(sub, loan);
        seen.note_if(copy, "copied");
        assert!(fate.sent.insert(loan.number), "{loan:?} is sent twice");
        assert!(
            !copy || self.job.speculate || old || fate.muddled,
            "{sub:?} is sent {index} and does not hold it"
        );
        assert!(
            !old || self.job.speculate || cut.is_some() || fate.muddled,
            "{index} is done, and sent again"
        );
        assert!(
            fate.unconfirmed.is_none() || self.job.speculate || fate.muddled,
            "{index} is being confirmed, and sent again"
        );
        if !old && !copy {
            // A copy on its way may have the attempt number of an earlier time.
            let late = self.job.speculate && value.attempt < fate.failures;
            assert!(
                late || (value.attempt, value.careful) == (fate.failures, fate.careful),
                "{} {} of {index}, not {} {}",
                value.attempt,
                value.careful,
                fate.failures,
                fate.careful
            );
            seen.note_if(value.attempt > 0, "tried again");
            seen.note_if(value.careful, "careful");
            if let Some(alone) =
                self.alone.get(&sub).filter(|alone| cut.is_none_or(|fatal| **alone < fatal))
            {
                // After a result elsewhere, the value is not suspected any more.
                let fate = &self.fates[*alone as usize];
                let open = fate.end.is_none() && fate.unconfirmed.is_none();
                assert!(
                    !open || !fate.with.contains_key(&sub),
                    "{sub:?} is sent {index} besides {alone}, which it is to have alone"
                );
            }
            if state.retries().goes_alone(index) {
                seen.note("alone");
                self.alone.insert(sub, index);
            }
            let fate = &self.fates[index as usize];
            if fresh
                && fate.failed_by.contains(&sub)
                && !self.paused.contains(&sub)
                && self.now < fate.back + UNWANTED
            {
                seen.note("failed by all, lent again");
                let other = state.registry().iter().find(|(other, device)| {
                    device.takes_part()
                        && !self.paused.contains(other)
                        && !fate.failed_by.contains(other)
                });
                assert!(
                    other.is_none(),
                    "{sub:?} has failed {index}, and {:?} is there to try it",
                    other.map(|(sub, _)| sub)
                );
            }
        }
        let fate = &mut self.fates[index as usize];
        let others = fate.with.keys().filter(|other| **other != sub).count();
        let most = if self.job.speculate { 1 } else { 0 };
        assert!(
            others <= most || fate.muddled,
            "{index} is with {:?}, and sent to {sub:?}",
            fate.with
        );
        assert!(
            fate.with.insert(sub, loan.number).is_none() || fate.muddled,
            "{sub:?} is sent {index} twice"
        );
    }

    /// Whether only `sub` has the value, under this loan, and the result is still missing.
    pub(in crate::master::simulation) fn only_with(&self, sub: SubStreamId, loan: Loan) -> bool {
        let Loan { index, number } = loan;
        let Some(fate) = self.fates.get(index as usize) else { return false };
        let open = fate.end.is_none()
            && fate.unconfirmed.is_none()
            && self.cut().is_none_or(|fatal| index < fatal);
        // With speculation, a device may have a copy of a value while the loan belongs to a
        // session to which the value has not been sent yet.
        self.shared.is_none()
            && open
            && !fate.muddled
            && !self.job.speculate
            && fate.with.iter().eq([(&sub, &number)])
    }

    /// As [`kept`](Self::kept), in a run with `--copies` or `--verify`.
    pub(in crate::master::simulation) fn kept_shared(
        &mut self,
        sub: SubStreamId,
        kept: &[Loan],
        state: &RunState,
        seen: &mut Seen,
    ) {
        if let Some(shared) = &mut self.shared {
            shared.kept(sub, kept, state, seen);
        }
    }

    /// Notes that `sub` takes up the loans in `kept`.
    pub(in crate::master::simulation) fn kept(&mut self, sub: SubStreamId, kept: &[Loan]) {
        if self.shared.is_some() {
            return;
        }
        for loan in kept {
            let fate = &mut self.fates[loan.index as usize];
            assert!(
                fate.end.is_none() && (fate.with.is_empty() || self.job.speculate || fate.muddled),
                "{loan:?} is taken up"
            );
            fate.with.insert(sub, loan.number);
        }
    }
}
