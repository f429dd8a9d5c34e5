//! Reports for people during a run: the status line, and sums of the reports made by functions.

use super::{Core, Master};
use crate::protocol::Path;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use stream_lender::SubStreamId;

/// The sum of a device's reports since the last line about them.
#[derive(Debug, Default)]
pub(crate) struct Sum {
    reports: u64,
    items: f64,
    cpu: f64,
    transfer: f64,
    units: String,
}

impl Sum {
    fn add(&mut self, report: &Value) {
        let number = |key: &str| report.get(key).and_then(Value::as_f64).unwrap_or(0.0);
        self.reports += 1;
        self.items += number("nbItems");
        self.cpu += number("cpuTime");
        self.transfer += number("dataTransferTime");
        if let Some(units) = report.get("units").and_then(Value::as_str) {
            self.units = units.chars().take(40).collect();
        }
    }
}

impl Master {
    /// Adds a report made by the function.
    pub(crate) fn reported(&self, sub: SubStreamId, id: Option<u64>, report: &Value) {
        let name = self.with(|core| {
            let entry = core.seats.get_mut(&sub)?;
            entry.reports.add(report);
            Some(entry.name.clone())
        });
        self.events.write(
            "report",
            json!({"device": name, "index": id.map(|id| id.saturating_add(1)), "report": report}),
        );
    }

    /// Returns lines about the reports since the last call, one per device.
    pub(crate) fn report_lines(&self, seconds: f64) -> Vec<String> {
        self.with(|core| {
            let told = core.seats.values_mut().filter(|seat| seat.reports.reports > 0);
            let mut lines: Vec<String> = told
                .map(|seat| line(&seat.name, &std::mem::take(&mut seat.reports), seconds))
                .collect();
            lines.sort();
            lines
        })
    }

    /// Writes an event with the counts so far, for the run and for each connected device.
    pub(crate) fn write_statistics(&self, now: Instant) {
        if !self.events.wanted() {
            return;
        }
        let fields = self.with(|core| {
            let devices: Vec<Value> = core
                .seats
                .values()
                .map(|seat| json!({"device": seat.name, "path": seat.path, "cores": seat.cores, "done": seat.done}))
                .collect();
            let (done, rate) = (core.statistics.total(), core.statistics.rate(now));
            json!({"done": done, "rate": rate, "inProgress": core.lender.in_progress(), "devices": devices})
        });
        self.events.write("statistics", fields);
    }

    /// The status line, from the longest form to the shortest: what is done, the rate, the
    /// devices, and `url`, if there is one.
    pub fn status_lines(&self, now: Instant, url: &str) -> Vec<String> {
        self.with(|core| status_lines(core, now, url))
    }
}

fn line(name: &str, sum: &Sum, seconds: f64) -> String {
    let units = if sum.units.is_empty() { "items" } else { &sum.units };
    let mut text = format!("{name}: {:.2} {units}/s", sum.items / seconds.max(0.001));
    if sum.cpu > 0.0 {
        text.push_str(&format!(", computing {:.0} ms", sum.cpu));
    }
    if sum.transfer > 0.0 {
        text.push_str(&format!(", transferring {:.0} ms", sum.transfer));
    }
    text
}

fn status_lines(core: &mut Core, now: Instant, url: &str) -> Vec<String> {
    let count = |n: u64, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let done = format!("{} done", core.statistics.total());
    let rate = format!("{:.1}/s", core.statistics.rate(now));
    let devices = count(core.seats.len() as u64, "device");
    let cores = count(core.seats.values().map(|seat| u64::from(seat.cores)).sum(), "core");
    let ways = ways(core.seats.values().map(|seat| seat.path));
    let elapsed =
        humantime::format_duration(Duration::from_secs(core.statistics.elapsed(now).as_secs()));
    let some = format!("{done}, {rate}, {devices} with {cores}");
    let all = format!("{some}{ways}, {} in progress, {elapsed}", core.lender.in_progress());
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
