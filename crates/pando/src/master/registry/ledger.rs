//! What each device has contributed to the run, also when it has left.

use super::{
    CallTimes, Device, DeviceKey,
    newcomer::Origin,
    rate::RecentRate,
    reports::{ReportSum, add_to},
};
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};
use stream_lender::SubStreamId;

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
    /// The device; `None` for several devices, and in the contribution of a single session.
    pub(crate) key: Option<DeviceKey>,
    /// The number of the device among all devices of the run, from 1; 0 for several devices.
    pub(crate) number: u64,
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
    /// The times of the calls with results.
    pub(crate) calls: CallTimes,
    /// The bytes that came from the device, and those that went to the device.
    pub(crate) bytes: (u64, u64),
    /// The sums of what the function reported, one for each of the units.
    pub(crate) reports: Vec<ReportSum>,
    /// How the device was connected last.
    pub(crate) origin: Origin,
    /// The time when the device joined first.
    pub(crate) since: Option<Instant>,
    /// The present session of the device.
    pub(crate) session: Option<SubStreamId>,
}

/// What one session of a device has done.
#[derive(Debug)]
pub(super) struct SessionRecord {
    items: u64,
    failures: u64,
    computing: Duration,
    calls: CallTimes,
    rate: RecentRate,
    joined: Instant,
    cores: u32,
    /// The time for which the session had cores until `since`, summed over the cores.
    present: Duration,
    /// The time since which the device lends its present number of cores.
    since: Instant,
}

impl SessionRecord {
    /// Nothing done by a device that lends `cores` cores from `now` on.
    pub(super) fn new(cores: u32, now: Instant) -> Self {
        Self {
            items: 0,
            failures: 0,
            computing: Duration::ZERO,
            calls: CallTimes::default(),
            rate: RecentRate::new(now),
            joined: now,
            cores,
            present: Duration::ZERO,
            since: now,
        }
    }

    /// Notes that the device lends `cores` cores from `now` on.
    pub(super) fn set_cores(&mut self, cores: u32, now: Instant) {
        (self.present, self.since, self.cores) = (self.present(now), now, cores);
    }

    /// Counts the results of `calls`. All calls, also those without a result, took `micros`
    /// microseconds in total.
    pub(super) fn computed(&mut self, calls: &CallTimes, micros: u64, now: Instant) {
        self.items += calls.count();
        self.computing = self.computing.saturating_add(Duration::from_micros(micros));
        self.calls.add_all(calls);
        self.rate.add(calls.count(), now);
    }

    /// Results per second, lately.
    pub(super) fn per_second(&self, now: Instant) -> f64 {
        self.rate.per_second(now)
    }

    /// Counts a failed attempt.
    pub(super) fn failed(&mut self) {
        self.failures += 1;
    }

    /// Values of which the session has delivered the result.
    pub(super) fn items(&self) -> u64 {
        self.items
    }

    /// The contribution of the device in this session, up to `now`, as far as this record knows.
    pub(super) fn contribution(&self, now: Instant) -> Contribution {
        let Self { items, failures, computing, calls, cores, .. } = *self;
        let (present, since) = (self.present(now), Some(self.joined));
        Contribution {
            cores,
            items,
            failures,
            computing,
            present,
            calls,
            since,
            ..Contribution::default()
        }
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
            let (name, number) = (String::new(), 0);
            self.others.add(&Contribution { name, number, ..contribution });
        }
    }

    /// The contributions of all devices, those in `devices` included, the greatest first.
    pub(super) fn contributions<'a>(
        &self,
        devices: impl Iterator<Item = (SubStreamId, &'a Device)>,
        now: Instant,
    ) -> Vec<Contribution> {
        let mut all = self.left.clone();
        for (sub, device) in devices {
            let session = (!device.is_replaced()).then_some(sub);
            let contribution = Contribution { session, ..device.contribution(now) };
            all.entry(device.key().clone()).or_default().add(&contribution);
        }
        let others = Some(&self.others).filter(|others| **others != Contribution::default());
        let all = all.into_iter();
        let apart = all.map(|(key, contribution)| Contribution { key: Some(key), ..contribution });
        let mut all: Vec<Contribution> = apart.chain(others.cloned()).collect();
        all.sort_by(|a, b| b.items.cmp(&a.items).then_with(|| a.name.cmp(&b.name)));
        all
    }
}

/// Numbers.
impl Ledger {
    /// The number of a device that has left.
    pub(super) fn number(&self, key: &DeviceKey) -> Option<u64> {
        self.left.get(key).map(|contribution| contribution.number)
    }

    /// The number of results of the devices that have left, by the device's number.
    pub(super) fn items_by_number(&self) -> HashMap<u64, u64> {
        let all = self.left.values().chain([&self.others]);
        all.map(|contribution| (contribution.number, contribution.items)).collect()
    }
}

impl Contribution {
    /// Adds a later session of the same device.
    fn add(&mut self, later: &Self) {
        self.number = later.number;
        self.name.clone_from(&later.name);
        self.cores = later.cores;
        self.items += later.items;
        self.failures += later.failures;
        self.computing = self.computing.saturating_add(later.computing);
        self.present += later.present;
        self.calls.add_all(&later.calls);
        self.bytes = (self.bytes.0 + later.bytes.0, self.bytes.1 + later.bytes.1);
        later.reports.iter().for_each(|sum| add_to(&mut self.reports, sum.clone()));
        self.origin.clone_from(&later.origin);
        self.since = self.since.or(later.since);
        self.session = self.session.or(later.session);
    }

    /// The time for which its cores computed nothing that has ended, summed over the cores.
    pub(crate) fn idle(&self) -> Duration {
        self.present.saturating_sub(self.computing)
    }

    /// The share of the time of the cores that was spent on results, from 0 to 1.
    pub(crate) fn busy(&self) -> f64 {
        let share = self.computing.as_secs_f64() / self.present.as_secs_f64().max(0.001);
        share.min(1.0)
    }
}
