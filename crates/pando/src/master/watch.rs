//! Watches over a run and tells people about long calls, stalled devices and a full window. Closes
//! the link of a device that neither computes nor returns its values.

use super::{Core, Device, Job, Master};
use crate::{
    console::printable,
    protocol::{Path, Running},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use stream_lender::{Index, SubStreamId};

/// The least time after which a call is long; the other bound is ten times the median.
const LONG: Duration = Duration::from_secs(10);
/// The least time after which a call is long if a person answers.
const LONG_FOR_A_PERSON: Duration = Duration::from_secs(600);
/// How long the window is full before people are told.
const FULL: Duration = Duration::from_secs(5);

/// A check later than this shows that this process was stopped: checks are a second apart.
const LATE: Duration = Duration::from_secs(3);

/// The longest believable time of a call; longer reports are cut to this.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// A call that the device has reported as long.
#[derive(Debug)]
pub(crate) struct LongCall {
    since: Instant,
    /// The time of the call at which people are told next.
    tell_at: Duration,
}

impl Master {
    /// Handles a device's report about long calls, or about loading the function for `loading`
    /// milliseconds.
    pub(crate) fn started(
        &self,
        sub: SubStreamId,
        items: &[Running],
        loading: Option<u64>,
        now: Instant,
    ) {
        self.with(|core| {
            let tell_at = long(core.statistics.median(), self.job.options.dom);
            if let (Some(seat), Some(ms)) = (core.seats.get_mut(&sub), loading) {
                seat.progress.loads(Duration::from_millis(ms), now);
            }
            for item in items {
                if !core.computes(sub, item.id) {
                    continue;
                }
                let since =
                    now.checked_sub(Duration::from_millis(item.ms).min(LONGEST)).unwrap_or(now);
                if let Some(seat) = core.seats.get_mut(&sub) {
                    seat.progress.worked(now);
                    seat.running.entry(item.id).or_insert(LongCall { since, tell_at });
                }
            }
        });
    }
}

impl Master {
    /// Performs one check, and tells people about its findings.
    pub(super) fn look_after(&self, watcher: &mut Watcher, now: Instant) {
        let lines = self.with(|core| {
            let late = watcher.lateness(now);
            if late.is_zero() {
                core.look_at_parts(self.job.silence_limit(), now);
                end_overdue(core, &self.job, now);
            } else {
                core.excuse(late, now);
            }
            let mut lines = long_calls(core, &self.job, now);
            lines.extend(stalled(core, self.job.silence_limit(), now));
            lines.extend(watcher.look_at_window(core, now));
            lines
        });
        for line in lines {
            self.console.say(printable(&line));
        }
    }
}

impl LongCall {
    /// How long the call has been going on.
    pub(super) fn elapsed(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.since)
    }
}

/// Checks a run once a second, and tells people about the findings. Never ends.
pub async fn watch(master: Arc<Master>) {
    let mut watcher = Watcher::default();
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    loop {
        tick.tick().await;
        master.look_after(&mut watcher, Instant::now());
        master.look_after_journal();
    }
}

/// Returns the time from which a call is told as long.
fn long(usual: Option<Duration>, by_people: bool) -> Duration {
    let least = if by_people { LONG_FOR_A_PERSON } else { LONG };
    least.max(usual.unwrap_or_default() * 10)
}

/// Closes the links of devices with a call far beyond `--timeout`. A device ends overdue calls by
/// itself; a device that keeps reporting such a call is not believed.
fn end_overdue(core: &mut Core, job: &Job, now: Instant) {
    let Some(timeout) = job.options.timeout.map(Duration::from_millis) else { return };
    // A reported call may have waited for other calls of its core.
    let longest =
        timeout.saturating_mul(job.options.concurrency).saturating_add(job.silence_limit());
    for (sub, seat) in &mut core.seats {
        // The answer may already be on its way, behind a long one.
        let is_heard = seat.parts == 0 && !core.held_back.has(*sub);
        if is_heard && seat.running.values().any(|call| call.elapsed(now) > longest) {
            seat.give_up();
        }
    }
}

impl Device {
    /// Has the device's link closed, because the device keeps values without computing them.
    /// Returns false for this machine's own cores, which have no link.
    pub(super) fn give_up(&mut self) -> bool {
        self.stuck = self.path != Path::Local;
        if self.stuck {
            self.wake.notify_one();
        }
        self.stuck
    }
}

fn long_calls(core: &mut Core, job: &Job, now: Instant) -> Vec<String> {
    let by_people = job.options.dom;
    let hint = if job.options.timeout.is_some() { "" } else { " (--timeout would end it)" };
    let usual = core.statistics.median().filter(|_| !by_people);
    let mut lines = Vec::new();
    for seat in core.seats.values_mut() {
        for (loan, call) in &mut seat.running {
            let time = call.elapsed(now);
            if time < call.tell_at {
                continue;
            }
            call.tell_at = time * 2;
            let times = usual
                .filter(|usual| !usual.is_zero())
                .map(|usual| time.as_secs_f64() / usual.as_secs_f64());
            let times =
                times.map(|times| format!(", {times:.0} times the usual")).unwrap_or_default();
            let (item, name, time) = (loan.index + 1, &seat.name, time.as_secs());
            lines.push(match by_people {
                true => format!("item {item} has been waiting for an answer on the page of {name} for {time} s{hint}"),
                false => format!("item {item} has been computing on {name} for {time} s{times}{hint}"),
            });
        }
    }
    lines
}

/// Returns lines about stalled devices: they answer pings, but show no sign of work. Closes the
/// link of a device that also ignores a recall.
fn stalled(core: &mut Core, silence_limit: Duration, now: Instant) -> Vec<String> {
    let mut lines = Vec::new();
    let Core { seats, lender, held_back, .. } = core;
    for (sub, seat) in seats.iter_mut() {
        if !seat.running.is_empty() || seat.replaced || held_back.has(*sub) {
            continue;
        }
        let Some(first) = lender.outstanding(*sub).next().map(|loan| loan.index) else { continue };
        if !seat.progress.is_stalled(silence_limit, now) {
            continue;
        }
        if seat.progress.ignores_recall(silence_limit, now) && seat.give_up() {
            continue;
        }
        let Some((time, loading)) = seat.progress.tell(now) else { continue };
        let (name, seconds) = (&seat.name, time.as_secs());
        let what = match lender.held(*sub) {
            1 => format!("item {}", first + 1),
            n => format!("any of its {n} items, item {} first", first + 1),
        };
        lines.push(match loading {
            Some(time) => format!(
                "{name} has not begun {what}: it has been loading the function for {} s; others get its items meanwhile, if there are any",
                time.as_secs()
            ),
            None => format!(
                "{name} answers pings, but has neither begun nor answered {what} in {seconds} s: others get its items, \
                 if there are any; load its page again, or close it, should this go on"
            ),
        });
    }
    lines
}

impl Core {
    /// Forgives silence during the last `late`, because this process was stopped and frames of
    /// that time are still unread.
    fn excuse(&mut self, late: Duration, now: Instant) {
        for seat in self.seats.values_mut() {
            seat.flow = None;
            seat.progress.excuse(late, now);
            seat.running.values_mut().for_each(|call| call.since = now.min(call.since + late));
        }
    }
}

/// The memory of the watch between two checks.
#[derive(Default)]
pub(super) struct Watcher {
    /// While the window is full: the oldest value, since when it blocks the window, and whether
    /// people have been told.
    blocked: Option<(Index, Instant, bool)>,
    /// The time of the last check.
    looked: Option<Instant>,
}

impl Watcher {
    /// Returns how long after the last check this one comes, if it is later than a busy machine
    /// explains; zero otherwise.
    fn lateness(&mut self, now: Instant) -> Duration {
        let since = self
            .looked
            .replace(now)
            .map_or(Duration::ZERO, |looked| now.saturating_duration_since(looked));
        if since > LATE { since } else { Duration::ZERO }
    }

    fn look_at_window(&mut self, core: &Core, now: Instant) -> Option<String> {
        // If output is available, the window is full because of the reader of the output.
        let is_full = (core.lender.is_full() || core.holds_back()) && !core.lender.has_output();
        let oldest = core.lender.oldest().filter(|_| is_full);
        let Some((index, holder)) = oldest else {
            self.blocked = None;
            return None;
        };
        match &mut self.blocked {
            Some((blocked, since, told)) if *blocked == index => {
                if *told || now.saturating_duration_since(*since) < FULL {
                    return None;
                }
                *told = true;
                let who = match holder.and_then(|sub| core.seats.get(&sub)) {
                    Some(seat) => format!("which {} has", seat.name),
                    None => "which waits for a device".into(),
                };
                let count = core.lender.in_progress();
                Some(format!(
                    "the window is full: {count} values are read and not yet output; all wait for item {}, {who}",
                    index + 1
                ))
            }
            _ => {
                self.blocked = Some((index, now, false));
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_that_is_late_is_told_from_one_that_is_not() {
        let (mut watcher, now) = (Watcher::default(), Instant::now());
        let mut lateness = |seconds| watcher.lateness(now + Duration::from_secs(seconds)).as_secs();
        assert_eq!([5, 6, 9, 20, 21].map(&mut lateness), [0, 0, 0, 11, 0]);
    }

    #[test]
    fn people_have_ten_minutes_to_think_and_slow_functions_ten_times_the_usual() {
        assert_eq!(long(None, false), Duration::from_secs(10));
        assert_eq!(long(Some(Duration::from_secs(60)), false), Duration::from_secs(600));
        assert_eq!(long(Some(Duration::from_secs(2)), true), Duration::from_secs(600));
    }
}
