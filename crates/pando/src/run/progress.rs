//! What people are told while a run goes on.

use crate::{cli::Cli, console::printable, master::Master};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::watch, time::MissedTickBehavior};

/// Nobody has joined after this long: a hint is given.
const ALONE: Duration = Duration::from_secs(30);
/// The status line is drawn anew this often.
const REDRAWN: Duration = Duration::from_millis(500);

/// Shows the status line (if `live`), with the `url` at which to join, and what functions report of themselves. Never ends.
pub(super) async fn show(cli: Cli, master: Arc<Master>, live: bool, url: watch::Receiver<String>) {
    let mut told = Instant::now();
    let every = |period: Duration| tokio::time::interval_at((told + period).into(), period);
    let (mut tick, mut report) = (every(REDRAWN), every(cli.reporting_interval.max(Duration::from_millis(10))));
    report.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let now = tokio::select! {
            now = tick.tick(), if live => {
                master.console.status(master.status_lines(now.into_std(), &url.borrow()));
                continue;
            }
            now = report.tick() => now.into_std(),
        };
        for line in master.report_lines((now - told).as_secs_f64()) {
            if !cli.quiet {
                master.console.say(printable(&line));
            }
        }
        master.write_statistics(now);
        if cli.verbose && !live {
            master.console.say(master.status_lines(now, "").swap_remove(0));
        }
        told = now;
    }
}

/// Says `hint` when nobody has joined for a while.
pub(super) async fn hint_when_alone(master: Arc<Master>, hint: String) {
    tokio::time::sleep(ALONE).await;
    if !master.volunteers().1 {
        master.console.say(hint);
    }
}
