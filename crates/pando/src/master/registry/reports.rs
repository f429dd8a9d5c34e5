//! Reports which a function makes during its calls.

use serde_json::Value;
use std::mem;

/// The most units of which the sums of a device are told apart.
const MOST_UNITS: usize = 8;

/// The reports of a device.
#[derive(Debug, Default)]
pub(crate) struct Reports {
    /// The sum since the last line about the reports.
    recent: ReportSum,
    /// The sums of the whole session, one for each of the units.
    whole: Vec<ReportSum>,
}

/// The sum of some reports.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct ReportSum {
    reports: u64,
    pub(crate) items: f64,
    /// The time for computing, in the unit of the reports.
    pub(crate) cpu: f64,
    /// The time for transfers, in the unit of the reports.
    pub(crate) transfer: f64,
    pub(crate) units: String,
}

impl Reports {
    /// Adds a report.
    pub(crate) fn add(&mut self, report: &Value) {
        let before = mem::take(&mut self.recent.units);
        let one = ReportSum::of(report, before);
        self.recent.units.clone_from(&one.units);
        self.recent.add(&one);
        add_to(&mut self.whole, one);
    }

    /// Takes the sum since the last call.
    pub(crate) fn take_recent(&mut self) -> ReportSum {
        let units = self.recent.units.clone();
        mem::replace(&mut self.recent, ReportSum { units, ..ReportSum::default() })
    }

    /// The sums of the whole session.
    pub(crate) fn whole(&self) -> &[ReportSum] {
        &self.whole
    }
}

/// Adds `one` to the sum with the same units. Further units than [`MOST_UNITS`] are left out.
pub(super) fn add_to(sums: &mut Vec<ReportSum>, one: ReportSum) {
    if let Some(sum) = sums.iter_mut().find(|sum| sum.units == one.units) {
        sum.add(&one);
    } else if sums.len() < MOST_UNITS {
        sums.push(one);
    }
}

impl ReportSum {
    /// One report. Without units of its own, the report has the units of the last one `before`.
    fn of(report: &Value, before: String) -> Self {
        let number = |key: &str| report.get(key).and_then(Value::as_f64).unwrap_or(0.0);
        let units = report.get("units").and_then(Value::as_str);
        Self {
            reports: 1,
            items: number("nbItems"),
            cpu: number("cpuTime"),
            transfer: number("dataTransferTime"),
            units: units.map_or(before, |units| units.chars().take(40).collect()),
        }
    }

    fn add(&mut self, other: &Self) {
        self.reports += other.reports;
        self.items += other.items;
        self.cpu += other.cpu;
        self.transfer += other.transfer;
    }

    /// The number of reports.
    pub(crate) fn reports(&self) -> u64 {
        self.reports
    }

    /// The line for people about the device called `name`, after `seconds`.
    pub(crate) fn line(&self, name: &str, seconds: f64) -> String {
        let units = if self.units.is_empty() { "items" } else { &self.units };
        let mut text = format!("{name}: {:.2} {units}/s", self.items / seconds.max(0.001));
        if self.cpu > 0.0 {
            text.push_str(&format!(", computing {:.0} ms", self.cpu));
        }
        if self.transfer > 0.0 {
            text.push_str(&format!(", transferring {:.0} ms", self.transfer));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reports_are_summed_for_an_interval_and_for_each_of_the_units() {
        let mut reports = Reports::default();
        reports.add(&json!({"nbItems": 2, "units": "Mpixels", "cpuTime": 10}));
        reports.add(&json!({"nbItems": 1.5, "dataTransferTime": 3}));
        assert_eq!(
            reports.take_recent().line("Ann", 0.5),
            "Ann: 7.00 Mpixels/s, computing 10 ms, transferring 3 ms"
        );
        assert_eq!(reports.take_recent().reports(), 0);
        reports.add(&json!({"nbItems": 7, "units": "tiles"}));
        reports.add(&json!("nothing that counts"));
        let whole: Vec<_> =
            reports.whole().iter().map(|sum| (&*sum.units, sum.items, sum.reports)).collect();
        assert_eq!(whole, [("Mpixels", 3.5, 2), ("tiles", 7.0, 2)]);
        (0..20).for_each(|n| reports.add(&json!({"units": n.to_string()})));
        assert_eq!(reports.whole().len(), MOST_UNITS);
    }
}
