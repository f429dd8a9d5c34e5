//! Messages for people while a run goes on.

use crate::{config::Report, console::printable, master::Master};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::watch, time::MissedTickBehavior};

/// How long nobody has joined before a hint is given.
const ALONE: Duration = Duration::from_secs(30);
/// How often the status line is drawn.
const REDRAWN: Duration = Duration::from_millis(500);

/// Shows the status line, if there is one, with the `url` for joining, and reports of functions.
/// Never returns.
pub(super) async fn show(config: Report, master: Arc<Master>, url: watch::Receiver<String>) {
    let mut told = Instant::now();
    let every = |period: Duration| tokio::time::interval_at((told + period).into(), period);
    let (mut tick, mut report) =
        (every(REDRAWN), every(config.interval.max(Duration::from_millis(10))));
    report.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let now = tokio::select! {
            now = tick.tick(), if config.live => {
                master.console.status(master.status_lines(now.into_std(), &url.borrow()));
                continue;
            }
            now = report.tick() => now.into_std(),
        };
        for line in master.report_lines((now - told).as_secs_f64()) {
            if !config.quiet {
                master.console.say(printable(&line));
            }
        }
        master.write_statistics(now);
        if config.verbose && !config.live {
            master.console.say(master.status_lines(now, "").swap_remove(0));
        }
        told = now;
    }
}

/// Prints how to join, `hint`, if no other device has joined for a while. `has_local`: this
/// machine's cores compute meanwhile.
pub(super) async fn hint_when_alone(master: Arc<Master>, hint: String, has_local: bool) {
    tokio::time::sleep(ALONE).await;
    if !master.has_had_guests() {
        let so_far = match has_local {
            true => "only this machine computes so far; phones and laptops can help",
            false => "nobody has joined yet",
        };
        master.console.say(format!("{so_far}: {hint}"));
    }
}
