//! Stragglers: once there is nothing new to lend, values that a slow device has not started go to one that has nothing to do.
//!
//! Only the device knows what it has started: it is asked for values back (`recall`), and they stay its own until it returns them.

use super::{Core, Master};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use stream_lender::{Index, SubStreamId};

/// Between two looks.
pub(super) const LOOK: Duration = Duration::from_millis(100);
/// A device that was asked for values is not asked again before this.
const AGAIN: Duration = Duration::from_secs(1);
/// What is finished sooner than this stays where it is.
const SOON: Duration = Duration::from_millis(200);

/// Looks for stragglers, ten times a second. Never ends.
pub async fn recall_stragglers(master: Arc<Master>) {
    let mut tick = tokio::time::interval(LOOK);
    loop {
        tick.tick().await;
        master.look_for_stragglers(Instant::now());
    }
}

impl Master {
    /// Looks once: asks for values back, and lends some a second time if that is wanted.
    pub(super) fn look_for_stragglers(&self, now: Instant) {
        self.with(|core| {
            core.recall_stragglers(now);
            if self.job.speculate {
                core.speculate(now);
            }
        });
    }
}

/// What counts of one device.
pub(super) struct Load {
    pub(super) sub: SubStreamId,
    /// Calls that it has open at a time.
    pub(super) calls: usize,
    /// Values that it holds or computes.
    pub(super) held: usize,
    /// Time of one call.
    pub(super) each: Duration,
    may_be_asked: bool,
}

impl Load {
    /// Time until all that it holds is done.
    fn left(&self) -> Duration {
        self.each.mul_f64(self.held as f64 / self.calls as f64)
    }

    /// Values per second.
    fn speed(&self) -> f64 {
        self.calls as f64 / self.each.as_secs_f64()
    }
}

impl Core {
    fn recall_stragglers(&mut self, now: Instant) {
        if self.lender.has_room() || self.lender.waiting() > 0 {
            return self.end_yielding();
        }
        let mut loads = self.loads(now);
        // The fastest of those that have nothing to do choose first.
        let mut idle: Vec<usize> = (0..loads.len()).filter(|at| loads[*at].held < loads[*at].calls).collect();
        idle.sort_by_key(|at| loads[*at].each);
        for at in idle {
            let slow = (0..loads.len()).filter(|at| loads[*at].may_be_asked && loads[*at].held > loads[*at].calls);
            let Some(slow) = slow.max_by_key(|at| loads[*at].left()) else { return };
            let count = share(&loads[slow], &loads[at]);
            if count > 0 {
                loads[slow].may_be_asked = false;
                self.recall(loads[slow].sub, count, now);
            }
        }
    }

    /// Who gave values back may have them again: nobody else has taken them.
    fn end_yielding(&mut self) {
        for seat in self.seats.values_mut().filter(|seat| seat.yields) {
            seat.yields = false;
            seat.wake.notify_one();
        }
    }

    pub(super) fn loads(&self, now: Instant) -> Vec<Load> {
        let usual = self.statistics.median().unwrap_or(Duration::from_secs(1));
        let seats = self.seats.iter().filter(|(_, seat)| !seat.replaced && seat.cores > 0);
        seats
            .map(|(sub, seat)| {
                let longest = seat.running.values().map(|call| call.elapsed(now)).max().unwrap_or_default();
                let each = seat.each.unwrap_or(usual).max(longest).max(Duration::from_micros(1));
                let calls = (u64::from(seat.cores) * self.calls_per_core) as usize;
                let may_be_asked = seat.recalled.is_none_or(|then| now.saturating_duration_since(then) >= AGAIN);
                Load { sub: *sub, calls, held: self.lender.held(*sub) + seat.strays.len(), each, may_be_asked }
            })
            .collect()
    }

    /// Asks `sub` for the `count` values that it would start last.
    fn recall(&mut self, sub: SubStreamId, count: usize, now: Instant) {
        let held: Vec<Index> = self.lender.outstanding(sub).collect();
        if let Some(seat) = self.seats.get_mut(&sub) {
            seat.recalls.extend(&held[held.len().saturating_sub(count)..]);
            (seat.yields, seat.recalled) = (true, Some(now));
            seat.wake.notify_one();
        }
    }
}

/// How many of `slow`'s values `idle` would finish before `slow` has done the others; none when it is not worth it.
fn share(slow: &Load, idle: &Load) -> usize {
    let gain = slow.left().saturating_sub(idle.each);
    if gain < SOON {
        return 0;
    }
    let all = slow.held as f64 * idle.speed() / (slow.speed() + idle.speed());
    (all as usize).clamp(1, slow.held - slow.calls)
}

#[cfg(test)]
mod tests {
    use super::*;
    use stream_lender::{Lender, Window};

    fn load(calls: usize, held: usize, millis: u64) -> Load {
        let sub = Lender::<(), (), ()>::new(Window::default()).open();
        Load { sub, calls, held, each: Duration::from_millis(millis), may_be_asked: true }
    }

    #[test]
    fn an_idle_device_takes_its_share_and_leaves_what_is_computed() {
        assert_eq!(share(&load(1, 2, 10_000), &load(1, 0, 10_000)), 1);
        assert_eq!(share(&load(1, 101, 1000), &load(1, 0, 1000)), 50);
        assert_eq!(share(&load(1, 101, 1000), &load(1, 0, 10)), 100);
        assert_eq!(share(&load(4, 5, 1000), &load(4, 0, 10)), 1);
    }

    #[test]
    fn values_stay_where_they_are_done_soonest() {
        assert_eq!(share(&load(1, 50, 1), &load(1, 0, 1)), 0);
        assert_eq!(share(&load(1, 10, 100), &load(1, 0, 5000)), 0);
    }
}
