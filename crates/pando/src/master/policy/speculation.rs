//! `--speculate`: when no other values are left to lend, an idle device gets a copy of the oldest
//! value in a long call. The first result counts.
//!
//! For the lender, the value stays with the first device, and the copy has a loan of its own. When
//! the copy finishes first, its device takes up the value and answers it at once.
//!
//! With `--copies` or `--verify`, all devices compute copies. There, the idle device is one more
//! device than the value wants, and the answers of the first devices count.

use super::{
    Retries, RunContext, Trust,
    workload::{Workload, workloads},
};
use crate::master::{
    items::{Items, Lender},
    registry::{Device, Registry},
};
use std::collections::BTreeSet;
use stream_lender::{Index, Loan, SubStreamId};

/// The values of which a copy was lent, because no value is copied twice.
#[derive(Debug, Default)]
pub(crate) struct Speculation {
    copied: BTreeSet<Index>,
    /// The number of copies lent.
    copies: u64,
}

impl Speculation {
    /// Lends copies of values in long calls, the oldest first, to idle devices. Returns lines that
    /// explain this.
    pub(crate) fn lend_copies(
        &mut self,
        context: &mut RunContext,
        retries: &Retries,
        mut trust: Option<&mut Trust>,
    ) -> Vec<String> {
        let mut lines = Vec::new();
        if context.items.has_some_to_lend() {
            return lines;
        }
        self.copied = self.copied.split_off(&context.items.first_unsettled());
        let mut idle = workloads(context.items.lender(), context.registry, context.now);
        idle.retain(Workload::is_idle);
        idle.sort_by_key(|workload| workload.each);
        for workload in idle {
            let among = (retries, trust.as_deref());
            let Some(index) = self.oldest_running(context, among, workload.sub) else { continue };
            let copy = match &mut trust {
                None => context.items.lender_mut().copy(index),
                Some(trust) => {
                    trust.lend_copy(context.items, context.registry, workload.sub, index)
                }
            };
            let Some(copy) = copy else { break };
            if trust.is_none() {
                self.copied.insert(index);
            }
            self.copies += 1;
            if let Some(device) = context.registry.get_mut(workload.sub) {
                device.send(copy, true, workload.held == 0, context.now);
                lines.push(format!(
                    "{} computes {} as well (--speculate): another device takes long",
                    device.name(),
                    context.job.item(index)
                ));
            }
        }
        lines
    }

    /// The oldest value in a long call which a device computes, other than `idle`. Excludes values
    /// that are careful, or that may make devices vanish.
    fn oldest_running(
        &self,
        context: &RunContext,
        (retries, trust): (&Retries, Option<&Trust>),
        idle: SubStreamId,
    ) -> Option<Index> {
        let (lender, registry) = (context.items.lender(), &*context.registry);
        let idle_device = registry.get(idle)?;
        let may_be_copied = |sub, loan: Loan| match trust {
            None => lender.holds(sub, loan) && !self.copied.contains(&loan.index),
            Some(trust) => trust.may_take_besides(lender, loan.index, idle_device.key()),
        };
        let others = registry.iter().filter(|(sub, _)| *sub != idle);
        let running = others
            .flat_map(|(sub, device)| device.loans().running().map(move |(loan, _)| (sub, loan)));
        running
            .filter(|(sub, loan)| {
                may_be_copied(*sub, *loan)
                    && idle_device.loans().copy_of(loan.index).is_none()
                    && !retries.goes_alone(loan.index)
                    && lender.value(loan.index).is_some_and(|value| !value.careful)
            })
            .map(|(_, loan)| loan.index)
            .min()
    }

    /// Lets a copy at `sub`, which was just lent `loan`, become the loan of the same value.
    /// Returns whether there was such a copy.
    pub(crate) fn prefer_copy(
        &self,
        items: &mut Items,
        registry: &mut Registry,
        sub: SubStreamId,
        loan: Loan,
    ) -> bool {
        // At a gateway, a value comes again that was dropped while a device computed it.
        if self.copied.is_empty() && !items.has_upstream() {
            return false;
        }
        let lender = items.lender_mut();
        let copy = registry.get(sub).and_then(|device| device.loans().copy_of(loan.index));
        if copy.is_none() {
            return false;
        }
        let _ = lender.hand_back(sub, loan);
        resume_copy(lender, registry, sub, loan.index)
    }

    /// The number of copies lent so far.
    pub(crate) fn copies(&self) -> u64 {
        self.copies
    }

    /// Notes that `device` leaves: its copies may be lent again.
    pub(crate) fn left(&mut self, device: &Device) {
        for loan in device.loans().copies() {
            self.copied.remove(&loan.index);
        }
    }
}

/// Makes the copy of `index` at `sub` the loan under which `sub` holds the value. Returns false if
/// there is no such copy, or if another device holds the value.
pub(super) fn resume_copy(
    lender: &mut Lender,
    registry: &mut Registry,
    sub: SubStreamId,
    index: Index,
) -> bool {
    let Some(loans) = registry.get_mut(sub).map(Device::loans_mut) else { return false };
    let Some(copy) = loans.copy_of(index) else { return false };
    loans.take_copy(copy);
    lender.resume_loan(sub, copy).is_some()
}

/// Makes `sub`, which has a result of its copy `loan`, the holder of the value. Returns false if
/// the result comes too late.
pub(crate) fn overtake(
    items: &mut Items,
    registry: &mut Registry,
    retries: &mut Retries,
    sub: SubStreamId,
    loan: Loan,
) -> bool {
    let lender = items.lender();
    let Some(bytes) = lender.value(loan.index).map(|value| value.bytes.len() as u64) else {
        return false;
    };
    let holder = lender.holder(loan.index).filter(|_| !retries.release(items, loan.index));
    if let (Some(holder), Some(held)) = (holder, items.lender().loan(loan.index)) {
        // A result that is being confirmed was earlier.
        let Some(device) = registry.get_mut(holder) else { return false };
        device.loans_mut().add_copy(held, bytes);
        let _ = items.lender_mut().hand_back(holder, held);
    }
    items.lender_mut().resume_loan(sub, loan).is_some()
}
