//! Whose fault a failure is: the item's, or the device's. Applies the rules of
//! [`fitness`](crate::master::registry::Fitness).

use super::{MissingFeature, RunContext, failures::Failures};
use crate::{
    master::{
        job::Job,
        registry::{Device, DeviceKey, Registry, Standing},
    },
    protocol::Failure,
};
use stream_lender::{Index, SubStreamId};

/// The most characters of an error message inside a sentence about a device.
const LONGEST_REASON: usize = 200;

/// The meaning of a failure for its item.
#[derive(Debug)]
pub(super) enum Verdict {
    /// The failure is the device's fault and does not count.
    NoAttempt,
    /// The same, and no device of this gateway is better: the value goes back to the run.
    NoneHere,
    /// This machine's cores cannot compute the item, but a browser can.
    ForBrowsers,
    /// The failure is attempt `number`. If it is not `certain`, the master waits for other devices
    /// before the item fails for good.
    Attempt { number: u32, certain: bool },
}

/// Notes that `sub` failed `index`, and returns the meaning of this failure.
pub(super) fn judge(
    failures: &mut Failures,
    context: &mut RunContext,
    (sub, index): (SubStreamId, Index),
    failure: &Failure,
    missing: Option<&MissingFeature>,
) -> Verdict {
    let RunContext { registry, job, now, .. } = context;
    let Some(device) = registry.get(sub).filter(|_| failure.kind != "vanished") else {
        return Verdict::Attempt { number: failures.count_attempt(index, false), certain: true };
    };
    let key = device.key().clone();
    let standing = registry.evidence().standing(&key);
    // A gateway tells its run at once, which may have browsers.
    let for_browsers = key.local
        && !job.local_only
        && !job.gateway
        && missing.is_some_and(MissingFeature::is_of_browsers);
    let why = reason(device, missing, failure, job);
    let lifted = failures.doubt(index, &key, standing == Standing::Proven);
    lift_doubts(registry, lifted);
    let silence_limit = registry.silence_limit();
    let fitness = registry.evidence_mut().fitness_or_new(&key);
    match for_browsers {
        true => fitness.cannot(silence_limit, *now),
        false => fitness.failed(why, silence_limit, *now),
    }
    // Whom the run lends a value again, it does not know. So the gateway itself finds out whether a
    // device can do nothing any more.
    let fails_all = job.gateway && fitness.fails_all();
    match standing {
        _ if for_browsers => Verdict::ForBrowsers,
        Standing::Unfit if !job.gateway => Verdict::NoAttempt,
        Standing::Proven if !(fails_all && somebody_may_try(failures, registry, sub, index)) => {
            Verdict::Attempt { number: failures.count_attempt(index, false), certain: true }
        }
        _ if somebody_knows_better(failures, registry, sub, index) => {
            failures.excuse(index);
            Verdict::NoAttempt
        }
        Standing::Unfit => Verdict::NoneHere,
        _ => {
            registry.evidence_mut().fitness_or_new(&key).heard();
            // This machine's own cores do not come and go.
            let certain =
                failures.has_failed_here(index) || *now >= registry.others_until() || job.gateway;
            Verdict::Attempt { number: failures.count_attempt(index, true), certain }
        }
    }
}

/// Whether another active device that has not failed `index` may be better.
fn somebody_may_try(
    failures: &Failures,
    registry: &Registry,
    sub: SubStreamId,
    index: Index,
) -> bool {
    active_others(registry, sub)
        .any(|(key, standing)| standing.is_good() && !failures.has_failed(index, key))
}

/// Whether another active device is proven, or is not unfit and has not failed `index`.
fn somebody_knows_better(
    failures: &Failures,
    registry: &Registry,
    sub: SubStreamId,
    index: Index,
) -> bool {
    active_others(registry, sub).any(|(key, standing)| match standing {
        Standing::Proven => true,
        Standing::Unfit => false,
        _ => !failures.has_failed(index, key),
    })
}

/// The active devices other than that of `sub`, each with the judgement on it.
fn active_others(
    registry: &Registry,
    sub: SubStreamId,
) -> impl Iterator<Item = (&DeviceKey, Standing)> {
    let others = registry.iter().filter(move |(other, device)| *other != sub && device.is_active());
    others.map(|(_, device)| (device.key(), registry.evidence().standing(device.key())))
}

/// Lifts one doubt about each of `devices`, because the failure was the item's fault.
pub(super) fn lift_doubts(registry: &mut Registry, devices: Vec<DeviceKey>) {
    for key in devices {
        if let Some(fitness) = registry.evidence_mut().fitness_mut(&key) {
            fitness.doubt_lifted();
        }
    }
}

/// The active devices that are not unfit: first the devices in normal service, then the devices
/// standing back.
pub(super) fn who_may_try(registry: &Registry) -> (Vec<DeviceKey>, Vec<DeviceKey>) {
    let (aside, able): (Vec<_>, Vec<_>) = registry
        .devices()
        .filter(|device| may_try(registry, device))
        .partition(|d| d.stands_back());
    let keys = |devices: Vec<&Device>| devices.into_iter().map(|d| d.key().clone()).collect();
    (keys(able), keys(aside))
}

/// Whether a device is active and not unfit.
pub(super) fn may_try(registry: &Registry, device: &Device) -> bool {
    device.is_active() && registry.evidence().standing(device.key()) != Standing::Unfit
}

/// Returns advice to append to an error of `sub`.
pub(crate) fn hint(
    registry: &Registry,
    sub: SubStreamId,
    missing: Option<&MissingFeature>,
    job: &Job,
) -> &'static str {
    let (Some(missing), Some(device)) = (missing, registry.get(sub)) else { return "" };
    match device.is_local() {
        true if missing.is_of_engines() => " (Node.js has it, and the embedded engine has not)",
        true if job.local_only && missing.is_of_browsers() => {
            " (a browser has it: without --local, tabs can compute this)"
        }
        false if device.page().insecure && missing.needs_https() => {
            " (this page is not https: --tls)"
        }
        false if missing.is_of_pages() && !job.options.dom => {
            " (only a page has it, its workers have not: --dom)"
        }
        _ => "",
    }
}

/// The missing feature of the platform, if the error of the failure names one.
pub(super) fn missing_feature(job: &Job, failure: &Failure) -> Option<MissingFeature> {
    let code = &job.function.code;
    // An error of a program is not an error of JavaScript.
    (!code.is_empty())
        .then(|| MissingFeature::of(&failure.message, failure.stack.as_deref(), code))
        .flatten()
}

/// The reason why a device failed an item, in words.
fn reason(
    device: &Device,
    missing: Option<&MissingFeature>,
    failure: &Failure,
    job: &Job,
) -> String {
    let message: String =
        failure.message.lines().next().unwrap_or_default().chars().take(LONGEST_REASON).collect();
    let page = device.page();
    let browser = page.browser.as_ref().map(|browser| format!(" ({browser})")).unwrap_or_default();
    match missing {
        _ if device.is_local() => format!("all that it tried failed ({message})"),
        Some(missing) if page.insecure && missing.needs_https() => {
            format!("this page is not https: --tls ({})", missing.in_words(&message))
        }
        Some(missing) if missing.is_of_pages() && !job.options.dom => {
            format!("only a page has {missing}, and its workers have not: --dom ({message})")
        }
        Some(missing) => format!("this browser{browser} lacks {missing} ({message})"),
        None => format!("all that it tried failed ({message})"),
    }
}
