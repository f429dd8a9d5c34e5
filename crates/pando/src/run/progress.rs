//! What people are told while a run goes on.

use crate::{cli::Cli, console::printable, master::Master};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Nobody has joined after this long: a hint is given.
const ALONE: Duration = Duration::from_secs(30);

/// Shows the status line (if `live`) and what functions report of themselves. Never ends.
pub(super) async fn show(cli: Cli, master: Arc<Master>, live: bool) {
    let mut told = Instant::now();
    let mut tick = tokio::time::interval(Duration::from_millis(500));
    tick.tick().await;
    loop {
        tick.tick().await;
        let now = Instant::now();
        if live {
            master.console.status(master.status_line(now));
        }
        if now - told >= cli.reporting_interval {
            for line in master.report_lines((now - told).as_secs_f64()) {
                if !cli.quiet {
                    master.console.say(printable(&line));
                }
            }
            master.write_statistics(now);
            if cli.verbose && !live {
                master.console.say(master.status_line(now));
            }
            told = now;
        }
    }
}

/// Says `hint` when nobody has joined for a while.
pub(super) async fn hint_when_alone(master: Arc<Master>, hint: String) {
    tokio::time::sleep(ALONE).await;
    if !master.volunteers().1 {
        master.console.say(hint);
    }
}
