//! Values that several devices compute (`--copies`, `--verify`): answers, failures and returns of
//! one of these devices.

use super::{Exchange, Told};
use crate::{
    master::policy::{
        Trust,
        trust::{Answered, Around},
    },
    protocol::Answer,
};
use stream_lender::Loan;

impl Exchange<'_> {
    /// Settles an answer to a value of which the session computed a copy. Returns whether the
    /// answer is a result.
    pub(super) fn settle_shared(&mut self, answer: Answer, device: &str, told: &mut Told) -> bool {
        let Answer { loan, micros, result } = answer;
        let (form, result) = match result {
            Ok(result) => result,
            Err(failure) => {
                self.surrender(loan);
                return self.settle(Answer { loan, micros, result: Err(failure) }, device, told);
            }
        };
        let shown = told.to_show(loan, form, &result);
        let Self { sub, context, retries, trust, confirmations, .. } = self;
        let Some(trust) = trust else { return false };
        let answered = Answered { sub: *sub, index: loan.index, device, form, result };
        let around = &mut Around { context, retries, confirmations };
        told.lines.extend(trust.answered(around, answered));
        // People see a result once it counts. A result that is to be confirmed does not yet.
        let counts = !context.job.confirms && context.items.lender().is_settled(loan.index);
        told.result(loan, device, micros, shown.filter(|_| counts));
        true
    }

    /// Makes the session the holder of the value of which it has failed the copy `loan`.
    pub(super) fn surrender(&mut self, loan: Loan) {
        let Self { sub, context, trust, .. } = self;
        let Some(device) = context.registry.get(*sub) else { return };
        if let Some(trust) = trust {
            trust.surrender(context.items, (*sub, device.key()), loan);
        }
    }

    /// Makes the session, which vanishes, the holder of the values that may be to blame.
    pub(super) fn surrender_suspects(&mut self) {
        if self.trust.is_none() {
            return;
        }
        let Some(device) = self.context.registry.get(self.sub) else { return };
        let copies = device.loans().copies();
        let suspects: Vec<Loan> =
            copies.filter(|loan| self.retries.goes_alone(loan.index)).collect();
        suspects.into_iter().for_each(|loan| self.surrender(loan));
    }

    /// Notes that the session returned the copy `loan`.
    pub(super) fn return_shared(&mut self, loan: Loan, careful: bool) {
        let Some(trust) = self.trust.as_mut() else { return };
        let lender = self.context.items.lender_mut();
        if careful && let Some(mut value) = lender.value(loan.index).cloned() {
            value.careful = true;
            lender.replace_value(loan.index, value);
        }
        trust.gave_back(self.sub, loan.index);
    }

    /// Notes that the session ends: other devices compute its values. Returns how many these are.
    pub(super) fn leave_shared(&mut self) -> usize {
        let Some(device) = self.context.registry.get(self.sub) else { return 0 };
        let trust: Option<&mut Trust> = self.trust.as_mut();
        trust.map_or(0, |trust| trust.left(self.sub, device))
    }
}
