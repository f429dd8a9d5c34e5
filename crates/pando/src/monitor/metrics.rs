//! The figures of a run as text for Prometheus, format version 0.0.4. Pure.

use crate::master::{DeviceFigures, ReportFigures, RunPhase, RunSnapshot};
use std::fmt::{Display, Write};

/// The text for `snapshot`.
pub(super) fn text(snapshot: &RunSnapshot) -> String {
    let mut page = MetricsPage(String::new());
    page.add_run(snapshot);
    page.add_devices(&snapshot.devices);
    page.0
}

/// The type of a metric.
#[derive(Clone, Copy)]
enum MetricType {
    Counter,
    Gauge,
}
use MetricType::{Counter, Gauge};

/// The text so far.
struct MetricsPage(String);

impl MetricsPage {
    fn add_run(&mut self, run: &RunSnapshot) {
        let (progress, window, failures) = (&run.progress, &run.window, &run.failures);
        let connected = || run.devices.iter().filter(|device| device.connected);
        let lent: u64 = connected().map(|device| u64::from(device.lent)).sum();
        let finished = u8::from(run.state == RunPhase::Finished);
        self.add("pando_elapsed_seconds", Gauge, "Time since the start of the run.", run.elapsed);
        self.add("pando_finished", Gauge, "1 when the run has ended, else 0.", finished);
        self.add("pando_items_done", Gauge, "Items with a result, or left out.", progress.done);
        let help = "Results computed in this run.";
        self.add("pando_results_total", Counter, help, progress.computed);
        if let Some(total) = progress.total {
            self.add(
                "pando_items_expected",
                Gauge,
                "Items of the whole input, as far as known.",
                total,
            );
        }
        self.add(
            "pando_items_per_second",
            Gauge,
            "Results per second, lately.",
            progress.per_second,
        );
        if let Some(left) = progress.seconds_left {
            self.add("pando_seconds_left", Gauge, "Time until the end, as far as known.", left);
        }
        self.add("pando_items_read_total", Counter, "Items read from the input.", window.read);
        self.add("pando_items_output_total", Counter, "Items output, or left out.", window.output);
        self.add(
            "pando_items_in_progress",
            Gauge,
            "Items read and without a result.",
            window.in_progress,
        );
        self.add("pando_items_waiting", Gauge, "Results that wait for their turn.", window.waiting);
        self.add(
            "pando_window_items",
            Gauge,
            "The most items read and not yet output.",
            window.limit,
        );
        self.add(
            "pando_failed_items_total",
            Counter,
            "Items that failed for good.",
            failures.items,
        );
        self.add("pando_failed_attempts_total", Counter, "Failed attempts.", failures.attempts);
        self.add(
            "pando_lent_again_total",
            Counter,
            "Values lent again, because their devices left.",
            failures.lent_again,
        );
        self.add(
            "pando_copies_total",
            Counter,
            "Values computed twice (--speculate).",
            failures.copies,
        );
        self.add("pando_devices", Gauge, "Connected devices.", connected().count());
        self.add("pando_cores", Gauge, "Cores that may compute.", lent);
    }

    fn add_devices(&mut self, devices: &[DeviceFigures]) {
        self.of_each(devices, "connected", Gauge, "1 for a connected device, else 0.", |device| {
            Some(u8::from(device.connected))
        });
        self.of_each(devices, "cores", Gauge, "Cores that may compute.", |device| {
            Some(device.lent)
        });
        self.of_each(devices, "items_total", Counter, "Results of the device.", |device| {
            Some(device.items)
        });
        self.of_each(devices, "items_per_second", Gauge, "Results per second, lately.", |device| {
            Some(device.per_second)
        });
        self.of_each(devices, "computing", Gauge, "Values that the device computes.", |device| {
            Some(device.computing)
        });
        self.of_each(devices, "queued", Gauge, "Values that wait at the device.", |device| {
            Some(device.queued)
        });
        let help = "Failed attempts of the device.";
        self.of_each(devices, "failed_attempts_total", Counter, help, |device| {
            Some(device.failed_attempts)
        });
        let help = "The mean time of a call with a result.";
        self.of_each(devices, "call_seconds_mean", Gauge, help, |device| device.mean_seconds);
        let help = "The time of a message and its answer, smoothed.";
        self.of_each(devices, "round_trip_seconds", Gauge, help, |device| {
            device.round_trip_seconds
        });
        let help = "The share of the time of the cores that was spent on results.";
        self.of_each(devices, "busy_ratio", Gauge, help, |device| Some(device.busy));
        self.of_each(
            devices,
            "received_bytes_total",
            Counter,
            "Bytes from the device.",
            |device| Some(device.bytes_in),
        );
        self.of_each(devices, "sent_bytes_total", Counter, "Bytes to the device.", |device| {
            Some(device.bytes_out)
        });
        self.add_reports(devices);
    }

    fn add_reports(&mut self, devices: &[DeviceFigures]) {
        type Figure = fn(&ReportFigures) -> f64;
        let figures: [(&str, &str, Figure); 3] = [
            ("items", "Items that the function reported, in its units.", |sum| sum.items),
            ("cpu_time", "Computing time that the function reported.", |sum| sum.cpu_time),
            ("data_transfer_time", "Transfer time that the function reported.", |sum| {
                sum.data_transfer_time
            }),
        ];
        for (figure, help, value) in figures {
            let name = format!("pando_device_reported_{figure}_total");
            self.head(
                &name,
                Counter,
                help,
                devices.iter().any(|device| !device.reports.is_empty()),
            );
            for device in devices {
                for sum in &device.reports {
                    let units = label("units", &sum.units);
                    self.line(&name, &format!("{},{units}", labels(device)), value(sum));
                }
            }
        }
    }

    /// Adds a metric of the run.
    fn add(&mut self, name: &str, kind: MetricType, help: &str, value: impl Display) {
        self.head(name, kind, help, true);
        self.write(format_args!("{name} {value}\n"));
    }

    /// Adds a metric of each device that has a value.
    fn of_each<V: Display>(
        &mut self,
        devices: &[DeviceFigures],
        name: &str,
        kind: MetricType,
        help: &str,
        value: impl Fn(&DeviceFigures) -> Option<V>,
    ) {
        let name = format!("pando_device_{name}");
        let values: Vec<_> =
            devices.iter().filter_map(|device| Some((device, value(device)?))).collect();
        self.head(&name, kind, help, !values.is_empty());
        for (device, value) in values {
            self.line(&name, &labels(device), value);
        }
    }

    /// Describes a metric, if there `is_any` value.
    fn head(&mut self, name: &str, kind: MetricType, help: &str, is_any: bool) {
        let kind = match kind {
            Counter => "counter",
            Gauge => "gauge",
        };
        if is_any {
            self.write(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
        }
    }

    fn line(&mut self, name: &str, labels: &str, value: impl Display) {
        self.write(format_args!("{name}{{{labels}}} {value}\n"));
    }

    fn write(&mut self, text: std::fmt::Arguments) {
        let _ = self.0.write_fmt(text);
    }
}

fn labels(device: &DeviceFigures) -> String {
    format!("{},{}", label("device", &device.id), label("name", &device.name))
}

fn label(name: &str, value: &str) -> String {
    let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("{name}=\"{value}\"")
}

#[cfg(test)]
mod tests {
    use super::label;

    #[test]
    fn no_name_ends_its_label() {
        assert_eq!(label("name", "a\"} 1\n\\"), r#"name="a\"} 1\n\\""#);
    }
}
