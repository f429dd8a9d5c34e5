//! Values come back without an answer: their devices left, gave them back or failed them.

use super::{Trust, answers::ItemAnswers};
use crate::master::{
    items::{Items, Lender},
    policy::RunContext,
    registry::{Device, DeviceKey, Registry},
};
use stream_lender::{Index, Loan, SubStreamId};

impl Trust {
    /// Takes the values that wait in the lender to be lent again.
    pub(crate) fn collect(&mut self, items: &mut Items) {
        while let Some(index) = items.lender().oldest_returned() {
            let keeper = self.keeper(items);
            if items.lender_mut().lend_to(keeper, index).is_none() {
                return;
            }
            self.open_again(index);
        }
    }

    /// Offers a value to the devices, as far as it wants any.
    pub(super) fn open_again(&mut self, index: Index) {
        if !self.open.contains_key(&index) {
            let untouched = self.untouched();
            self.open.insert(index, untouched);
        }
        if self.open.get(&index).is_none_or(|item| item.missing() == 0) {
            self.wanting.remove(&index);
            return;
        }
        self.wanting.insert(index);
        self.may_serve = true;
        self.look_again(index);
    }

    /// Makes all sessions look at `index` again.
    fn look_again(&mut self, index: Index) {
        if index < self.most {
            self.next.values_mut().for_each(|next| *next = index.min(*next));
            self.most = index;
        }
    }

    /// Notes that the session does not compute the value of `loan` any more.
    pub(crate) fn gave_back(&mut self, sub: SubStreamId, index: Index) {
        if let Some(item) = self.open.get_mut(&index) {
            item.end(sub);
            self.open_again(index);
        }
    }

    /// Notes that a session ends: other devices compute its values. Returns how many these are.
    pub(crate) fn left(&mut self, sub: SubStreamId, device: &Device) -> usize {
        self.waiting.remove(&sub);
        self.next.remove(&sub);
        let loans: Vec<Loan> = device.loans().copies().collect();
        loans.iter().for_each(|loan| self.gave_back(sub, loan.index));
        // A device that has failed a value may now be the only one left for it.
        self.may_serve = true;
        loans.len()
    }

    /// Lets a device that was away go on with a value under an earlier loan. Returns whether it
    /// may.
    pub(crate) fn resume(
        &mut self,
        items: &Items,
        registry: &mut Registry,
        sub: SubStreamId,
        loan: Loan,
    ) -> bool {
        let Some(device) = registry.get(sub) else { return false };
        let lender = items.lender();
        if !lender.knows(loan) || !self.may_take(lender, registry, loan.index, device) {
            return false;
        }
        let bytes = lender.value(loan.index).map_or(0, |value| value.bytes.len() as u64);
        let Some(device) = registry.get_mut(sub) else { return false };
        self.begin(device, sub, loan, bytes);
        device.loans_mut().add(1, bytes);
        true
    }

    /// Makes the session the holder of a value whose copy it has failed, under the loan of the
    /// copy.
    pub(crate) fn surrender(
        &mut self,
        items: &mut Items,
        (sub, key): (SubStreamId, &DeviceKey),
        loan: Loan,
    ) {
        let Some(item) = self.open.get_mut(&loan.index) else { return };
        if !item.end(sub) {
            return;
        }
        item.fail(key.clone());
        let lender = items.lender_mut();
        if let (Some(keeper), Some(held)) = (self.keeper, lender.loan(loan.index))
            && lender.holder(loan.index) == Some(keeper)
        {
            let _ = lender.hand_back(keeper, held);
        }
        lender.resume_loan(sub, loan);
        self.wanting.remove(&loan.index);
    }

    /// Looks after the values that failed or were cut off, and after a shortage of devices; called
    /// ten times a second. Returns a line for people.
    pub(crate) fn look_after(&mut self, context: &RunContext) -> Option<String> {
        self.now = context.now;
        self.drop_settled(context.items.lender());
        self.look_at_failed();
        self.tell_shortage(context)
    }

    /// Looks again at values that failed, because other devices may have joined or left.
    fn look_at_failed(&mut self) {
        let failed = self
            .wanting
            .iter()
            .find(|index| self.open.get(index).is_some_and(ItemAnswers::has_failures));
        if let Some(index) = failed.copied() {
            self.look_again(index);
            self.may_serve = true;
        }
    }

    /// Forgets values that got a result, or were cut off, without a decision here.
    pub(super) fn drop_settled(&mut self, lender: &Lender) {
        let settled: Vec<Index> =
            self.open.keys().filter(|index| lender.value(**index).is_none()).copied().collect();
        settled.into_iter().for_each(|index| drop(self.close(index)));
    }

    /// Removes a value, which has a result or fails for good.
    pub(super) fn close(&mut self, index: Index) -> Option<ItemAnswers> {
        self.wanting.remove(&index);
        self.provisional.remove(&index);
        self.undecided.remove(&index);
        self.comparisons.forget(index);
        let item = self.open.remove(&index)?;
        self.bytes -= item.bytes();
        Some(item)
    }
}
