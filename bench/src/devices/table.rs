//! The table: a row for each device, a column for each application.

use super::{ExampleApplication, happened::Happened};
use crate::table::thousands;
use std::{fmt::Write as _, time::Duration};

/// The items per second, the ratio to the first device, and the share of the total.
pub(super) fn markdown(columns: &[(ExampleApplication, Happened)], time: Duration) -> String {
    let mut devices: Vec<&str> = Vec::new();
    for (device, _) in columns.iter().flat_map(|(_, happened)| &happened.devices) {
        if !devices.contains(&device.as_str()) {
            devices.push(device);
        }
    }
    devices.sort_unstable();
    let rate = |happened: &Happened, device: &str| {
        let sums =
            happened.devices.iter().filter(|(name, _)| name == device).map(|(_, items)| items);
        sums.sum::<f64>() / time.as_secs_f64()
    };
    let mut text = String::from("| device |");
    columns.iter().for_each(|(application, _)| {
        write!(text, " {} ({}/s) | × | % |", application.title(), application.unit())
            .expect("a string takes it");
    });
    text += &format!("\n|---|{}\n", "--:|--:|--:|".repeat(columns.len()));
    let total =
        |happened: &Happened| devices.iter().map(|device| rate(happened, device)).sum::<f64>();
    for device in &devices {
        write!(text, "| {device} |").expect("a string takes it");
        for (_, happened) in columns {
            let (rate, first) = (rate(happened, device), rate(happened, devices[0]));
            let share = rate / total(happened) * 100.0;
            write!(text, " {} | {:.2} | {share:.1} |", number(rate), rate / first)
                .expect("a string takes it");
        }
        text.push('\n');
    }
    text += "| **total** |";
    for (_, happened) in columns {
        write!(
            text,
            " {} | {:.2} | 100 |",
            number(total(happened)),
            total(happened) / rate(happened, devices[0])
        )
        .expect("a string takes it");
    }
    text.push('\n');
    text
}

fn number(rate: f64) -> String {
    if rate < 100.0 { format!("{rate:.2}") } else { thousands(rate) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_compared_with_the_first_and_with_all() {
        let happened =
            Happened { devices: vec![("Tab 2".into(), 500.0), ("Tab 1".into(), 2_000.0)] };
        let text = markdown(&[(ExampleApplication::Collatz, happened)], Duration::from_secs(2));
        let lines: Vec<_> = text.lines().skip(2).collect();
        assert_eq!(
            lines,
            [
                "| Tab 1 | 1,000 | 1.00 | 80.0 |",
                "| Tab 2 | 250 | 0.25 | 20.0 |",
                "| **total** | 1,250 | 1.25 | 100 |"
            ]
        );
    }
}
