//! A tab that simulates a slower device: its browser is suspended for most of the time.
//!
//! Chromium's own throttling slows down the thread of the page, but not its workers, which
//! compute.

use pando_testing::{Chromium, Tab, kill};
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
pub(super) struct SlowedTab {
    slowing: Option<(Arc<AtomicBool>, JoinHandle<()>)>,
    _tab: Tab,
}

impl SlowedTab {
    pub(super) fn open(
        chromium: &Path,
        url: &str,
        number: usize,
        factor: f64,
    ) -> anyhow::Result<Self> {
        let slower = if factor > 1.0 { format!(",_{factor}_times_slower") } else { String::new() };
        let fragment = format!("device=Tab_{number}{slower};cores=1;");
        let tab = Chromium::at(chromium).open(&format!("{url}#{fragment}"))?;
        let group = -i64::from(tab.pid());
        let slowing = (factor > 1.0).then(|| {
            let ended = Arc::new(AtomicBool::new(false));
            let told = ended.clone();
            (ended, thread::spawn(move || slow_down(group, factor, &told)))
        });
        Ok(Self { slowing, _tab: tab })
    }
}

impl Drop for SlowedTab {
    fn drop(&mut self) {
        if let Some((ended, thread)) = self.slowing.take() {
            ended.store(true, Ordering::Relaxed);
            let _ = thread.join();
        }
    }
}

fn slow_down(group: i64, factor: f64, ended: &AtomicBool) {
    let running = PERIOD.div_f64(factor);
    while !ended.load(Ordering::Relaxed) {
        kill("STOP", group);
        thread::sleep(PERIOD - running);
        kill("CONT", group);
        thread::sleep(running);
    }
}
