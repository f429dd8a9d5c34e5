//! A tab that simulates a slower device: its browser is suspended for most of the time.
//!
//! Chromium's own throttling slows down the thread of the page, but not its workers, which
//! compute.

use crate::{browser::Browser, system::children};
use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process_group};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// The period in which a slowed browser runs once and is suspended once.
const PERIOD: Duration = Duration::from_millis(40);

/// A browser with one tab, slower than this machine by some factor.
pub(super) struct Tab {
    slowing: Option<(Arc<AtomicBool>, JoinHandle<()>)>,
    _browser: Browser,
}

impl Tab {
    pub(super) fn open(
        chromium: &Path,
        url: &str,
        number: usize,
        factor: f64,
    ) -> anyhow::Result<Self> {
        let slower = if factor > 1.0 { format!(",_{factor}_times_slower") } else { String::new() };
        let before = children(std::process::id());
        let browser =
            Browser::open(chromium, &format!("{url}#device=Tab_{number}{slower};cores=1;"))?;
        let id = children(std::process::id()).into_iter().find(|id| !before.contains(id));
        let group = id
            .and_then(|id| Pid::from_raw(id.try_into().ok()?))
            .context("the browser has ended")?;
        let slowing = (factor > 1.0).then(|| {
            let ended = Arc::new(AtomicBool::new(false));
            let told = ended.clone();
            (ended, thread::spawn(move || slow_down(group, factor, &told)))
        });
        Ok(Self { slowing, _browser: browser })
    }
}

impl Drop for Tab {
    fn drop(&mut self) {
        if let Some((ended, thread)) = self.slowing.take() {
            ended.store(true, Ordering::Relaxed);
            let _ = thread.join();
        }
    }
}

fn slow_down(group: Pid, factor: f64, ended: &AtomicBool) {
    let running = PERIOD.div_f64(factor);
    while !ended.load(Ordering::Relaxed) {
        let _ = kill_process_group(group, Signal::STOP);
        thread::sleep(PERIOD - running);
        let _ = kill_process_group(group, Signal::CONT);
        thread::sleep(running);
    }
}
