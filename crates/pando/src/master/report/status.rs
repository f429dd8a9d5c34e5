//! The status line: how far the run is, and when it will end.

use crate::{
    duration::rounded,
    master::{forecast::Remaining, job::Job, registry::Device, state::RunState},
    number::{self, count},
    protocol::Path,
};
use std::time::{Duration, Instant};

/// The width of the bar, in columns.
const BAR: u64 = 20;

/// The figures of the status line.
#[derive(Debug, Clone)]
pub(super) struct Status {
    /// The number of items with a result, or left out.
    done: u64,
    /// The number of all items, and whether it is certain; `None` if nobody knows.
    total: Option<(u64, bool)>,
    /// Items per second.
    rate: f64,
    left: Option<Duration>,
    devices: u64,
    cores: u64,
    /// How devices are connected by other routes than the port, in words.
    ways: String,
    in_progress: usize,
    /// Items that failed, and failed attempts.
    failures: (u64, u64),
    elapsed: Duration,
}

impl Status {
    /// The figures at `now`.
    pub(super) fn of(state: &RunState, job: &Job, now: Instant) -> Self {
        let (items, registry) = (state.items(), state.registry());
        let (done, total) = (state.settled(), items.total(job.size));
        let remaining = Remaining {
            items: total.map(|(total, _)| total.saturating_sub(done)),
            usual: registry.statistics().median(),
            oldest_call: registry.oldest_call(now),
        };
        Self {
            done,
            total,
            rate: registry.statistics().per_second(now),
            left: state.forecast().time_left(remaining),
            devices: registry.len() as u64,
            cores: registry.devices().map(|device| u64::from(device.cores())).sum(),
            ways: ways(registry.devices().map(Device::path)),
            in_progress: items.lender().unfinished(),
            failures: state.retries().counts(),
            elapsed: registry.statistics().elapsed(now),
        }
    }

    /// The status line, from the longest form to the shortest. `url` has priority, because its
    /// announcement has left the screen long ago; only the time left has more.
    pub(super) fn lines(&self, url: &str) -> Vec<String> {
        let (done, short) = (self.progress(), self.short_progress());
        let bar = self.bar();
        let rate = format!("{:.1}/s", self.rate);
        let left = self.left.map_or(String::new(), |left| format!(", {} left", rounded(left)));
        let devices = count(self.devices, "device");
        let crew = format!("{devices} with {}", count(self.cores, "core"));
        let failures = self.failures();
        let elapsed = rounded(self.elapsed);
        let Self { ways, in_progress, .. } = self;
        let all = format!(
            "{done}{bar}, {rate}{left}, {crew}{ways}{failures}, {in_progress} in progress, {elapsed}"
        );
        // Lines of their own have told the failures: the failures give way to the other figures.
        let forms = [
            all,
            format!("{done}{bar}, {rate}{left}, {crew}{failures}"),
            format!("{done}, {rate}{left}, {crew}{failures}"),
            format!("{done}, {rate}{left}, {devices}{failures}"),
            format!("{done}{left}, {devices}{failures}"),
            format!("{done}, {rate}{left}, {devices}"),
            format!("{done}{left}, {devices}"),
            format!("{short}{left}"),
            short,
        ];
        let with_url = match url {
            "" => &[],
            _ => &forms[..forms.len() - usize::from(self.left.is_some())],
        };
        let with_url = with_url.iter().map(|form| format!("{form}, {url}"));
        with_url.chain(forms.iter().cloned()).collect()
    }

    /// Such as `412 of 1,000 (41 %)`.
    fn progress(&self) -> String {
        match self.total {
            None => format!("{} done", grouped(self.done)),
            Some((total, is_certain)) => {
                let about = if is_certain { "" } else { "about " };
                let percent = self.percent(total);
                format!("{} of {about}{} ({percent} %)", grouped(self.done), grouped(total))
            }
        }
    }

    fn short_progress(&self) -> String {
        match self.total {
            None => format!("{} done", grouped(self.done)),
            Some((total, _)) => format!("{} %", self.percent(total)),
        }
    }

    fn bar(&self) -> String {
        let Some((total, _)) = self.total else { return String::new() };
        let full = (self.percent(total) * BAR / 100) as usize;
        format!(" [{}{}]", "#".repeat(full), "-".repeat(BAR as usize - full))
    }

    /// The share of `total` that is done, rounded down: 100 only at the end.
    fn percent(&self, total: u64) -> u64 {
        let share = u128::from(self.done) * 100 / u128::from(total.max(1));
        share.min(100) as u64
    }

    fn failures(&self) -> String {
        let (failed, attempts) = self.failures;
        let tried = if attempts > failed {
            format!(", {}", count(attempts, "failed attempt"))
        } else {
            String::new()
        };
        let failed =
            if failed > 0 { format!(", {} failed", count(failed, "item")) } else { String::new() };
        format!("{failed}{tried}")
    }
}

/// A number with its digits in groups of three.
pub(super) fn grouped(n: u64) -> String {
    number::grouped(&n.to_string())
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

    fn status() -> Status {
        Status {
            done: 412,
            total: Some((1000, true)),
            rate: 8.25,
            left: Some(Duration::from_secs(48)),
            devices: 3,
            cores: 12,
            ways: String::new(),
            in_progress: 20,
            failures: (0, 0),
            elapsed: Duration::from_secs(50),
        }
    }

    #[test]
    fn the_status_line_tells_what_is_done_and_what_is_left() {
        let lines = status().lines("http://h/");
        assert_eq!(
            lines[0],
            "412 of 1,000 (41 %) [########------------], 8.2/s, 48 s left, 3 devices with 12 cores, 20 in progress, 50 s, http://h/"
        );
        let failed = Status { failures: (2, 7), ..status() };
        assert!(failed.lines("")[0].contains(", 2 items failed, 7 failed attempts, "));
        let unknown = Status { total: None, left: None, ..status() };
        assert!(unknown.lines("")[0].starts_with("412 done, 8.2/s, 3 devices with 12 cores, "));
        let about = Status { total: Some((12_345_678, false)), ..status() };
        assert!(about.lines("")[0].starts_with("412 of about 12,345,678 (0 %) [-----"));
    }

    #[test]
    fn the_status_line_fits_into_forty_columns() {
        let long = Status {
            done: 9_999_999_999,
            total: Some((99_999_999_999, false)),
            left: Some(Duration::from_secs(599)),
            failures: (100, 1000),
            ..status()
        };
        let lines = long.lines("http://192.168.100.100:5000/k7d2m9qx4t/");
        assert_eq!(lines.last().unwrap(), "9 %");
        let fitting = lines.iter().find(|line| line.len() < 40).unwrap();
        assert_eq!(fitting, "9 %, 9 min 59 s left");
        let usual = status().lines("http://192.168.1.12:5000/k7d2m9qx4t/");
        let fitting = usual.iter().find(|line| line.len() < 60).unwrap();
        assert_eq!(fitting, "41 %, 48 s left, http://192.168.1.12:5000/k7d2m9qx4t/");
        let fitting = usual.iter().find(|line| line.len() < 50).unwrap();
        assert_eq!(fitting, "412 of 1,000 (41 %), 8.2/s, 48 s left, 3 devices");
    }

    #[test]
    fn failures_leave_the_line_before_what_is_left_to_do() {
        let failed = Status { failures: (1, 3), ..status() };
        let fitting = |width: usize, url: &str| {
            let lines = failed.lines(url);
            lines.into_iter().find(|line| line.len() < width).unwrap()
        };
        let url = "http://192.168.1.12:5000/k7d2m9qx4t/";
        assert_eq!(
            fitting(100, url),
            "412 of 1,000 (41 %), 8.2/s, 48 s left, 3 devices, http://192.168.1.12:5000/k7d2m9qx4t/"
        );
        assert_eq!(
            fitting(80, ""),
            "412 of 1,000 (41 %), 48 s left, 3 devices, 1 item failed, 3 failed attempts"
        );
        assert_eq!(fitting(50, ""), "412 of 1,000 (41 %), 8.2/s, 48 s left, 3 devices");
    }

    #[test]
    fn hundred_per_cent_are_the_end() {
        let almost = Status { done: 999, ..status() };
        assert_eq!(almost.progress(), "999 of 1,000 (99 %)");
        assert_eq!(
            Status { done: 0, total: Some((0, true)), ..status() }.progress(),
            "0 of 0 (0 %)"
        );
    }

    #[test]
    fn the_status_line_tells_other_ways_than_the_usual() {
        assert_eq!(ways([Path::Local, Path::WebSocket].into_iter()), "");
        let all = [Path::Relay, Path::Direct, Path::Local, Path::Turn, Path::Direct];
        assert_eq!(ways(all.into_iter()), " (2 direct, 1 by TURN, 1 through the relay)");
    }
}
