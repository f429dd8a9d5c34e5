//! What the owner of the run does with a device: a pause, fewer cores, a goodbye.

use super::{RunContext, workload::computed_by};
use crate::master::registry::OwnerRule;

/// A decision of the owner about one device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// The device is lent nothing, and returns the values that it has not begun.
    Pause,
    /// The device is lent values again.
    Resume,
    /// At most this number of cores computes.
    Cores(u32),
    /// The device is sent away, and does not come back by itself.
    Remove,
}

/// Applies a decision about the device with this number. Returns a line for people, unless the
/// goodbye of the device says the same.
///
/// # Errors
/// When the decision is not possible, with a sentence for people.
pub(crate) fn decide(
    context: &mut RunContext,
    number: u64,
    decision: Decision,
) -> Result<Option<String>, &'static str> {
    let RunContext { items, registry, now, .. } = context;
    let found = registry.numbered(number).and_then(|sub| Some((sub, registry.get(sub)?)));
    let Some((sub, device)) = found else {
        return Err("This device is not connected (any more).");
    };
    let rule = device.rule();
    let rule = match decision {
        Decision::Pause => OwnerRule { paused: true, ..rule },
        Decision::Resume => OwnerRule { paused: false, ..rule },
        Decision::Cores(0) => return Err("A device without any core computes nothing: pause it."),
        Decision::Cores(cores) => {
            OwnerRule { cores: Some(cores).filter(|cores| *cores < device.offered()), ..rule }
        }
        Decision::Remove if device.is_local() => {
            return Err("The cores of this machine cannot be sent away: pause them.");
        }
        Decision::Remove => OwnerRule { removed: true, ..rule },
    };
    let line = words(decision).map(|words| format!("{} {words}", device.name()));
    registry.set_rule(sub, rule, *now);
    let Some(device) = registry.get_mut(sub).filter(|device| device.cores() == 0) else {
        return Ok(line);
    };
    let lender = items.lender_mut();
    lender.pause(sub);
    let held = computed_by(lender, sub, device);
    if !held.is_empty() {
        device.recall(&held, *now);
    }
    Ok(line)
}

/// The rest of a sentence about a device.
fn words(decision: Decision) -> Option<String> {
    match decision {
        Decision::Pause => Some("is paused on the monitoring page".into()),
        Decision::Resume => Some("is not paused any more".into()),
        Decision::Cores(1) => Some("uses at most 1 core".into()),
        Decision::Cores(cores) => Some(format!("uses at most {cores} cores")),
        Decision::Remove => None,
    }
}
