//! Reports for people and programs during a run: the status line, sums of the reports made by
//! functions, and what the watch finds.

mod idle;
mod last;
mod sample;
mod snapshot;
mod status;
mod summary;
mod why;

pub(crate) use idle::IdleCause;
pub(crate) use last::LastFigures;
pub(crate) use sample::RunSample;
pub(crate) use snapshot::{DeviceFigures, ReportFigures, RunPhase, RunSnapshot};
pub(crate) use summary::Summary;

use super::{policy::watch::Watcher, registry::Device, run::Master};
use crate::console::printable;
use serde_json::{Value, json};
use status::Status;
use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// The time between two looks for stragglers.
const LOOK: Duration = Duration::from_millis(100);
/// The time between two looks while no value waits for its result.
const IDLE_LOOK: Duration = Duration::from_secs(1);

/// Looks for stragglers, ten times a second; once a second while nothing is computed, because a
/// look at thousands of idle devices takes time. Never ends.
pub(crate) async fn recall_stragglers(master: Arc<Master>) {
    let mut tick = tokio::time::interval(LOOK);
    let mut last = Instant::now();
    loop {
        tick.tick().await;
        let now = Instant::now();
        if master.is_computing() || now.saturating_duration_since(last) >= IDLE_LOOK {
            master.look_for_stragglers(now);
            last = now;
        }
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
        master.look_after_failed();
    }
}

/// A moment, by both clocks of this machine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WallTime {
    pub(crate) now: Instant,
    /// The seconds since 1970.
    pub(crate) unix: f64,
}

impl WallTime {
    /// The present moment.
    pub(crate) fn present() -> Self {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        Self { now: Instant::now(), unix }
    }

    /// The seconds from 1970 to an earlier moment.
    fn unix_of(&self, earlier: Instant) -> f64 {
        millis(self.unix - self.now.saturating_duration_since(earlier).as_secs_f64())
    }
}

/// A number, rounded to thousandths.
fn millis(number: f64) -> f64 {
    (number * 1e3).round() / 1e3
}

/// A number, rounded to millionths.
fn micros(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
}

impl Master {
    /// Whether any value waits for its result.
    fn is_computing(&self) -> bool {
        self.lock().items().lender().unfinished() > 0
    }

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
                let sum = device.reports_mut().take_recent();
                if sum.reports() > 0 {
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
        let fields = {
            let state = self.lock();
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
            let statistics = state.registry().statistics();
            let (done, rate) = (statistics.total(), statistics.per_second(now));
            json!({"done": done, "rate": rate, "inProgress": in_progress, "devices": devices})
        };
        self.events.write("statistics", fields);
    }

    /// Notes that the connection to the relay is lost, or open again.
    pub(crate) fn note_relay(&self, is_lost: bool) {
        self.lock().registry_mut().set_relay_lost(is_lost);
        let state = if is_lost { "lost" } else { "open" };
        self.events.write("relay", json!({"state": state}));
    }

    /// The state of the run, for the monitoring page.
    pub(crate) fn snapshot(&self, time: &WallTime) -> RunSnapshot {
        // The bundle's places are traced outside the lock.
        let snapshot = RunSnapshot::of(&self.lock(), &self.job, time);
        snapshot.traced(&self.job.function)
    }

    /// The figures for the history of the run.
    pub(crate) fn sample(&self, now: Instant) -> RunSample {
        RunSample::of(&self.lock(), &self.job, now)
    }

    /// The figures of the run at its end, all of one moment.
    pub(crate) fn last_figures(&self, time: &WallTime) -> LastFigures {
        let last = LastFigures::of(&self.lock(), &self.job, time);
        last.traced(&self.job.function)
    }

    /// The status line, from the longest form to the shortest: progress, rate, the time left, the
    /// devices, and `url`, if there is one.
    pub(crate) fn status_lines(&self, now: Instant, url: &str) -> Vec<String> {
        let status = Status::of(&self.lock(), &self.job, now);
        status.lines(url)
    }
}
