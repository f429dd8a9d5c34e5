//! Reports for people and programs during a run: the status line, sums of the reports made by
//! functions, and what the watch finds.

use super::{policy::watch::Watcher, registry::Device, run::Master, state::RunState};
use crate::{console::printable, protocol::Path};
use serde_json::{Value, json};
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

    /// The status line, from the longest form to the shortest: what is done, the rate, the
    /// devices, and `url`, if there is one.
    pub(crate) fn status_lines(&self, now: Instant, url: &str) -> Vec<String> {
        self.with(|state| status_lines(state, now, url))
    }
}

fn status_lines(state: &mut RunState, now: Instant, url: &str) -> Vec<String> {
    let count = |n: u64, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let done = format!("{} done", state.registry().statistics().total());
    let rate = format!("{:.1}/s", state.registry_mut().statistics_mut().measure_rate(now));
    let devices = count(state.registry().len() as u64, "device");
    let cores =
        count(state.registry().devices().map(|device| u64::from(device.cores())).sum(), "core");
    let ways = ways(state.registry().devices().map(Device::path));
    let elapsed = humantime::format_duration(Duration::from_secs(
        state.registry().statistics().elapsed(now).as_secs(),
    ));
    let some = format!("{done}, {rate}, {devices} with {cores}");
    let all =
        format!("{some}{ways}, {} in progress, {elapsed}", state.items().lender().in_progress());
    let few = format!("{done}, {devices}");
    // The URL has priority, because its announcement has left the screen long ago.
    let with_url = [&all, &some, &few, &done].map(|form| format!("{form}, {url}"));
    let with_url = with_url.into_iter().filter(|_| !url.is_empty());
    with_url.chain([all, some, format!("{few} with {cores}"), few, done]).collect()
}

/// How many devices are connected by other routes than this machine's own port, in words.
fn ways(paths: impl Iterator<Item = Path>) -> String {
    let (mut direct, mut turn, mut relay) = (0, 0, 0);
    for path in paths {
        match path {
            Path::Local | Path::WebSocket => {}
            Path::Direct => direct += 1,
            Path::Turn => turn += 1,
            Path::Relay => relay += 1,
        }
    }
    let ways = [(direct, "direct"), (turn, "by TURN"), (relay, "through the relay")];
    let told: Vec<String> = ways
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, way)| format!("{count} {way}"))
        .collect();
    if told.is_empty() { String::new() } else { format!(" ({})", told.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_line_tells_other_ways_than_the_usual() {
        assert_eq!(ways([Path::Local, Path::WebSocket].into_iter()), "");
        let all = [Path::Relay, Path::Direct, Path::Local, Path::Turn, Path::Direct];
        assert_eq!(ways(all.into_iter()), " (2 direct, 1 by TURN, 1 through the relay)");
    }
}
