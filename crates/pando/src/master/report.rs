//! Reports for people and programs during a run: the status line, sums of the reports made by
//! functions, and what the watch finds.

mod status;
mod summary;

pub(crate) use summary::Summary;

use super::{policy::watch::Watcher, registry::Device, run::Master};
use crate::console::printable;
use serde_json::{Value, json};
use status::Status;
use std::{
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

/// The time between two looks for stragglers.
const LOOK: Duration = Duration::from_millis(100);

/// Looks for stragglers, ten times a second. Never ends.
pub(crate) async fn recall_stragglers(master: Arc<Master>) {
    let mut tick = tokio::time::interval(LOOK);
    loop {
        tick.tick().await;
        master.look_for_stragglers(Instant::now());
    }
}

/// Checks a run once a second, and tells people about the findings. Never ends.
pub(crate) async fn watch(master: Arc<Master>) {
    let mut watcher = Watcher::default();
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    loop {
        tick.tick().await;
        master.look_after(&mut watcher, Instant::now());
        master.look_after_journal();
    }
}

impl Master {
    /// Performs one look: settles postponed failures, wakes devices standing back, recalls values,
    /// and lends waiting values and copies.
    pub(super) fn look_for_stragglers(&self, now: Instant) {
        let lines = self.with(|state| state.look_for_stragglers(&self.job, now));
        lines.into_iter().for_each(|line| self.console.say(printable(&line)));
    }

    /// Performs one check, and tells people about its findings.
    pub(super) fn look_after(&self, watcher: &mut Watcher, now: Instant) {
        let lines = self.with(|state| state.look_after(watcher, &self.job, now));
        lines.into_iter().for_each(|line| self.console.say(printable(&line)));
    }

    /// Returns lines about the reports since the last call, one per device.
    pub(crate) fn report_lines(&self, seconds: f64) -> Vec<String> {
        self.with(|state| {
            let mut lines = Vec::new();
            for (_, device) in state.registry_mut().iter_mut() {
                let sum = mem::take(device.reports_mut());
                if !sum.is_empty() {
                    lines.push(sum.line(device.name(), seconds));
                }
            }
            lines.sort();
            lines
        })
    }

    /// Writes an event with the counts so far, for the run and for each connected device.
    pub(crate) fn write_statistics(&self, now: Instant) {
        if !self.events.wanted() {
            return;
        }
        let fields = self.with(|state| {
            let device = |device: &Device| {
                json!({
                    "device": device.name(),
                    "path": device.path(),
                    "cores": device.cores(),
                    "done": device.done(),
                })
            };
            let devices: Vec<Value> = state.registry().devices().map(device).collect();
            let in_progress = state.items().lender().in_progress();
            let statistics = state.registry_mut().statistics_mut();
            let (done, rate) = (statistics.total(), statistics.measure_rate(now));
            json!({"done": done, "rate": rate, "inProgress": in_progress, "devices": devices})
        });
        self.events.write("statistics", fields);
    }

    /// The summary of the run up to `now`.
    pub(crate) fn summary(&self, now: Instant) -> Summary {
        self.with(|state| Summary::of(state, now))
    }

    /// The status line, from the longest form to the shortest: progress, rate, the time left, the
    /// devices, and `url`, if there is one.
    pub(crate) fn status_lines(&self, now: Instant, url: &str) -> Vec<String> {
        self.with(|state| Status::of(state, &self.job, now)).lines(url)
    }
}
