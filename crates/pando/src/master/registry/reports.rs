//! Reports which a function makes during its calls.

use serde_json::Value;

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
    /// Adds a report.
    pub(crate) fn add(&mut self, report: &Value) {
        let number = |key: &str| report.get(key).and_then(Value::as_f64).unwrap_or(0.0);
        self.reports += 1;
        self.items += number("nbItems");
        self.cpu += number("cpuTime");
        self.transfer += number("dataTransferTime");
        if let Some(units) = report.get("units").and_then(Value::as_str) {
            self.units = units.chars().take(40).collect();
        }
    }

    /// Whether there was no report.
    pub(crate) fn is_empty(&self) -> bool {
        self.reports == 0
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
