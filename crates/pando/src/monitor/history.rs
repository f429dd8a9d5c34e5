//! The history of a run, for plots: at most 600 samples, however long the run. Pure: time is an
//! argument.

use crate::master::RunSample;
use serde::Serialize;
use std::{
    collections::{BTreeMap, HashMap},
    mem,
    ops::Add,
};

/// The most samples. When there are so many, neighbours are merged.
const MOST_SAMPLES: usize = 600;
/// The most devices that a sample tells apart.
const MOST_DEVICES: usize = 30;

/// See the module.
#[derive(Debug)]
pub(super) struct History {
    samples: Vec<HistorySample>,
    /// The looks of an interval that is not yet complete, merged, and their number.
    open: Option<(HistorySample, u32)>,
    /// The number of looks in an interval.
    looks: u32,
    before: Option<RunSample>,
}

/// The figures of one interval.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HistorySample {
    /// The end of the interval, in seconds since 1970.
    time: f64,
    done: u64,
    per_second: f64,
    busy_cores: f64,
    cores: f64,
    in_progress: f64,
    waiting: f64,
    failed_attempts: u64,
    /// Results per second of the devices with most results, by their ids, and under the empty id
    /// those of all other devices. Of the devices that have left long ago, none takes a place here.
    by_device: BTreeMap<String, f64>,
}

/// The samples for a reader.
#[derive(Debug, Serialize)]
pub(super) struct HistoryDocument<'a> {
    /// The seconds between two samples.
    interval: f64,
    samples: Vec<&'a HistorySample>,
}

impl Default for History {
    fn default() -> Self {
        Self { samples: Vec::new(), open: None, looks: 1, before: None }
    }
}

impl History {
    /// Adds a look at the run, a second after the last one, and returns the sample of this second.
    /// The first look gives none.
    pub(super) fn add(&mut self, look: RunSample, unix: f64) -> Option<HistorySample> {
        let sample = self.before.as_ref().map(|before| HistorySample::between(before, &look, unix));
        self.before = Some(look);
        let sample = sample?;
        let (merged, count) = match self.open.take() {
            None => (sample.clone(), 1),
            Some((open, count)) => (open.merged(&sample, count), count + 1),
        };
        if count < self.looks {
            self.open = Some((merged, count));
        } else {
            self.samples.push(merged);
            self.merge_if_full();
        }
        Some(sample)
    }

    fn merge_if_full(&mut self) {
        if self.samples.len() < MOST_SAMPLES {
            return;
        }
        let samples = mem::take(&mut self.samples);
        let merge = |pair: &[HistorySample]| pair[0].merged(pair.last().unwrap_or(&pair[0]), 1);
        self.samples = samples.chunks(2).map(merge).collect();
        self.looks *= 2;
    }

    /// The samples so far.
    pub(super) fn document(&self) -> HistoryDocument<'_> {
        let open = self.open.iter().map(|(open, _)| open);
        HistoryDocument {
            interval: f64::from(self.looks),
            samples: self.samples.iter().chain(open).collect(),
        }
    }
}

impl HistorySample {
    /// The figures of the time between two looks.
    fn between(before: &RunSample, look: &RunSample, unix: f64) -> Self {
        let seconds = (look.elapsed - before.elapsed).max(0.001);
        let computed = look.computed.saturating_sub(before.computed);
        Self {
            time: rounded(unix),
            done: look.done,
            per_second: rounded(computed as f64 / seconds),
            busy_cores: look.busy_cores as f64,
            cores: look.cores as f64,
            in_progress: look.in_progress as f64,
            waiting: look.waiting as f64,
            failed_attempts: look.failed_attempts,
            by_device: by_device(&before.items, &look.items, seconds),
        }
    }

    /// This sample, of an interval with `count` looks, merged with a later one of one look (or of
    /// as many, if `count` is 1).
    fn merged(&self, later: &Self, count: u32) -> Self {
        let weight = f64::from(count);
        let mean = |one: f64, other: f64| rounded((one * weight + other) / (weight + 1.0));
        let ids = self.by_device.keys().chain(later.by_device.keys());
        let of = |sample: &Self, id: &String| sample.by_device.get(id).copied().unwrap_or_default();
        Self {
            time: later.time,
            done: later.done,
            per_second: mean(self.per_second, later.per_second),
            busy_cores: mean(self.busy_cores, later.busy_cores),
            cores: mean(self.cores, later.cores),
            in_progress: mean(self.in_progress, later.in_progress),
            waiting: mean(self.waiting, later.waiting),
            failed_attempts: later.failed_attempts,
            by_device: few(ids.map(|id| (id.clone(), mean(of(self, id), of(later, id)))).collect()),
        }
    }
}

/// The rates with few devices told apart: those with the highest rates. Samples that are merged
/// often have different devices.
fn few(mut rates: BTreeMap<String, f64>) -> BTreeMap<String, f64> {
    let others = rates.remove("");
    let mut devices: Vec<(String, f64)> = rates.into_iter().collect();
    // The order of devices with equal rates stays that of their ids.
    devices.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    let rest = devices.split_off(devices.len().min(MOST_DEVICES));
    let rest = others.into_iter().chain(rest.into_iter().map(|(_, rate)| rate)).reduce(f64::add);
    let rest = rest.map(|rate| (String::new(), rounded(rate)));
    devices.into_iter().chain(rest).collect()
}

/// Results per second of each device that had some.
fn by_device(
    before: &HashMap<u64, u64>,
    after: &HashMap<u64, u64>,
    seconds: f64,
) -> BTreeMap<String, f64> {
    // When many devices have left, what the next ones did counts for the device 0 from then on.
    let left = before.iter().filter(|(id, _)| !after.contains_key(id));
    let left: u64 = left.map(|(_, items)| items).sum();
    let more = |(id, items): (&u64, &u64)| {
        let known = before.get(id).copied().unwrap_or_default() + if *id == 0 { left } else { 0 };
        let more = items.saturating_sub(known);
        (more > 0).then_some((*id, *items, more))
    };
    let mut devices: Vec<(u64, u64, u64)> = after.iter().filter_map(more).collect();
    devices.sort_unstable_by_key(|(id, items, _)| (u64::MAX - items, *id));
    let mut rates = BTreeMap::new();
    for (at, (id, _, more)) in devices.into_iter().enumerate() {
        let is_apart = at < MOST_DEVICES && id > 0;
        let id = if is_apart { id.to_string() } else { String::new() };
        *rates.entry(id).or_default() += more as f64 / seconds;
    }
    rates.values_mut().for_each(|rate| *rate = rounded(*rate));
    rates
}

/// A number, rounded to thousandths.
fn rounded(number: f64) -> f64 {
    (number * 1e3).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A look after `second` seconds, at a run with `devices` devices that compute 2 items per
    /// second each.
    fn look(second: u64, devices: u64) -> RunSample {
        RunSample {
            done: 2 * second * devices,
            computed: 2 * second * devices,
            busy_cores: second % 2,
            cores: 4,
            items: (1..=devices).map(|id| (id, 2 * second)).collect(),
            elapsed: second as f64,
            ..RunSample::default()
        }
    }

    #[test]
    fn a_day_is_kept_in_few_samples_and_no_result_is_lost() {
        let mut history = History::default();
        assert_eq!(history.add(look(0, 1), 1000.0), None);
        for second in 1..=86_400 {
            let sample = history.add(look(second, 1), 1000.0 + second as f64).unwrap();
            assert_eq!((sample.per_second, sample.done), (2.0, 2 * second));
        }
        let document = history.document();
        assert!((MOST_SAMPLES / 2..=MOST_SAMPLES).contains(&document.samples.len()));
        assert_eq!(document.interval, 256.0);
        for pair in document.samples.windows(2) {
            let seconds = pair[1].time - pair[0].time;
            assert_eq!((pair[1].done - pair[0].done) as f64, pair[1].per_second * seconds);
            assert_eq!((pair[1].busy_cores * 10.0).round(), 5.0);
            assert_eq!(pair[1].by_device["1"], 2.0);
        }
        assert_eq!(document.samples.last().unwrap().done, 2 * 86_400);
    }

    #[test]
    fn thirty_devices_are_told_apart_and_all_others_are_together() {
        let mut history = History::default();
        history.add(look(10, 100), 0.0);
        let mut next = look(11, 100);
        next.items.insert(7, 20);
        next.items.insert(0, 5);
        let sample = history.add(next, 0.0).unwrap();
        // The device 7 has computed nothing, and so is not named.
        assert_eq!(sample.by_device.len(), 30 + 1);
        assert_eq!(sample.by_device[""], 2.0 * 69.0 + 5.0);
        assert!(sample.by_device.contains_key("31") && !sample.by_device.contains_key("32"));
    }

    #[test]
    fn devices_that_come_and_go_for_a_day_take_little_memory_and_each_has_its_time() {
        /// Each device computes for so many seconds; every 20 seconds another one comes.
        const STAY: u64 = 2_000;
        let mut history = History::default();
        let mut items = HashMap::from([(0, 0)]);
        for second in 0..=86_400_u64 {
            let first = second.saturating_sub(STAY).next_multiple_of(20);
            let present = (first..=second).step_by(20);
            // The ranks of the devices change all the time.
            present.for_each(|came| *items.entry(came).or_default() += 1 + (came + second) % 7);
            // Only the first ones that have left are told apart.
            let left = second.saturating_sub(STAY + 20);
            if let Some(did) = (left > 1_000).then(|| items.remove(&left)).flatten() {
                *items.entry(0).or_default() += did;
            }
            let computed = items.values().sum();
            let look =
                RunSample { computed, items: items.clone(), elapsed: second as f64, ..look(0, 0) };
            history.add(look, second as f64);
        }
        let document = history.document();
        let entries = document.samples.iter().map(|sample| sample.by_device.len());
        assert!(entries.max() <= Some(MOST_DEVICES + 1));
        for sample in &document.samples {
            let sum: f64 = sample.by_device.values().sum();
            assert!((sum - sample.per_second).abs() < 1.0, "{sum} of {}", sample.per_second);
        }
        let last = document.samples.last().expect("there are samples");
        assert!(last.by_device.len() > 1, "those who are present are told apart: {last:?}");
    }

    #[test]
    fn what_a_device_did_before_it_left_counts_once() {
        let mut history = History::default();
        let items = [(0, 100), (1, 50), (2, 70)];
        history.add(RunSample { items: items.into(), ..look(10, 0) }, 0.0);
        // The device 2 has left after one more result.
        let items = [(0, 171), (1, 53)];
        let sample = history.add(RunSample { items: items.into(), ..look(11, 0) }, 0.0).unwrap();
        assert_eq!(sample.by_device, [("".into(), 1.0), ("1".into(), 3.0)].into());
    }

    #[test]
    fn a_count_that_falls_does_no_harm() {
        let mut history = History::default();
        history.add(look(10, 2), 0.0);
        let sample = history.add(RunSample { elapsed: 10.0, ..look(9, 2) }, 0.0).unwrap();
        assert_eq!((sample.per_second, sample.by_device.len()), (0.0, 0));
    }
}
