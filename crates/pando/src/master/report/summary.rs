//! What a run has done, at its end: for people, and as data.

use super::status::grouped;
use crate::{
    console::printable,
    duration::rounded,
    master::{job::Job, registry::Contribution, state::RunState},
    number::count,
};
use serde::Serialize;
use std::time::{Duration, Instant};

/// The most devices in the table for people.
const MOST_DEVICES: usize = 20;

/// The figures of a run. Times are in seconds.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Summary {
    /// The number of items with a result, or left out, those of an earlier run included.
    items: u64,
    /// The number of results computed in this run.
    computed: u64,
    /// The number of items with a result of an earlier run, from the journal.
    earlier: u64,
    seconds: f64,
    per_second: f64,
    compute_seconds: f64,
    /// The time for which cores were lent, summed over the cores.
    core_seconds: f64,
    /// The part of this time for which the cores computed nothing that has ended.
    pub(crate) idle_core_seconds: f64,
    /// How many cores were busy on average.
    times_one_core: f64,
    /// The number of items that failed for good.
    failed: u64,
    /// The numbers of the first items that failed, from 1.
    failed_items: Vec<u64>,
    /// Whether items are chunks of values, of which those that failed are counted one by one.
    #[serde(skip)]
    in_chunks: bool,
    failed_attempts: u64,
    /// The number of values that devices left when they went.
    lent_again: u64,
    /// The number of values of which a second device computed a copy.
    copies: u64,
    devices: Vec<DeviceSummary>,
}

/// The figures of a device. Times are in seconds.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct DeviceSummary {
    /// The name; empty for the devices that are not told apart.
    name: String,
    cores: u32,
    items: u64,
    /// The share of all results of this run, from 0 to 1.
    share: f64,
    compute_seconds: f64,
    /// The share of the time of its cores that was spent on results, from 0 to 1.
    busy: f64,
    failed_attempts: u64,
}

impl Summary {
    /// The figures at `now`.
    pub(super) fn of(state: &RunState, job: &Job, now: Instant) -> Self {
        let statistics = state.registry().statistics();
        let (seconds, computed) = (statistics.elapsed(now).as_secs_f64(), statistics.total());
        let compute_seconds = statistics.computing().as_secs_f64();
        let (failed, failed_attempts) = state.retries().counts();
        let named = state.retries().failed_items().iter();
        let mut failed_items: Vec<u64> = named.map(|place| job.number_of_value(*place)).collect();
        failed_items.sort_unstable();
        let devices = state.registry().contributions(now);
        Self {
            items: state.settled(),
            computed,
            earlier: state.items().earlier(),
            seconds,
            per_second: computed as f64 / seconds.max(0.001),
            compute_seconds,
            core_seconds: devices.iter().map(|device| device.present.as_secs_f64()).sum(),
            idle_core_seconds: devices.iter().map(|device| device.idle().as_secs_f64()).sum(),
            times_one_core: compute_seconds / seconds.max(0.001),
            failed,
            failed_items,
            in_chunks: job.shape.chunks.is_some(),
            failed_attempts,
            lent_again: statistics.lent_again(),
            copies: state.speculation().copies(),
            devices: devices.iter().map(|device| DeviceSummary::of(device, computed)).collect(),
        }
    }

    /// The lines for people. The table has as many of its columns as fit, as `fits` says of a text.
    pub(crate) fn lines(&self, fits: impl Fn(&str) -> bool) -> Vec<String> {
        let time = rounded(Duration::from_secs_f64(self.seconds));
        let earlier = match self.earlier {
            0 => String::new(),
            earlier => format!(", {} of them in an earlier run", grouped(earlier)),
        };
        let (item, value) = if self.in_chunks { ("chunk", "value") } else { ("item", "item") };
        let mut lines = vec![format!(
            "{}{earlier} in {time}: {:.1}/s, {:.1} times one core",
            count(self.items, item),
            self.per_second,
            self.times_one_core
        )];
        lines.extend(self.table(fits));
        if self.failed > 0 {
            let numbers: Vec<String> = self.failed_items.iter().map(u64::to_string).collect();
            let more = if (numbers.len() as u64) < self.failed { ", …" } else { "" };
            let numbers = match numbers.is_empty() {
                true => String::new(),
                false => format!(": {}{more}", numbers.join(", ")),
            };
            lines.push(format!("{} failed{numbers}", count(self.failed, value)));
        }
        let again = [
            (self.failed_attempts, "failed attempt", "failed attempts"),
            (
                self.lent_again,
                "value lent again, because its device left",
                "values lent again, because their devices left",
            ),
            (
                self.copies,
                "value computed twice (--speculate)",
                "values computed twice (--speculate)",
            ),
        ];
        let again = again.iter().filter(|(count, ..)| *count > 0);
        lines.extend(again.map(|(count, one, several)| {
            format!("{} {}", grouped(*count), if *count == 1 { one } else { several })
        }));
        lines
    }

    fn table(&self, fits: impl Fn(&str) -> bool) -> Vec<String> {
        let shown = &self.devices[..self.devices.len().min(MOST_DEVICES)];
        if shown.is_empty() {
            return Vec::new();
        }
        let names: Vec<String> = shown.iter().map(DeviceSummary::label).collect();
        let width = names.iter().map(|name| name.chars().count()).max().unwrap_or_default();
        let with = |columns: &[Column]| -> Vec<String> {
            let cells = |cell: &dyn Fn(&Column) -> String| columns.iter().map(cell).collect();
            let head: String = cells(&|(head, width, _)| format!("  {head:>width$}"));
            let rows = shown.iter().zip(&names).map(|(device, name)| {
                let row: String = cells(&|(_, width, cell)| format!("  {:>width$}", cell(device)));
                format!("  {name:width$}{row}")
            });
            [format!("  {:width$}{head}", "device")].into_iter().chain(rows).collect()
        };
        let [wide @ .., narrowest] = TABLES;
        let fitting = wide.into_iter().map(with).find(|table| fits(&table.join("\n")));
        let mut lines = fitting.unwrap_or_else(|| with(narrowest));
        let more = self.devices.len() - shown.len();
        if more > 0 {
            lines.push(format!("  and {more} more"));
        }
        lines
    }
}

/// A column of the table: its head, its width, and its cell for a device.
type Column = (&'static str, usize, fn(&DeviceSummary) -> String);

const CORES: Column = ("cores", 5, |device| device.cores.to_string());
const ITEMS: Column = ("items", 9, |device| grouped(device.items));
const SHARE: Column = ("share", 6, |device| format!("{:.0} %", device.share * 100.0));
const BUSY: Column = ("busy", 5, |device| format!("{:.0} %", device.busy * 100.0));
const FAILED: Column = ("failed", 6, |device| device.failed_attempts.to_string());

/// The columns beside the names, from the widest table to the narrowest.
const TABLES: [&[Column]; 3] =
    [&[CORES, ITEMS, SHARE, BUSY, FAILED], &[ITEMS, SHARE, FAILED], &[ITEMS, SHARE]];

impl DeviceSummary {
    fn of(device: &Contribution, computed: u64) -> Self {
        Self {
            name: device.name.clone(),
            cores: device.cores,
            items: device.items,
            share: device.items as f64 / computed.max(1) as f64,
            compute_seconds: device.computing.as_secs_f64(),
            busy: device.busy(),
            failed_attempts: device.failures,
        }
    }

    fn label(&self) -> String {
        let name = if self.name.is_empty() { "other devices" } else { &self.name };
        printable(name).chars().take(30).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_the_columns_that_fit_into_the_terminal() {
        let device = Contribution {
            name: "Ada's phone".into(),
            cores: 4,
            items: 1200,
            ..Contribution::default()
        };
        let devices = vec![DeviceSummary::of(&device, 2400)];
        let summary = Summary { devices, ..Summary::default() };
        let table = |width: usize| {
            summary.lines(|text| text.lines().all(|line| line.len() <= width))[1..].to_vec()
        };
        assert_eq!(
            table(80),
            [
                "  device       cores      items   share   busy  failed",
                "  Ada's phone      4      1,200    50 %    0 %       0"
            ]
        );
        assert_eq!(
            table(50),
            [
                "  device           items   share  failed",
                "  Ada's phone      1,200    50 %       0"
            ]
        );
        for width in [39, 10] {
            assert_eq!(
                table(width),
                ["  device           items   share", "  Ada's phone      1,200    50 %"]
            );
        }
        assert_eq!(Summary::default().lines(|_| true).len(), 1);
    }
}
