//! Where the time of the cores went in which they computed nothing. Pure: time is an argument.
//!
//! Two measures are joined, so that the parts add up to the whole:
//!
//! - *How much* time was lost is measured exactly: the time for which each core was lent, without
//!   the time of its calls that have ended (`idleCoreSeconds` in the summary).
//! - *For which cause* is sampled once a second: how many cores have no value, and why. The cause
//!   follows the sentence that the monitoring page shows at this moment. A core of a device that
//!   rests or stands back has this as its own cause.
//!
//! What the samples do not explain is the time of cores that had a value and computed nothing:
//! values and results under way, cores that load the function, calls that never ended because
//! their device left or froze. This part is called *network*. Samples may see more than was
//! lost, because a core may get its value right after a look: then all parts are reduced alike.

use crate::master::{IdleCause, RunSample};
use serde::Serialize;
use std::collections::BTreeMap;

/// The samples so far; see the module.
#[derive(Debug, Default)]
pub(super) struct IdleTime {
    /// The seconds from the start of the run to the last look.
    looked: f64,
    /// Seconds of cores, by the cause.
    seconds: BTreeMap<IdleCause, f64>,
}

/// A part of the time that was lost.
#[derive(Debug, Serialize)]
pub(super) struct LostTime {
    cause: IdleCause,
    /// The seconds, summed over the cores.
    seconds: f64,
}

impl IdleTime {
    /// Adds a look: what it sees counts for the time since the last look.
    pub(super) fn add(&mut self, look: &RunSample) {
        let passed = (look.elapsed - self.looked).max(0.0);
        self.looked = look.elapsed;
        for (cause, cores) in &look.idle {
            *self.seconds.entry(*cause).or_default() += passed * *cores as f64;
        }
    }

    /// The parts of the `idle` seconds of cores that were measured, the greatest first.
    pub(super) fn parts(&self, idle: f64) -> Vec<LostTime> {
        let sampled = self.seconds.iter().filter(|(cause, _)| **cause != IdleCause::Network);
        let mut parts: Vec<LostTime> =
            sampled.map(|(cause, seconds)| LostTime { cause: *cause, seconds: *seconds }).collect();
        let seen: f64 = parts.iter().map(|part| part.seconds).sum();
        if seen > idle {
            parts.iter_mut().for_each(|part| part.seconds *= idle / seen);
        }
        parts.push(LostTime { cause: IdleCause::Network, seconds: (idle - seen).max(0.0) });
        parts.retain(|part| part.seconds > 0.0);
        parts.sort_by(|one, other| other.seconds.total_cmp(&one.seconds));
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(looks: &[(f64, IdleCause, u64)]) -> IdleTime {
        let mut time = IdleTime::default();
        for (elapsed, cause, cores) in looks {
            let idle = [(*cause, *cores)].into();
            time.add(&RunSample { idle, elapsed: *elapsed, ..RunSample::default() });
        }
        time
    }

    fn parts(time: &IdleTime, idle: f64) -> Vec<(IdleCause, f64)> {
        time.parts(idle).into_iter().map(|part| (part.cause, part.seconds)).collect()
    }

    #[test]
    fn the_parts_add_up_to_the_idle_time() {
        use IdleCause::{End, Input, Network, Order};
        let time = after(&[(1.0, Input, 4), (2.0, Order, 2), (2.5, End, 4), (3.5, Network, 1)]);
        assert_eq!(parts(&time, 12.0), [(Input, 4.0), (Network, 4.0), (Order, 2.0), (End, 2.0)]);
        assert_eq!(parts(&time, 4.0), [(Input, 2.0), (Order, 1.0), (End, 1.0)]);
        assert_eq!(parts(&time, 0.0), []);
        assert_eq!(parts(&IdleTime::default(), 3.0), [(Network, 3.0)]);
    }
}
