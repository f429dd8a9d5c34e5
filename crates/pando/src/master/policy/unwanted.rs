//! Values that nobody else wants: a value which has waited too long is lent to a device which has
//! failed it, because other devices may be paused or busy with long calls.

use super::{
    Retries, RunContext,
    speculation::resume_copy,
    workload::{Workload, workloads},
};
use std::time::{Duration, Instant};
use stream_lender::Index;

/// How long a failed value waits for another device.
const UNWANTED: Duration = Duration::from_secs(10);

/// The oldest value that waits to be lent again, and the time since when it is the oldest.
#[derive(Debug, Default)]
pub(crate) struct Unwanted(Option<(Index, Instant)>);

impl Unwanted {
    /// Lends the oldest waiting value, if it has waited too long, to an idle device. Returns a line
    /// that explains this.
    pub(crate) fn lend(&mut self, context: &mut RunContext, retries: &Retries) -> Option<String> {
        let now = context.now;
        self.0 = context.items.lender().oldest_returned().map(|index| match self.0 {
            Some((before, since)) if before == index => (index, since),
            _ => (index, now),
        });
        let (index, since) = self.0?;
        if now.saturating_duration_since(since) < UNWANTED {
            return None;
        }
        let Workload { sub, .. } = idlest(context, retries, index)?;
        let RunContext { items, registry, .. } = context;
        let lender = items.lender_mut();
        let first = lender.held(sub) == 0;
        // The device may still compute the value as a copy. Then this computation becomes the loan.
        if !resume_copy(lender, registry, sub, index)
            && let Some(lent) = lender.lend_to(sub, index)
            && let Some(device) = registry.get_mut(sub)
        {
            device.send(lent, false, first, now);
        }
        let (name, item) = (registry.get(sub)?.name(), context.job.item(index));
        Some(format!("{item} goes to {name}: no other device has taken it"))
    }
}

/// The fastest device with a free core that may be lent `index`; suspect devices come last.
fn idlest(context: &RunContext, retries: &Retries, index: Index) -> Option<Workload> {
    let (lender, registry) = (context.items.lender(), &*context.registry);
    let alone = retries.goes_alone(index);
    let idle = workloads(lender, registry, context.now).into_iter().filter(|workload| {
        let mut held = lender.outstanding(workload.sub);
        let stands_back = registry.get(workload.sub).is_some_and(|device| device.stands_back());
        let is_alone = held.any(|loan| retries.goes_alone(loan.index));
        workload.held < if alone { 1 } else { workload.calls } && !stands_back && !is_alone
    });
    let is_suspect =
        |workload: &Workload| registry.get(workload.sub).is_some_and(|d| d.is_suspect());
    idle.min_by_key(|workload| (is_suspect(workload), workload.each))
}
