//! Stragglers: once no new values are left to lend, values that a slow device has not begun go to
//! an idle device. Stalled devices are asked for all that has come to them.
//!
//! Only the device knows which values it has begun. Therefore the master recalls values, and the
//! device holds each loan until it returns the value.

use super::{
    RunContext, Trust,
    workload::{Workload, computed_by, held, workloads},
};
use crate::{master::registry::Device, number};
use std::time::Duration;
use stream_lender::{Loan, SubStreamId};
use tracing::debug;

/// The least gain in time worth a recall.
const MIN_GAIN: Duration = Duration::from_millis(200);

/// Recalls values from slow devices for idle ones, the fastest idle device first. Returns lines
/// that explain this.
pub(crate) fn recall_stragglers(context: &mut RunContext, trust: Option<&Trust>) -> Vec<String> {
    let mut lines = Vec::new();
    if context.items.has_some_to_lend() {
        return lines;
    }
    let mut workloads = workloads(context.items.lender(), context.registry, context.now);
    let mut idle: Vec<usize> = (0..workloads.len()).filter(|at| workloads[*at].is_idle()).collect();
    idle.sort_by_key(|at| workloads[*at].each);
    for at in idle {
        let idle = workloads[at].sub;
        let slow = (0..workloads.len()).filter(|at| {
            let workload = &workloads[*at];
            workload.may_be_recalled
                && !workload.stalled
                && workload.held > workload.calls
                && (trust.is_none() || !recallable(context, trust, workload, idle).is_empty())
        });
        let Some(slow) = slow.max_by_key(|at| workloads[*at].left()) else { break };
        let count = share(&workloads[slow], &workloads[at]);
        if count > 0 {
            workloads[slow].may_be_recalled = false;
            let mut loans = recallable(context, trust, &workloads[slow], idle);
            loans.drain(..loans.len().saturating_sub(count));
            let slow = workloads[slow].sub;
            recall(context, slow, &loans);
            lines.push(format!(
                "{} is asked to give back {}: {} has nothing to do and would finish earlier",
                name(context, slow),
                number::count(count as u64, "value"),
                name(context, idle)
            ));
        }
    }
    lines
}

fn name<'a>(context: &'a RunContext, sub: SubStreamId) -> &'a str {
    context.registry.get(sub).map_or("a device", Device::name)
}

/// The values of `slow` that `idle` may take, those last that `slow` would begin last.
fn recallable(
    context: &RunContext,
    trust: Option<&Trust>,
    slow: &Workload,
    idle: SubStreamId,
) -> Vec<Loan> {
    let (lender, registry) = (context.items.lender(), &*context.registry);
    let Some(trust) = trust else { return lender.outstanding(slow.sub).collect() };
    let (Some(device), Some(idle)) = (registry.get(slow.sub), registry.get(idle)) else {
        return Vec::new();
    };
    let mut loans = computed_by(lender, slow.sub, device);
    loans.drain(..slow.calls.min(loans.len()));
    loans.retain(|loan| trust.suits(loan.index, idle.key()));
    loans
}

/// Recalls values from `sub`.
fn recall(context: &mut RunContext, sub: SubStreamId, loans: &[Loan]) {
    debug!(session = ?sub, count = loans.len(), "values are recalled from a straggler");
    if let Some(device) = context.registry.get_mut(sub) {
        device.recall(loans, context.now);
    }
}

/// How many of the values of `slow` would `idle` finish before `slow` finishes the rest; 0 if the
/// gain is too small.
fn share(slow: &Workload, idle: &Workload) -> usize {
    let gain = slow.left().saturating_sub(idle.each);
    if gain < MIN_GAIN {
        return 0;
    }
    let all = slow.held as f64 * idle.speed() / (slow.speed() + idle.speed());
    (all as usize).clamp(1, slow.held - slow.calls)
}

/// Recalls the values that have arrived at a stalled device, once people have been told about the
/// device, and if other devices are not stalled. Returns lines that explain this.
pub(crate) fn recall_from_stalled(context: &mut RunContext) -> Vec<String> {
    let mut lines = Vec::new();
    let RunContext { items, registry, now, .. } = context;
    let (lender, now, silence_limit) = (items.lender_mut(), *now, registry.silence_limit());
    // A device that lends no cores may also hold values, which were on their way when it paused.
    let is_due = |sub: SubStreamId, device: &Device| {
        device.is_told() && device.may_be_recalled(now) && {
            let held = held(lender, sub, device);
            held > 0 && device.is_stalled(held, silence_limit, now)
        }
    };
    let stalled: Vec<SubStreamId> =
        registry.iter().filter(|(sub, device)| is_due(*sub, device)).map(|(sub, _)| sub).collect();
    if stalled.is_empty()
        || workloads(lender, registry, now).iter().all(|workload| workload.stalled)
    {
        return lines;
    }
    for sub in stalled {
        let Some(device) = registry.get_mut(sub) else { continue };
        let loans = computed_by(lender, sub, device);
        // Values are sent in the order of their loans. A recall must not overtake values still
        // waiting to be sent.
        let on_their_way = device.loans().progress().on_their_way() as usize;
        let come = loans.len().saturating_sub(on_their_way);
        if come > 0 {
            debug!(
                device = device.name(),
                count = come,
                "values are recalled from a stalled device"
            );
            device.recall_from_stalled(&loans[..come], silence_limit, now);
            // Failed values must not wait for this device.
            lender.pause(sub);
            lines.push(format!(
                "{} is asked to give back {}, because it shows no work on them",
                device.name(),
                number::count(come as u64, "value")
            ));
        }
    }
    lines
}

/// Lets devices ask again after a recall: a suspect device after its rest, or when no other device
/// is active, not even one that stands back; other devices when there are values to lend.
pub(crate) fn end_waits(context: &mut RunContext, trust: Option<&Trust>) {
    let RunContext { items, registry, now, .. } = context;
    let has_some = items.has_some_to_lend() || trust.is_some_and(Trust::has_wanting);
    let active = registry.devices().any(Device::is_active);
    for (sub, device) in registry.iter_mut().filter(|(_, device)| device.waits_after_recall()) {
        let waits = match device.is_suspect() {
            true => active && (held(items.lender(), sub, device) > 0 || device.rests(*now)),
            false => !has_some,
        };
        if !waits && device.end_wait() {
            device.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stream_lender::{Lender, Window};

    fn workload(calls: usize, held: usize, millis: u64) -> Workload {
        let sub = Lender::<(), (), ()>::new(Window::default()).open();
        Workload {
            sub,
            calls,
            held,
            stalled: false,
            rests: false,
            each: Duration::from_millis(millis),
            may_be_recalled: true,
        }
    }

    #[test]
    fn an_idle_device_takes_its_share_and_leaves_what_is_computed() {
        assert_eq!(share(&workload(1, 2, 10_000), &workload(1, 0, 10_000)), 1);
        assert_eq!(share(&workload(1, 101, 1000), &workload(1, 0, 1000)), 50);
        assert_eq!(share(&workload(1, 101, 1000), &workload(1, 0, 10)), 100);
        assert_eq!(share(&workload(4, 5, 1000), &workload(4, 0, 10)), 1);
    }

    #[test]
    fn no_time_is_too_long_to_be_counted() {
        let never = Workload { each: Duration::MAX, ..workload(1, 3000, 0) };
        assert_eq!(never.left(), Duration::MAX);
        assert_eq!(share(&never, &workload(1, 0, 1)), 2999);
    }

    #[test]
    fn values_stay_where_they_are_done_soonest() {
        assert_eq!(share(&workload(1, 50, 1), &workload(1, 0, 1)), 0);
        assert_eq!(share(&workload(1, 10, 100), &workload(1, 0, 5000)), 0);
    }
}
