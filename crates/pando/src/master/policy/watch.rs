//! What people are told while a run goes on: long calls, stalled devices, and a full window.
//! Devices that neither compute nor return their values lose their channels.

use super::{
    RunContext,
    workload::{computed_by, held},
};
use crate::master::{items::Items, registry::Registry};
use std::{
    mem,
    time::{Duration, Instant},
};
use stream_lender::Index;

/// The least time after which a call is long; the other bound is ten times the median.
const LONG: Duration = Duration::from_secs(10);
/// The least time after which a call is long if a person answers.
const LONG_FOR_A_PERSON: Duration = Duration::from_secs(600);
/// How long the window is full before people are told.
const FULL: Duration = Duration::from_secs(5);
/// A check later than this shows that this process was stopped: checks are a second apart.
const LATE: Duration = Duration::from_secs(3);

/// The time from which a call is told as long.
pub(crate) fn long(usual: Option<Duration>, by_people: bool) -> Duration {
    let least = if by_people { LONG_FOR_A_PERSON } else { LONG };
    least.max(usual.unwrap_or_default() * 10)
}

/// Closes the channels of devices with a call far beyond `--timeout`. A device ends overdue calls
/// by itself; a device that keeps reporting such a call is not believed.
pub(crate) fn end_overdue(context: &mut RunContext) {
    let options = &context.job.options;
    let Some(timeout) = options.timeout.map(Duration::from_millis) else { return };
    // A reported call may have waited for other calls of its core.
    let longest = timeout
        .saturating_mul(options.concurrency)
        .saturating_add(context.registry.silence_limit());
    for (_, device) in context.registry.iter_mut() {
        // The answer may already be on its way, behind a long one.
        let is_heard = device.incoming().parts() == 0 && !device.incoming().is_paused();
        if is_heard && device.loans().longest_call(context.now) > longest {
            device.give_up();
        }
    }
}

/// A hint about a program that has not answered any value.
const BUFFERED: &str = ". The program has not answered any value so far. If its answers wait in a buffer, \
     make it write each one at once: stdbuf -oL, sed -u, grep --line-buffered, or fflush() in awk and C";

/// Returns lines about long calls.
pub(crate) fn tell_long_calls(context: &mut RunContext) -> Vec<String> {
    let by_people = context.job.options.dom;
    let hint = if context.job.options.timeout.is_some() { "" } else { " (--timeout would end it)" };
    let usual = context.registry.statistics().median().filter(|_| !by_people);
    let usual = usual.filter(|usual| !usual.is_zero());
    let is_unproven = context.job.answers_lines && context.registry.statistics().median().is_none();
    let mut buffered = if is_unproven { BUFFERED } else { "" };
    let mut lines = Vec::new();
    for (_, device) in context.registry.iter_mut() {
        for (loan, time) in device.loans_mut().take_calls_to_tell(context.now) {
            let times = usual.map(|usual| time.as_secs_f64() / usual.as_secs_f64());
            let times =
                times.map(|times| format!(", {times:.0} times the usual")).unwrap_or_default();
            let (item, name, time) = (context.job.item(loan.index), device.name(), time.as_secs());
            lines.push(match by_people {
                true => format!(
                    "{item} has been waiting for an answer on the page of {name} for {time} s{hint}"
                ),
                false => format!(
                    "{item} has been computing on {name} for {time} s{times}{hint}{buffered}"
                ),
            });
            buffered = "";
        }
    }
    lines
}

/// Returns lines about stalled devices: they answer pings, but show no sign of work. Closes the
/// channel of a device that also ignores a recall.
pub(crate) fn tell_stalled(context: &mut RunContext) -> Vec<String> {
    let mut lines = Vec::new();
    let silence_limit = context.registry.silence_limit();
    let (lender, now) = (context.items.lender(), context.now);
    for (sub, device) in context.registry.iter_mut() {
        let held = held(lender, sub, device);
        if device.is_replaced() || !device.is_stalled(held, silence_limit, now) {
            continue;
        }
        let loans = computed_by(lender, sub, device);
        let Some(first) = loans.first().map(|loan| loan.index) else { continue };
        if device.loans().progress().ignores_recall(silence_limit, now) && !device.is_local() {
            device.give_up();
            continue;
        }
        let Some((time, loading)) = device.take_silence_to_tell(now) else { continue };
        let (name, seconds) = (device.name(), time.as_secs());
        let what = match held {
            1 => context.job.item(first),
            n => format!("any of its {n} items, {} first", context.job.item(first)),
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

/// Forgives silence during the last `late`, because this process was stopped and frames of that
/// time are still unread.
pub(crate) fn excuse(registry: &mut Registry, late: Duration, now: Instant) {
    registry.iter_mut().for_each(|(_, device)| device.excuse(late, now));
}

/// The memory of the watch between two checks.
#[derive(Default)]
pub(crate) struct Watcher {
    /// While the window is full: the oldest value, since when it blocks the window, and whether
    /// people have been told.
    blocked: Option<(Index, Instant, bool)>,
    /// The time of the last check.
    looked: Option<Instant>,
}

impl Watcher {
    /// Notes a check, and returns how long after the last check this one comes, if it is later
    /// than a busy machine explains; zero otherwise.
    pub(crate) fn take_lateness(&mut self, now: Instant) -> Duration {
        let since = self
            .looked
            .replace(now)
            .map_or(Duration::ZERO, |looked| now.saturating_duration_since(looked));
        if since > LATE { since } else { Duration::ZERO }
    }

    /// Returns a line, once, when the window has been full for long; `holds_back`: back-pressure
    /// applies.
    pub(crate) fn look_at_window(
        &mut self,
        items: &Items,
        registry: &Registry,
        holds_back: bool,
        now: Instant,
    ) -> Option<String> {
        let lender = items.lender();
        // If output is available, the window is full because of the reader of the output.
        let is_full = (lender.is_full() || holds_back) && !lender.has_output();
        let Some((index, holder)) = lender.oldest().filter(|_| is_full) else {
            self.blocked = None;
            return None;
        };
        let blocked = self.blocked.get_or_insert((index, now, false));
        if blocked.0 != index {
            *blocked = (index, now, false);
        }
        let (_, since, told) = blocked;
        let is_long = now.saturating_duration_since(*since) >= FULL;
        if !is_long || mem::replace(told, true) {
            return None;
        }
        let who = match holder.and_then(|sub| registry.get(sub)) {
            Some(device) => format!("which {} has", device.name()),
            None => "which waits for a device".into(),
        };
        let count = lender.in_progress();
        Some(format!(
            "the window is full: {count} values are read and not yet output; all wait for item {}, {who}",
            index + 1
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_that_is_late_is_told_from_one_that_is_not() {
        let (mut watcher, now) = (Watcher::default(), Instant::now());
        let mut lateness =
            |seconds| watcher.take_lateness(now + Duration::from_secs(seconds)).as_secs();
        assert_eq!([5, 6, 9, 20, 21].map(&mut lateness), [0, 0, 0, 11, 0]);
    }

    #[test]
    fn people_have_ten_minutes_to_think_and_slow_functions_ten_times_the_usual() {
        assert_eq!(long(None, false), Duration::from_secs(10));
        assert_eq!(long(Some(Duration::from_secs(60)), false), Duration::from_secs(600));
        assert_eq!(long(Some(Duration::from_secs(2)), true), Duration::from_secs(600));
    }
}
