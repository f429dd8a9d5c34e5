//! The book of failed attempts: how often each item failed, on which devices, and with whom it
//! vanished.

use crate::master::registry::DeviceKey;
use std::{collections::HashMap, mem};
use stream_lender::Index;

/// The number of vanished devices after which a value is lent alone.
pub(super) const SUSPICIOUS: usize = 5;

/// About how many values a gateway remembers which are not lent to it any more.
const KEPT: usize = 1000;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Failures {
    tries: HashMap<Index, Tries>,
    /// For each value, the devices which vanished with the value and have not come back; a device
    /// may occur several times.
    vanished: HashMap<Index, Vec<String>>,
}

/// The attempts at a value without a result.
#[derive(Debug, Default)]
struct Tries {
    /// Failed attempts.
    attempts: u32,
    /// Failures which do not count unless every other device fails the value, too.
    excused: u32,
    /// All failures, whether they count or not.
    failures: u32,
    /// The devices that failed the value.
    failed_by: Vec<DeviceKey>,
    /// The devices whose failures may be their own fault, one entry per failure. A failure of a
    /// proven device clears the earlier entries.
    doubted: Vec<DeviceKey>,
}

impl Failures {
    /// Whether nothing is remembered of any value.
    pub(super) fn is_clear(&self) -> bool {
        self.vanished.is_empty() && self.tries.is_empty()
    }

    /// Forgets the attempts at `index`, after its result or final failure. Returns the devices
    /// whose failures may have been their own fault, one entry per failure.
    pub(super) fn forget(&mut self, index: Index) -> Vec<DeviceKey> {
        if !self.vanished.is_empty() {
            self.vanished.remove(&index);
        }
        if self.tries.is_empty() {
            return Vec::new();
        }
        self.tries.remove(&index).map(|tries| tries.doubted).unwrap_or_default()
    }

    /// Forgets old values, as a gateway does, which does not hear what becomes of them elsewhere.
    pub(super) fn keep_newest(&mut self) {
        fn trim<T>(book: &mut HashMap<Index, T>) {
            if book.len() > 2 * KEPT {
                let mut indexes: Vec<Index> = book.keys().copied().collect();
                let (_, oldest, _) = indexes.select_nth_unstable(KEPT);
                let oldest = *oldest;
                book.retain(|index, _| *index >= oldest);
            }
        }
        trim(&mut self.tries);
        trim(&mut self.vanished);
    }

    /// Notes that the device `key` failed `index`. If the device is `proven`, returns the devices
    /// whose earlier failures were the item's fault.
    pub(super) fn doubt(&mut self, index: Index, key: &DeviceKey, proven: bool) -> Vec<DeviceKey> {
        let tries = self.tries.entry(index).or_default();
        if !tries.failed_by.contains(key) {
            tries.failed_by.push(key.clone());
        }
        let lifted = if proven { mem::take(&mut tries.doubted) } else { Vec::new() };
        tries.doubted.push(key.clone());
        lifted
    }

    /// Whether the device `key` has failed `index`.
    pub(super) fn has_failed(&self, index: Index, key: &DeviceKey) -> bool {
        self.tries.get(&index).is_some_and(|tries| tries.failed_by.contains(key))
    }

    /// Whether this machine's own cores have failed `index`.
    pub(super) fn has_failed_here(&self, index: Index) -> bool {
        self.tries.get(&index).is_some_and(|tries| tries.failed_by.iter().any(|key| key.local))
    }

    /// Counts one more failed attempt at `index`; with `all`, also the failures excused so far.
    /// Returns the number of failed attempts.
    pub(super) fn count_attempt(&mut self, index: Index, all: bool) -> u32 {
        let tries = self.tries.entry(index).or_default();
        tries.attempts += 1;
        if all {
            tries.attempts += mem::take(&mut tries.excused);
        }
        tries.attempts
    }

    /// Counts a failure of `index`, whether it is an attempt or not. Returns the number of
    /// failures.
    pub(super) fn count_failure(&mut self, index: Index) -> u32 {
        let tries = self.tries.entry(index).or_default();
        tries.failures += 1;
        tries.failures
    }

    /// Notes a failure of `index` which does not count for now.
    pub(super) fn excuse(&mut self, index: Index) {
        self.tries.entry(index).or_default().excused += 1;
    }

    /// The number of failed attempts at `index`.
    pub(super) fn attempts(&self, index: Index) -> u32 {
        self.tries.get(&index).map_or(0, |tries| tries.attempts)
    }

    /// Notes that `device` vanished with `index`. Returns with how many devices the value has
    /// vanished.
    pub(super) fn vanished(&mut self, index: Index, device: &str) -> usize {
        let devices = self.vanished.entry(index).or_default();
        devices.push(device.into());
        devices.len()
    }

    /// Notes that `device` came back with `index`: only its link had vanished. A value already
    /// lent alone stays so.
    pub(super) fn came_back(&mut self, index: Index, device: &str) {
        if let Some(devices) =
            self.vanished.get_mut(&index).filter(|devices| devices.len() < SUSPICIOUS)
        {
            if let Some(at) = devices.iter().position(|vanished| vanished == device) {
                devices.remove(at);
            }
            if devices.is_empty() {
                self.vanished.remove(&index);
            }
        }
    }

    /// Whether `index` is lent alone, because it may make devices vanish.
    pub(super) fn goes_alone(&self, index: Index) -> bool {
        !self.vanished.is_empty()
            && self.vanished.get(&index).is_some_and(|devices| devices.len() >= SUSPICIOUS)
    }

    /// The values with entries in this book.
    #[cfg(test)]
    pub(super) fn indexes(&self) -> impl Iterator<Item = Index> {
        self.tries.keys().chain(self.vanished.keys()).copied()
    }
}
