//! Watches over a run: long calls, a full window, nobody there. It only speaks; nothing is ended here.

use super::{Core, Master};
use crate::{console::printable, protocol::Running};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use stream_lender::{Index, SubStreamId};

/// A call is long from here on, and from ten times the usual on.
const LONG: Duration = Duration::from_secs(10);
/// The window is full for this long before it is told.
const FULL: Duration = Duration::from_secs(5);

/// A call that has been going on for a while.
#[derive(Debug)]
pub(crate) struct LongCall {
    since: Instant,
    /// When to speak of it next.
    tell_at: Duration,
}

impl Master {
    /// A device told of calls that have been running for a while.
    pub(crate) fn started(&self, sub: SubStreamId, items: &[Running], now: Instant) {
        self.with(|core| {
            let usual = core.statistics.median().unwrap_or_default();
            let tell_at = LONG.max(usual * 10);
            for item in items.iter().filter(|item| core.lender.holder(item.id) == Some(sub)) {
                let since = now.checked_sub(Duration::from_millis(item.ms)).unwrap_or(now);
                if let Some(seat) = core.seats.get_mut(&sub) {
                    seat.running.entry(item.id).or_insert(LongCall { since, tell_at });
                }
            }
        });
    }
}

impl Master {
    /// Looks once, and says what a person should know.
    pub(super) fn look_after(&self, full: &mut FullWindow, now: Instant) {
        let lines = self.with(|core| {
            let mut lines = long_calls(core, now);
            lines.extend(full.look(core, now));
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
    let mut full = FullWindow::default();
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    loop {
        tick.tick().await;
        master.look_after(&mut full, Instant::now());
    }
}

fn long_calls(core: &mut Core, now: Instant) -> Vec<String> {
    let usual = core.statistics.median();
    let mut lines = Vec::new();
    for seat in core.seats.values_mut() {
        for (id, call) in &mut seat.running {
            let time = call.elapsed(now);
            if time < call.tell_at {
                continue;
            }
            call.tell_at = time * 2;
            let times = usual.filter(|usual| !usual.is_zero()).map(|usual| time.as_secs_f64() / usual.as_secs_f64());
            let times = times.map(|times| format!(", {times:.0} times the usual")).unwrap_or_default();
            let hint = "(--timeout would end it)";
            lines.push(format!("item {} has been computing on {} for {} s{times} {hint}", id + 1, seat.name, time.as_secs()));
        }
    }
    lines
}

/// Since when the window is full because of which value, and whether that was told.
#[derive(Default)]
pub(super) struct FullWindow {
    blocked: Option<(Index, Instant, bool)>,
}

impl FullWindow {
    fn look(&mut self, core: &Core, now: Instant) -> Option<String> {
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
