//! What is known of devices, connected or not: whether they are fit for the job, and whether their
//! channels were closed because they did not respond.

use super::{DeviceKey, Fitness, Standing};
use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};

/// The most devices remembered after they have left.
const MOST_AWAY: usize = 4096;
/// The most devices remembered as unresponsive.
const MOST_UNRESPONSIVE: usize = 4096;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Evidence {
    fitness: HashMap<DeviceKey, Fitness>,
    /// Devices whose channels were closed because they were unresponsive, with the length of their
    /// next rest. A device is removed when it answers a value.
    unresponsive: BTreeMap<String, Duration>,
}

impl Evidence {
    /// The fitness of a device, if there is any evidence about it.
    pub(crate) fn fitness_mut(&mut self, key: &DeviceKey) -> Option<&mut Fitness> {
        self.fitness.get_mut(key)
    }

    /// The fitness of a device, which is remembered from now on.
    pub(crate) fn fitness_or_new(&mut self, key: &DeviceKey) -> &mut Fitness {
        self.fitness.entry(key.clone()).or_default()
    }

    /// The judgement on a device.
    pub(crate) fn standing(&self, key: &DeviceKey) -> Standing {
        self.fitness.get(key).map_or(Standing::Untried, Fitness::standing)
    }

    /// Whether a device that stands back is lent nothing now: it rests, or its results do not count
    /// any more.
    pub(crate) fn rests(&self, key: &DeviceKey, now: Instant) -> bool {
        self.fitness.get(key).is_some_and(|fitness| fitness.rests(now) || fitness.is_untrusted())
    }

    /// How long a device that was unresponsive before is to rest first.
    pub(crate) fn rest_before(&self, device: &str) -> Option<Duration> {
        self.unresponsive.get(device).copied()
    }

    /// Forgets whether a device was unresponsive or unfit, because its page was loaded again. A
    /// device that is not trusted stays so.
    pub(crate) fn judge_anew(&mut self, key: &DeviceKey) {
        self.unresponsive.remove(&*key.device);
        if self.fitness.get(key).is_some_and(|fitness| !fitness.is_untrusted()) {
            self.fitness.remove(key);
        }
    }

    /// Notes that a device leaves, which is to rest for `rest` if it has been unresponsive;
    /// `unresponsive`: its channel was closed for that reason.
    pub(super) fn leave(&mut self, device: &str, unresponsive: bool, rest: Duration) {
        if unresponsive && self.unresponsive.len() < MOST_UNRESPONSIVE
            || self.unresponsive.contains_key(device)
        {
            self.unresponsive.insert(device.into(), rest);
        }
    }

    /// Whether any device is remembered as unresponsive.
    pub(super) fn has_unresponsive(&self) -> bool {
        !self.unresponsive.is_empty()
    }

    /// Notes that a device has computed a value: it is not unresponsive any more.
    pub(super) fn responds(&mut self, key: &DeviceKey) {
        self.unresponsive.remove(&*key.device);
    }

    /// Remembers the evidence about a device that leaves, if there is any; `here`: the number of
    /// connected devices; `is_back`: the device has another session. Returns the rest of a sentence
    /// for people.
    pub(super) fn remember(
        &mut self,
        key: &DeviceKey,
        here: usize,
        is_back: bool,
    ) -> Option<String> {
        let away = self.fitness.len().saturating_sub(here);
        let fitness = self.fitness.get_mut(key)?;
        let words = if is_back { None } else { fitness.take_last_words() };
        if !is_back && (fitness.is_blank() || away > MOST_AWAY) {
            self.fitness.remove(key);
        }
        words
    }
}
