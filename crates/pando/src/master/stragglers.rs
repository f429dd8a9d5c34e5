//! Stragglers: once no new values are left to lend, values that a slow device has not begun go to
//! an idle device.
//!
//! Only the device knows which values it has begun. Therefore the master recalls values, and the
//! device holds each loan until it returns the value.

use super::{Core, Device, Master};
use crate::console::printable;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use stream_lender::{Loan, SubStreamId};

/// The time between two checks.
pub(super) const LOOK: Duration = Duration::from_millis(100);
/// The least time between two recalls from one device.
const RECALL_INTERVAL: Duration = Duration::from_secs(1);
/// The least gain in time worth a recall.
const MIN_GAIN: Duration = Duration::from_millis(200);
/// How long a failed value waits for another device.
const UNWANTED: Duration = Duration::from_secs(10);

/// Looks for stragglers, ten times a second. Never ends.
pub async fn recall_stragglers(master: Arc<Master>) {
    let mut tick = tokio::time::interval(LOOK);
    loop {
        tick.tick().await;
        master.look_for_stragglers(Instant::now());
    }
}

impl Master {
    /// Performs one check: settles postponed failures, wakes devices standing back, recalls
    /// values, and lends waiting values and copies.
    pub(super) fn look_for_stragglers(&self, now: Instant) {
        let silence_limit = self.job.silence_limit();
        let lines = self.with(|core| {
            let mut lines = core.settle_due(&self.job, now);
            lines.extend(core.look_after_unfit(now));
            core.recall_from_stalled(silence_limit, now);
            core.recall_stragglers(silence_limit, now);
            core.lend_what_nobody_else_wants(silence_limit, now);
            if self.job.speculate {
                core.speculate(silence_limit, now);
            }
            lines
        });
        lines.into_iter().for_each(|line| self.console.say(printable(&line)));
    }
}

/// The load of one device.
pub(super) struct Load {
    pub(super) sub: SubStreamId,
    /// Calls that the device has open at a time.
    calls: usize,
    /// Values that the device holds or computes.
    pub(super) held: usize,
    /// The device is stalled.
    stalled: bool,
    /// The device rests, or stands back, and is lent nothing now.
    rests: bool,
    /// The usual time of one call.
    pub(super) each: Duration,
    may_be_asked: bool,
}

impl Load {
    /// Whether the device has a free core and may be lent values.
    pub(super) fn is_idle(&self) -> bool {
        self.held < self.calls && !self.rests
    }

    /// The time until all values of the device are computed.
    fn left(&self) -> Duration {
        let seconds = self.each.as_secs_f64() * self.held as f64 / self.calls as f64;
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }

    /// Values per second.
    fn speed(&self) -> f64 {
        self.calls as f64 / self.each.as_secs_f64()
    }
}

impl Core {
    fn recall_stragglers(&mut self, silence_limit: Duration, now: Instant) {
        self.end_yielding(now);
        if self.has_some_to_lend() {
            return;
        }
        let mut loads = self.loads(silence_limit, now);
        // The fastest idle devices choose first.
        let mut idle: Vec<usize> = (0..loads.len()).filter(|at| loads[*at].is_idle()).collect();
        idle.sort_by_key(|at| loads[*at].each);
        for at in idle {
            let slow = (0..loads.len()).filter(|at| {
                loads[*at].may_be_asked && !loads[*at].stalled && loads[*at].held > loads[*at].calls
            });
            let Some(slow) = slow.max_by_key(|at| loads[*at].left()) else { return };
            let count = share(&loads[slow], &loads[at]);
            if count > 0 {
                loads[slow].may_be_asked = false;
                self.recall(loads[slow].sub, count, now);
            }
        }
    }

    /// Recalls the values that have arrived at a stalled device, once people have been told about
    /// the device, and if other devices are not stalled.
    fn recall_from_stalled(&mut self, silence_limit: Duration, now: Instant) {
        // A device that lends no cores may also hold values, which were on their way when it
        // paused.
        let stalled = self.seats.iter().filter(|(sub, seat)| {
            self.is_stalled(**sub, seat, silence_limit, now)
                && self.lender.held(**sub) > 0
                && seat.progress.is_told()
                && seat.may_be_asked(now)
        });
        let stalled: Vec<SubStreamId> = stalled.map(|(sub, _)| *sub).collect();
        if stalled.is_empty() || self.loads(silence_limit, now).iter().all(|load| load.stalled) {
            return;
        }
        for sub in stalled {
            let ids: Vec<Loan> = self.lender.outstanding(sub).collect();
            if let Some(seat) = self.seats.get_mut(&sub) {
                // Values are sent in the order of their loans. A recall must not overtake values
                // still waiting to be sent.
                let come = ids.len().saturating_sub(seat.progress.on_their_way() as usize);
                if come > 0 {
                    seat.progress.make_suspect(silence_limit, now);
                    seat.progress.asked(&ids[..come], now);
                    seat.recall(&ids[..come], now);
                    // Failed values must not wait for this device.
                    self.lender.pause(sub);
                }
            }
        }
    }

    /// Whether any value waits, or could be read for the next ask.
    pub(super) fn has_some_to_lend(&self) -> bool {
        self.lender.has_room() || self.lender.waiting() > 0
    }

    /// Lets devices ask again after a recall: a suspect device after its rest, or when no other
    /// device is active; other devices when there are values to lend.
    fn end_yielding(&mut self, now: Instant) {
        let open = self.has_some_to_lend();
        let active = self.seats.values().any(Device::takes_part);
        for (sub, seat) in self.seats.iter_mut().filter(|(_, seat)| seat.waits_after_recall) {
            let waits = match seat.progress.is_suspect() {
                true => active && (self.lender.held(*sub) > 0 || seat.progress.rests(now)),
                false => !open,
            };
            if !waits {
                seat.waits_after_recall = false;
                seat.wake.notify_one();
            }
        }
    }

    /// Lends a value which has waited too long to a device which has failed the value: other
    /// devices may be paused or busy with long calls.
    fn lend_what_nobody_else_wants(&mut self, silence_limit: Duration, now: Instant) {
        let oldest = self.lender.oldest_waiting();
        self.unwanted = oldest.map(|index| match self.unwanted {
            Some((before, since)) if before == index => (index, since),
            _ => (index, now),
        });
        let Some((index, since)) = self.unwanted else { return };
        if now.saturating_duration_since(since) < UNWANTED {
            return;
        }
        let alone = self.failures.goes_alone(index);
        let suspect =
            |sub: &SubStreamId| self.seats.get(sub).is_some_and(|seat| seat.progress.is_suspect());
        let idle = self.loads(silence_limit, now).into_iter().filter(|load| {
            let mut held = self.lender.outstanding(load.sub);
            let stands_back = self.seats.get(&load.sub).is_some_and(|seat| seat.stands_back);
            let is_alone = held.any(|loan| self.failures.goes_alone(loan.index));
            load.held < if alone { 1 } else { load.calls } && !stands_back && !is_alone
        });
        let idle = idle.min_by_key(|load| (suspect(&load.sub), load.each));
        let Some(sub) = idle.map(|load| load.sub) else { return };
        let first = self.lender.held(sub) == 0;
        // The device may still compute the value as a stray. Then this computation becomes the
        // loan.
        if !self.takes_up_stray(sub, index)
            && let Some(lent) = self.lender.lend_to(sub, index)
            && let Some(seat) = self.seats.get_mut(&sub)
        {
            seat.progress.lent(1, first, now);
            seat.copies.push(lent);
            seat.wake.notify_one();
        }
    }

    pub(super) fn loads(&self, silence_limit: Duration, now: Instant) -> Vec<Load> {
        let usual = self.statistics.median().unwrap_or(Duration::from_secs(1));
        let seats = self.seats.iter().filter(|(_, seat)| !seat.replaced && seat.cores > 0);
        seats
            .map(|(sub, seat)| {
                let longest =
                    seat.running.values().map(|call| call.elapsed(now)).max().unwrap_or_default();
                let calls = (u64::from(seat.cores) * self.calls_per_core) as usize;
                let held = self.lender.held(*sub) + seat.copies_in_flight.len();
                let stalled = self.is_stalled(*sub, seat, silence_limit, now);
                let each = seat.each.unwrap_or(usual).max(longest).max(Duration::from_micros(1));
                let (rests, may_be_asked) = (
                    seat.stands_back || seat.waits_after_recall && seat.progress.rests(now),
                    seat.may_be_asked(now),
                );
                Load { sub: *sub, calls, held, stalled, rests, each, may_be_asked }
            })
            .collect()
    }

    /// Whether `sub` has had values for long without a sign of work.
    fn is_stalled(
        &self,
        sub: SubStreamId,
        seat: &Device,
        silence_limit: Duration,
        now: Instant,
    ) -> bool {
        let has = self.lender.held(sub) + seat.copies_in_flight.len() > 0;
        has && seat.running.is_empty()
            && !self.held_back.has(sub)
            && seat.progress.is_stalled(silence_limit, now)
    }

    /// Recalls the `count` values that `sub` would begin last.
    fn recall(&mut self, sub: SubStreamId, count: usize, now: Instant) {
        let held: Vec<Loan> = self.lender.outstanding(sub).collect();
        if let Some(seat) = self.seats.get_mut(&sub) {
            seat.recall(&held[held.len().saturating_sub(count)..], now);
        }
    }
}

impl Device {
    /// Recalls these loans.
    pub(super) fn recall(&mut self, ids: &[Loan], now: Instant) {
        self.recalls.extend(ids);
        (self.waits_after_recall, self.recalled) = (true, Some(now));
        self.wake.notify_one();
    }

    /// Whether the last recall was long enough ago.
    fn may_be_asked(&self, now: Instant) -> bool {
        self.recalled.is_none_or(|then| now.saturating_duration_since(then) >= RECALL_INTERVAL)
    }
}

/// How many of the values of `slow` would `idle` finish before `slow` finishes the rest; 0 if the
/// gain is too small.
fn share(slow: &Load, idle: &Load) -> usize {
    let gain = slow.left().saturating_sub(idle.each);
    if gain < MIN_GAIN {
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
        Load {
            sub,
            calls,
            held,
            stalled: false,
            rests: false,
            each: Duration::from_millis(millis),
            may_be_asked: true,
        }
    }

    #[test]
    fn an_idle_device_takes_its_share_and_leaves_what_is_computed() {
        assert_eq!(share(&load(1, 2, 10_000), &load(1, 0, 10_000)), 1);
        assert_eq!(share(&load(1, 101, 1000), &load(1, 0, 1000)), 50);
        assert_eq!(share(&load(1, 101, 1000), &load(1, 0, 10)), 100);
        assert_eq!(share(&load(4, 5, 1000), &load(4, 0, 10)), 1);
    }

    #[test]
    fn no_time_is_too_long_to_be_counted() {
        let never = Load { each: Duration::MAX, ..load(1, 3000, 0) };
        assert_eq!(never.left(), Duration::MAX);
        assert_eq!(share(&never, &load(1, 0, 1)), 2999);
    }

    #[test]
    fn values_stay_where_they_are_done_soonest() {
        assert_eq!(share(&load(1, 50, 1), &load(1, 0, 1)), 0);
        assert_eq!(share(&load(1, 10, 100), &load(1, 0, 5000)), 0);
    }
}
