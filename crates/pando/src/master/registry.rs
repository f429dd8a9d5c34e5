//! The registry of devices: those that are connected, one [`Device`] for each session, and what is
//! remembered of devices that have left.

mod backoff;
mod calls;
mod device;
mod evidence;
mod fitness;
mod health;
mod in_flight;
mod incoming;
mod ledger;
mod loans;
mod names;
mod newcomer;
mod news;
mod owner;
mod presence;
mod progress;
mod rate;
mod reports;
mod statistics;
mod traffic;

pub(crate) use calls::CallTimes;
pub(crate) use device::Device;
pub(crate) use evidence::Evidence;
pub(crate) use fitness::{Fitness, Standing};
pub(crate) use health::Health;
pub(crate) use ledger::Contribution;
pub(crate) use loans::LongCall;
pub(crate) use newcomer::{DeviceKey, Newcomer, Page};
pub(crate) use news::News;
pub(crate) use owner::OwnerRule;
pub(crate) use reports::ReportSum;
pub(crate) use statistics::Statistics;
pub(crate) use traffic::Traffic;

use crate::{config::BatchSize, protocol::Path};
use ledger::Ledger;
use names::Names;
use presence::Presence;
use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};
use stream_lender::SubStreamId;

/// See the module.
#[derive(Debug)]
pub(crate) struct Registry {
    /// The connected devices in the order of their arrival, so that ties are always decided alike.
    devices: BTreeMap<SubStreamId, Box<Device>>,
    /// The last session of each connected device.
    sessions: HashMap<DeviceKey, SubStreamId>,
    /// The names of the devices, without those of replaced sessions.
    names: Names,
    evidence: Evidence,
    statistics: Statistics,
    ledger: Ledger,
    presence: Presence,
    batch_size: BatchSize,
    /// Calls that a core has open at a time.
    calls_per_core: u64,
    heartbeat: Duration,
    /// Devices often come and go in groups: until this time, another device may come.
    others_until: Instant,
    /// Sessions that were opened since the start.
    joined: u64,
    /// Whether any device other than this machine's own cores has joined.
    has_had_guests: bool,
    /// Devices that were numbered since the start.
    numbered: u64,
    /// Whether devices cannot join through the relay, because the connection to it is lost.
    is_relay_lost: bool,
    /// What the owner of the run has decided about devices, connected or not.
    rules: HashMap<DeviceKey, OwnerRule>,
}

/// Devices come and go.
impl Registry {
    pub(crate) fn new(
        batch_size: BatchSize,
        calls_per_core: u64,
        heartbeat: Duration,
        now: Instant,
    ) -> Self {
        Self {
            devices: BTreeMap::new(),
            sessions: HashMap::new(),
            names: Names::default(),
            evidence: Evidence::default(),
            statistics: Statistics::new(now),
            ledger: Ledger::default(),
            presence: Presence::default(),
            batch_size,
            calls_per_core,
            heartbeat,
            others_until: now + heartbeat,
            joined: 0,
            has_had_guests: false,
            numbered: 0,
            is_relay_lost: false,
            rules: HashMap::new(),
        }
    }

    /// Notes whether the connection to the relay is lost.
    pub(crate) fn set_relay_lost(&mut self, is_lost: bool) {
        self.is_relay_lost = is_lost;
    }

    /// Whether the connection to the relay is lost.
    pub(crate) fn is_relay_lost(&self) -> bool {
        self.is_relay_lost
    }

    /// Adds a device with the session `sub`. Returns the device's name, which no other device has.
    pub(crate) fn join(
        &mut self,
        sub: SubStreamId,
        mut newcomer: Newcomer,
        now: Instant,
    ) -> String {
        self.others_until = now + self.heartbeat;
        self.joined += 1;
        self.has_had_guests |= !newcomer.key.local;
        let rest = self.evidence.rest_before(&newcomer.key.device);
        let (number, rule) = (self.number(&newcomer.key), self.rule(&newcomer.key));
        self.presence.join(number, now);
        newcomer.name = self.names.take(&newcomer.name);
        self.sessions.insert(newcomer.key.clone(), sub);
        let name = newcomer.name.clone();
        let mut device = Device::new(newcomer, number, self.batch_size, rest, now);
        device.set_rule(rule, self.calls_per_core, now);
        if rule.removed {
            device.wake();
        }
        self.devices.insert(sub, Box::new(device));
        name
    }

    /// The number of a device among all devices of the run: a new one, unless the device was here
    /// before.
    fn number(&mut self, key: &DeviceKey) -> u64 {
        let here = self.session(key).map(|sub| self.devices[&sub].number());
        here.or_else(|| self.ledger.number(key)).unwrap_or_else(|| {
            self.numbered += 1;
            self.numbered
        })
    }

    /// Marks an earlier session of the device as replaced, and returns its sub-stream and the
    /// route of its channel. No guest can replace this machine's own cores.
    pub(crate) fn replace(&mut self, key: &DeviceKey) -> Option<(SubStreamId, Path)> {
        let sub = self.session(key)?;
        let old = self.devices.get_mut(&sub).filter(|device| !device.is_replaced())?;
        old.replace();
        self.names.give_back(old.name());
        Some((sub, old.path()))
    }

    /// The last session of a device, if the device is connected.
    fn session(&self, key: &DeviceKey) -> Option<SubStreamId> {
        self.sessions.get(key).copied()
    }

    /// Gives the device of `sub` another name, as much like `wanted` as possible. Returns the old
    /// and the new name, if they differ.
    pub(crate) fn rename(&mut self, sub: SubStreamId, wanted: &str) -> Option<(String, String)> {
        let device = self.devices.get_mut(&sub).filter(|device| !device.is_replaced())?;
        let old = device.name().to_owned();
        self.names.give_back(&old);
        let new = self.names.take(wanted);
        device.rename(new.clone());
        (old != new).then_some((old, new))
    }

    /// Removes the device of `sub`, which leaves; `unresponsive`: its channel was closed for that
    /// reason.
    pub(crate) fn leave(
        &mut self,
        sub: SubStreamId,
        unresponsive: bool,
        now: Instant,
    ) -> Option<Device> {
        self.others_until = now + self.heartbeat;
        let device = self.devices.remove(&sub)?;
        if self.session(device.key()) == Some(sub) {
            self.sessions.remove(device.key());
        }
        if !device.is_replaced() {
            self.names.give_back(device.name());
        }
        self.ledger.add(&device, now);
        self.presence.leave(device.number(), now);
        let rest = device.rest(self.silence_limit());
        self.evidence.leave(&device.key().device, unresponsive, rest);
        Some(*device)
    }

    /// Remembers the evidence about a device that leaves, if there is any. Returns the rest of a
    /// sentence for people.
    pub(crate) fn remember(&mut self, key: &DeviceKey) -> Option<String> {
        let is_back = self.session(key).is_some();
        self.evidence.remember(key, self.devices.len(), is_back)
    }

    /// Takes the news for the session `sub`; `finished`: the run is over.
    pub(crate) fn take_news(&mut self, sub: SubStreamId, finished: bool) -> News {
        match self.devices.get_mut(&sub) {
            Some(device) => device.take_news(finished),
            None => News { finished, ..News::default() },
        }
    }

    /// Notes that the device of `sub` has computed a value: it is not unresponsive any more.
    pub(crate) fn responds(&mut self, sub: SubStreamId) {
        if self.evidence.has_unresponsive()
            && let Some(device) = self.devices.get(&sub)
        {
            self.evidence.responds(device.key());
        }
    }

    /// Wakes the sessions of all devices.
    pub(crate) fn wake_all(&self) {
        self.devices().for_each(Device::wake);
    }
}

/// The connected devices.
impl Registry {
    pub(crate) fn get(&self, sub: SubStreamId) -> Option<&Device> {
        self.devices.get(&sub).map(Box::as_ref)
    }

    pub(crate) fn get_mut(&mut self, sub: SubStreamId) -> Option<&mut Device> {
        self.devices.get_mut(&sub).map(Box::as_mut)
    }

    /// The last session of a device, if the device is connected.
    pub(crate) fn connected(&self, key: &DeviceKey) -> Option<&Device> {
        self.get(self.session(key)?)
    }

    /// The connected devices and their sessions, in the order of their arrival.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (SubStreamId, &Device)> {
        self.devices.iter().map(|(sub, device)| (*sub, &**device))
    }

    /// As [`iter`](Self::iter).
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (SubStreamId, &mut Device)> {
        self.devices.iter_mut().map(|(sub, device)| (*sub, &mut **device))
    }

    /// The connected devices.
    pub(crate) fn devices(&self) -> impl Iterator<Item = &Device> {
        self.devices.values().map(Box::as_ref)
    }

    /// The number of sessions.
    pub(crate) fn len(&self) -> usize {
        self.devices.len()
    }

    /// The cores of the devices that take part.
    pub(crate) fn computing_cores(&self) -> u64 {
        self.devices()
            .filter(|device| device.takes_part())
            .map(|device| u64::from(device.cores()))
            .sum()
    }

    /// The age of the oldest call that a device has told about.
    pub(crate) fn oldest_call(&self, now: Instant) -> Duration {
        self.devices().map(|device| device.loans().longest_call(now)).max().unwrap_or_default()
    }

    /// What each device has contributed up to `now`, the greatest contribution first.
    pub(crate) fn contributions(&self, now: Instant) -> Vec<Contribution> {
        self.ledger.contributions(self.iter(), now)
    }

    /// When each device was connected up to `now`, by its number: the begin and the end of each
    /// stay.
    pub(crate) fn stays(&self, now: Instant) -> BTreeMap<u64, Vec<[Instant; 2]>> {
        self.presence.stays(now)
    }

    /// The number of results of each device with any, connected or not, by the device's number.
    pub(crate) fn items_by_number(&self) -> HashMap<u64, u64> {
        let mut items = self.ledger.items_by_number();
        for device in self.devices().filter(|device| device.done() > 0) {
            *items.entry(device.number()).or_default() += device.done();
        }
        items
    }

    /// Whether any device other than this machine's own cores has joined.
    pub(crate) fn has_had_guests(&self) -> bool {
        self.has_had_guests
    }

    /// Sessions that were opened since the start.
    pub(crate) fn joined(&self) -> u64 {
        self.joined
    }
}

/// The decisions of the owner of the run.
impl Registry {
    /// The decisions about a device.
    pub(crate) fn rule(&self, key: &DeviceKey) -> OwnerRule {
        self.rules.get(key).copied().unwrap_or_default()
    }

    /// The session of the connected device with this number.
    pub(crate) fn numbered(&self, number: u64) -> Option<SubStreamId> {
        let mut devices = self.iter().filter(|(_, device)| !device.is_replaced());
        devices.find(|(_, device)| device.number() == number).map(|(sub, _)| sub)
    }

    /// Decides about the device of `sub`, also for its later sessions, and wakes its session.
    pub(crate) fn set_rule(&mut self, sub: SubStreamId, rule: OwnerRule, now: Instant) {
        let Some(device) = self.devices.get_mut(&sub) else { return };
        device.set_rule(rule, self.calls_per_core, now);
        device.wake();
        match rule == OwnerRule::default() {
            true => self.rules.remove(device.key()),
            false => self.rules.insert(device.key().clone(), rule),
        };
    }
}

/// What is known of devices.
impl Registry {
    /// Three heartbeats: how long a device may be silent or idle before the master suspects a
    /// fault, and the length of the first rest.
    pub(crate) fn silence_limit(&self) -> Duration {
        self.heartbeat * 3
    }

    /// The time until which a final failure is postponed, because other devices may come.
    pub(crate) fn others_until(&self) -> Instant {
        self.others_until
    }

    /// Calls that a core has open at a time.
    pub(crate) fn calls_per_core(&self) -> u64 {
        self.calls_per_core
    }

    pub(crate) fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    pub(crate) fn statistics_mut(&mut self) -> &mut Statistics {
        &mut self.statistics
    }

    /// What is known of devices, connected or not.
    pub(crate) fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    /// As [`evidence`](Self::evidence).
    pub(crate) fn evidence_mut(&mut self) -> &mut Evidence {
        &mut self.evidence
    }

    /// Notes that `sub` has computed an item. Returns a line for people.
    pub(crate) fn succeeded(&mut self, sub: SubStreamId) -> Option<String> {
        let device = self.devices.get(&sub)?;
        let words = self.evidence.fitness_or_new(device.key()).succeeded()?;
        Some(format!("{} {words}", device.name()))
    }

    /// Whether any active device is untried or proven.
    pub(crate) fn has_better(&self) -> bool {
        self.devices()
            .any(|device| device.is_active() && self.evidence.standing(device.key()).is_good())
    }

    /// Whether to lend little to a device: an unfit device, or a doubtful device while a better
    /// one is connected or may come.
    pub(crate) fn must_stand_back(&self, device: &Device, now: Instant) -> bool {
        match self.evidence.standing(device.key()) {
            Standing::Unfit => true,
            Standing::Doubtful => {
                let may_come = !device.is_local() && now < self.others_until;
                may_come || self.has_better()
            }
            Standing::Untried | Standing::Proven => false,
        }
    }
}
