//! What each device has contributed to the run, also when it has left.

use super::{Device, DeviceKey};
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// The most devices of which the ledger tells apart those that have left.
const MOST_APART: usize = 1_000;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    left: HashMap<DeviceKey, Contribution>,
    /// The contributions of further devices, summed.
    others: Contribution,
}

/// What a device has done.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Contribution {
    /// The name that the device had last; empty for several devices.
    pub(crate) name: String,
    /// The number of cores that the device lent last.
    pub(crate) cores: u32,
    /// The number of results.
    pub(crate) items: u64,
    /// The number of failed attempts.
    pub(crate) failures: u64,
    /// The time for which the device computed results, summed over its cores.
    pub(crate) computing: Duration,
    /// The time for which the device was connected, summed over its cores.
    pub(crate) present: Duration,
}

/// What one session of a device has done.
#[derive(Debug)]
pub(super) struct SessionRecord {
    items: u64,
    failures: u64,
    computing: Duration,
    cores: u32,
    /// The time for which the session had cores until `since`, summed over the cores.
    present: Duration,
    /// The time since which the device lends its present number of cores.
    since: Instant,
}

impl SessionRecord {
    /// Nothing done by a device that lends `cores` cores from `now` on.
    pub(super) fn new(cores: u32, now: Instant) -> Self {
        let (computing, present) = (Duration::ZERO, Duration::ZERO);
        Self { items: 0, failures: 0, computing, cores, present, since: now }
    }

    /// Notes that the device lends `cores` cores from `now` on.
    pub(super) fn set_cores(&mut self, cores: u32, now: Instant) {
        (self.present, self.since, self.cores) = (self.present(now), now, cores);
    }

    /// Counts `items` results, which took `micros` microseconds in total.
    pub(super) fn computed(&mut self, items: u64, micros: u64) {
        self.items += items;
        self.computing = self.computing.saturating_add(Duration::from_micros(micros));
    }

    /// Counts a failed attempt.
    pub(super) fn failed(&mut self) {
        self.failures += 1;
    }

    /// Values of which the session has delivered the result.
    pub(super) fn items(&self) -> u64 {
        self.items
    }

    /// The contribution of the device called `name` in this session, up to `now`.
    pub(super) fn contribution(&self, name: &str, now: Instant) -> Contribution {
        let Self { items, failures, computing, cores, .. } = *self;
        let (name, present) = (name.to_owned(), self.present(now));
        Contribution { name, cores, items, failures, computing, present }
    }

    fn present(&self, now: Instant) -> Duration {
        self.present + now.saturating_duration_since(self.since) * self.cores
    }
}

impl Ledger {
    /// Adds the session of a device that leaves at `now`.
    pub(super) fn add(&mut self, device: &Device, now: Instant) {
        let contribution = device.contribution(now);
        if self.left.len() < MOST_APART || self.left.contains_key(device.key()) {
            self.left.entry(device.key().clone()).or_default().add(&contribution);
        } else {
            self.others.add(&Contribution { name: String::new(), ..contribution });
        }
    }

    /// The contributions of all devices, those in `devices` included, the greatest first.
    pub(super) fn contributions<'a>(
        &self,
        devices: impl Iterator<Item = &'a Device>,
        now: Instant,
    ) -> Vec<Contribution> {
        let mut all = self.left.clone();
        for device in devices {
            all.entry(device.key().clone()).or_default().add(&device.contribution(now));
        }
        let others = Some(&self.others).filter(|others| **others != Contribution::default());
        let mut all: Vec<Contribution> = all.into_values().chain(others.cloned()).collect();
        all.sort_by(|a, b| b.items.cmp(&a.items).then_with(|| a.name.cmp(&b.name)));
        all
    }
}

impl Contribution {
    /// Adds a later session of the same device.
    fn add(&mut self, later: &Self) {
        self.name.clone_from(&later.name);
        self.cores = later.cores;
        self.items += later.items;
        self.failures += later.failures;
        self.computing = self.computing.saturating_add(later.computing);
        self.present += later.present;
    }

    /// The share of the time of the cores that was spent on results, from 0 to 1.
    pub(crate) fn busy(&self) -> f64 {
        let share = self.computing.as_secs_f64() / self.present.as_secs_f64().max(0.001);
        share.min(1.0)
    }
}
