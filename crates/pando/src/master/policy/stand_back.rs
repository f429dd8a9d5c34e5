//! Decides which devices stand back: unfit devices always, doubtful devices beside better ones.

use super::{
    RunContext,
    workload::{computed_by, held},
};
use crate::master::{
    items::Lender,
    registry::{DeviceKey, Registry},
};
use std::time::Instant;
use stream_lender::SubStreamId;

/// The most values that `sub` may be lent now: none during a rest and one after a rest, without
/// limit if the device does not stand back.
pub(crate) fn lend_limit(
    lender: &Lender,
    registry: &Registry,
    sub: SubStreamId,
    now: Instant,
) -> usize {
    match registry.get(sub).filter(|device| registry.must_stand_back(device, now)) {
        Some(device) => usize::from(
            !registry.evidence().rests(device.key(), now) && held(lender, sub, device) == 0,
        ),
        None => usize::MAX,
    }
}

/// Makes `sub` stand back, so that failed items do not wait for this device.
pub(crate) fn stand_back(lender: &mut Lender, registry: &mut Registry, sub: SubStreamId) {
    lender.pause(sub);
    if let Some(device) = registry.get_mut(sub) {
        device.stand_back();
    }
}

/// Makes `sub` stand back if the rules say so, and recalls its values.
pub(super) fn stand_back_if_due(context: &mut RunContext, sub: SubStreamId) {
    let RunContext { items, registry, now, .. } = context;
    let lender = items.lender_mut();
    let is_due = registry
        .get(sub)
        .is_some_and(|device| !device.stands_back() && registry.must_stand_back(device, *now));
    if !is_due {
        return;
    }
    stand_back(lender, registry, sub);
    let Some(device) = registry.get_mut(sub) else { return };
    let held = computed_by(lender, sub, device);
    if !held.is_empty() {
        device.recall(&held, *now);
    }
}

/// Ends the trust in a device, whose results are wrong: it is lent nothing any more.
pub(super) fn distrust(context: &mut RunContext, key: &DeviceKey) {
    context.registry.evidence_mut().fitness_or_new(key).distrust();
    let devices = context.registry.iter();
    let sessions: Vec<SubStreamId> =
        devices.filter(|(_, device)| device.key() == key).map(|(sub, _)| sub).collect();
    sessions.into_iter().for_each(|sub| stand_back_if_due(context, sub));
}

/// Notes that `sub` returned unbegun values without a recall.
pub(crate) fn gave_back_unasked(context: &mut RunContext, sub: SubStreamId) {
    let silence_limit = context.registry.silence_limit();
    let Some(device) = context.registry.get(sub) else { return };
    let (key, cores) = (device.key().clone(), device.cores());
    context.registry.evidence_mut().fitness_or_new(&key).gave_back(
        cores,
        silence_limit,
        context.now,
    );
    stand_back_if_due(context, sub);
}

/// Wakes devices standing back, if values may be lent to them again: one item after a rest, or as
/// many as to any device. Returns lines for people.
pub(crate) fn look_after_unfit(context: &mut RunContext) -> Vec<String> {
    let RunContext { items, registry, now, .. } = context;
    let aside: Vec<SubStreamId> =
        registry.iter().filter(|(_, device)| device.stands_back()).map(|(sub, _)| sub).collect();
    let has_better = !aside.is_empty() && registry.has_better();
    let mut lines = Vec::new();
    for sub in aside {
        let may_ask = lend_limit(items.lender(), registry, sub, *now) > 0;
        let Some(key) = registry.get(sub).map(|device| device.key().clone()) else { continue };
        let words = registry.evidence_mut().fitness_or_new(&key).take_news(has_better, *now);
        let Some(device) = registry.get_mut(sub) else { continue };
        lines.extend(words.map(|words| format!("{} {words}", device.name())));
        if may_ask {
            device.stand_in();
        }
    }
    lines
}
