//! Watches over a run: long calls, devices that are stalled, a full window. It speaks; all that it ends is the link of a device that
//! neither computes what it has nor gives it back.

use super::{Core, Job, Master, SeatEntry};
use crate::{
    console::printable,
    protocol::{Path, Running},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use stream_lender::{Index, SubStreamId};

/// A call is long from here on, and from ten times the usual on.
const LONG: Duration = Duration::from_secs(10);
/// The same where a person answers.
const LONG_FOR_A_PERSON: Duration = Duration::from_secs(600);
/// The window is full for this long before it is told.
const FULL: Duration = Duration::from_secs(5);

/// Whoever looks once a second and has not for so long was stopped.
const LATE: Duration = Duration::from_secs(3);

/// No call is believed to have been going on for longer.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// A call that has been going on for a while.
#[derive(Debug)]
pub(crate) struct LongCall {
    since: Instant,
    /// When to speak of it next.
    tell_at: Duration,
}

impl Master {
    /// A device told of calls that have been running for a while, or for how many milliseconds it has been loading the function.
    pub(crate) fn started(&self, sub: SubStreamId, items: &[Running], loading: Option<u64>, now: Instant) {
        self.with(|core| {
            let tell_at = long(core.statistics.median(), self.job.options.dom);
            if let (Some(seat), Some(ms)) = (core.seats.get_mut(&sub), loading) {
                seat.progress.loads(Duration::from_millis(ms), now);
            }
            for item in items {
                if !core.computes(sub, item.id) {
                    continue;
                }
                let since = now.checked_sub(Duration::from_millis(item.ms).min(LONGEST)).unwrap_or(now);
                if let Some(seat) = core.seats.get_mut(&sub) {
                    seat.progress.made(now);
                    seat.running.entry(item.id).or_insert(LongCall { since, tell_at });
                }
            }
        });
    }
}

impl Master {
    /// Looks once, and says what a person should know.
    pub(super) fn look_after(&self, watcher: &mut Watcher, now: Instant) {
        let lines = self.with(|core| {
            let late = watcher.lateness(now);
            if late.is_zero() {
                core.look_at_parts(self.job.patience(), now);
                end_overdue(core, &self.job, now);
            } else {
                core.excuse(late, now);
            }
            let mut lines = long_calls(core, &self.job, now);
            lines.extend(stalled(core, self.job.patience(), now));
            lines.extend(watcher.look_at_window(core, now));
            lines
        });
        for line in lines {
            self.console.say(printable(&line));
        }
    }
}

impl LongCall {
    /// For how long it has been going on.
    pub(super) fn elapsed(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.since)
    }
}

/// Looks once a second, and says what a person should know. Never ends.
pub async fn watch(master: Arc<Master>) {
    let mut watcher = Watcher::default();
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    loop {
        tick.tick().await;
        master.look_after(&mut watcher, Instant::now());
        master.look_after_journal();
    }
}

/// A call is told from here on.
fn long(usual: Option<Duration>, by_people: bool) -> Duration {
    let least = if by_people { LONG_FOR_A_PERSON } else { LONG };
    least.max(usual.unwrap_or_default() * 10)
}

/// A device ends its calls by itself when `--timeout` says so; one that goes on saying that it computes is not believed for long.
fn end_overdue(core: &mut Core, job: &Job, now: Instant) {
    let Some(timeout) = job.options.timeout.map(Duration::from_millis) else { return };
    // A call may be told of that waits for others of its core.
    let longest = timeout.saturating_mul(job.options.concurrency).saturating_add(job.patience());
    for (sub, seat) in &mut core.seats {
        // Its answer may be on its way, behind a long one.
        let is_heard = seat.parts == 0 && !core.held_back.has(*sub);
        if is_heard && seat.running.values().any(|call| call.elapsed(now) > longest) {
            seat.give_up();
        }
    }
}

impl SeatEntry {
    /// Has its link closed, since it keeps what it does not compute. False for this machine's own cores: they have no other.
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
            let times = usual.filter(|usual| !usual.is_zero()).map(|usual| time.as_secs_f64() / usual.as_secs_f64());
            let times = times.map(|times| format!(", {times:.0} times the usual")).unwrap_or_default();
            let (item, name, time) = (loan.index + 1, &seat.name, time.as_secs());
            lines.push(match by_people {
                true => format!("item {item} has been waiting for an answer on the page of {name} for {time} s{hint}"),
                false => format!("item {item} has been computing on {name} for {time} s{times}{hint}"),
            });
        }
    }
    lines
}

/// Devices that answer pings, and have neither begun nor answered anything of what they have.
fn stalled(core: &mut Core, patience: Duration, now: Instant) -> Vec<String> {
    let mut lines = Vec::new();
    let Core { seats, lender, held_back, .. } = core;
    for (sub, seat) in seats.iter_mut() {
        if !seat.running.is_empty() || seat.replaced || held_back.has(*sub) {
            continue;
        }
        let Some(first) = lender.outstanding(*sub).next().map(|loan| loan.index) else { continue };
        if !seat.progress.is_stalled(patience, now) {
            continue;
        }
        if seat.progress.is_deaf(patience, now) && seat.give_up() {
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
    /// This process was stopped for so long: what devices did meanwhile has not been heard yet.
    fn excuse(&mut self, late: Duration, now: Instant) {
        for seat in self.seats.values_mut() {
            seat.flow = None;
            seat.progress.excuse(late, now);
            seat.running.values_mut().for_each(|call| call.since = now.min(call.since + late));
        }
    }
}

/// What is remembered from one look to the next.
#[derive(Default)]
pub(super) struct Watcher {
    /// Since when the window is full because of which value, and whether that was told.
    blocked: Option<(Index, Instant, bool)>,
    /// When it was last looked.
    looked: Option<Instant>,
}

impl Watcher {
    /// How much later than it should be this look is; nothing when that may be a busy machine's doing.
    fn lateness(&mut self, now: Instant) -> Duration {
        let since = self.looked.replace(now).map_or(Duration::ZERO, |looked| now.saturating_duration_since(looked));
        if since > LATE { since } else { Duration::ZERO }
    }

    fn look_at_window(&mut self, core: &Core, now: Instant) -> Option<String> {
        // While nobody takes the output it is for the reader to go on.
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
