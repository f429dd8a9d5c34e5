//! Counts what each device did in a span of time, from the events of a run.

use anyhow::{Context, bail};
use serde_json::Value;
use std::{
    fs,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

/// The number of items of each device, in the order of joining: the numbers that functions
/// reported, or else the number of results.
#[derive(Debug)]
pub(super) struct Happened {
    pub(super) devices: Vec<(String, f64)>,
}

impl Happened {
    /// Reads the events in the file `path` between the two times. `None` when some of these events
    /// may not be written yet.
    pub(super) fn read(
        path: &Path,
        from: SystemTime,
        until: SystemTime,
    ) -> anyhow::Result<Option<Self>> {
        let text = fs::read_to_string(path).context("the run's events cannot be read")?;
        let seconds =
            |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        Self::sum(&text, seconds(from), seconds(until))
    }

    fn sum(events: &str, from: f64, until: f64) -> anyhow::Result<Option<Self>> {
        // The last line may be incomplete.
        let events = &events[..events.rfind('\n').unwrap_or(0)];
        let events = events
            .lines()
            .map(serde_json::from_str)
            .collect::<Result<Vec<Value>, _>>()
            .context("events are JSON")?;
        if events.last().and_then(|event| event["time"].as_f64()).is_none_or(|last| last < until) {
            return Ok(None);
        }
        let counted =
            if events.iter().any(|event| event["event"] == "report") { "report" } else { "result" };
        let mut devices: Vec<(String, f64)> = Vec::new();
        for event in &events {
            let Some(device) = event["device"].as_str() else { continue };
            if event["event"] == "joined" && devices.iter().all(|(known, _)| known != device) {
                devices.push((device.to_owned(), 0.0));
            }
            if event["event"] == "error" {
                bail!("{device} failed: {}", event["message"]);
            }
            let time = event["time"].as_f64().unwrap_or_default();
            if event["event"] == counted && (from..until).contains(&time) {
                let items = if counted == "report" {
                    event["report"]["nbItems"].as_f64().unwrap_or_default()
                } else {
                    1.0
                };
                devices
                    .iter_mut()
                    .filter(|(known, _)| known == device)
                    .for_each(|(_, sum)| *sum += items);
            }
        }
        Ok(Some(Self { devices }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_in_the_span_are_summed_by_device() {
        let events = r#"{"event":"joined","device":"a","time":1}
            {"event":"joined","device":"b","time":1}
            {"event":"result","device":"a","time":5}
            {"event":"report","device":"a","report":{"nbItems":5},"time":1.5}
            {"event":"report","device":"b","report":{"nbItems":7},"time":2}
            {"event":"report","device":"b","report":{"nbItems":8},"time":2.9}
            {"event":"report","device":"a","report":{"nbItems":9},"time":3}
            {"event":"rep"#;
        let items = |events: &str, until| {
            Happened::sum(events, 2.0, until).unwrap().map(|happened| happened.devices)
        };
        assert_eq!(items(events, 3.0), Some(vec![("a".into(), 0.0), ("b".into(), 15.0)]));
        assert_eq!(items(events, 3.1), None);
        let results =
            events.replace(r#""report""#, r#""other""#).replace(r#""time":3"#, r#""time":9"#);
        assert_eq!(items(&results, 9.0), Some(vec![("a".into(), 1.0), ("b".into(), 0.0)]));
    }
}
