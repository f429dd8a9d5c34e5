//! What is known of the honesty of each device. Pure.
//!
//! With spot checks (`--verify P%`), a device is *new* until [`PROVEN_AFTER`] of its answers in a
//! row were confirmed by other devices. All values of a new device are checked. After that, each
//! value is checked with the probability P.

use crate::master::registry::DeviceKey;
use std::collections::{HashMap, VecDeque};
use stream_lender::Index;

/// The number of confirmed answers in a row after which a device is proven.
const PROVEN_AFTER: u32 = 10;
/// The most items of which the record of one device keeps the number, the newest ones.
const MOST_UNCHECKED: usize = 10_000;
/// How many answers other than those of this machine's own cores prove a device wrong, while no
/// two devices have ever agreed.
pub(super) const STRIKES: u32 = 3;

/// The records of all devices, and the chance of a check.
#[derive(Debug)]
pub(super) struct Records {
    records: HashMap<DeviceKey, Record>,
    chance: Chance,
}

/// The record of one device.
#[derive(Debug, Clone, Default)]
pub(crate) struct Record {
    /// Answers that other devices have confirmed.
    pub(crate) agreed: u64,
    /// Answers that other devices have refuted.
    pub(crate) disagreed: u64,
    /// Confirmed answers since the last refuted one.
    streak: u32,
    /// Whether the answers of the device do not count any more.
    pub(crate) is_caught: bool,
    /// Whether people know that the device has disagreed.
    is_told: bool,
    /// Items whose results count on the word of this device alone: the newest ones, and how many
    /// there were in total.
    unchecked: VecDeque<Index>,
    unchecked_in_total: u64,
}

/// Items whose results were output on the word of a device that is not trusted any more.
#[derive(Debug, Clone)]
pub(super) struct Doubt {
    pub(super) device: String,
    /// The newest of these items, in order: their indexes, later their numbers.
    pub(super) items: Vec<u64>,
    /// How many there are in total.
    pub(super) count: u64,
}

impl Records {
    /// No records; `seed` decides which values are checked.
    pub(super) fn new(seed: u64) -> Self {
        Self { records: HashMap::new(), chance: Chance(seed) }
    }

    /// The record of a device, if there is any.
    pub(super) fn find(&self, key: &DeviceKey) -> Option<&Record> {
        self.records.get(key)
    }

    pub(super) fn is_caught(&self, key: &DeviceKey) -> bool {
        self.find(key).is_some_and(|record| record.is_caught)
    }

    /// How many devices are not trusted any more.
    pub(super) fn caught(&self) -> usize {
        self.records.values().filter(|record| record.is_caught).count()
    }

    /// Draws whether the next value of a device is checked, if a proven device is checked at
    /// `percent` of its values. This machine's own cores need no check.
    pub(super) fn draw_check(&mut self, key: &DeviceKey, percent: f64) -> bool {
        let is_proven = self.find(key).is_some_and(|record| record.streak >= PROVEN_AFTER);
        !key.local && (!is_proven || self.chance.next() * 100.0 < percent)
    }

    /// Notes that other devices have confirmed an answer.
    pub(super) fn agreed(&mut self, key: &DeviceKey) {
        let record = self.records.entry(key.clone()).or_default();
        record.agreed += 1;
        record.streak = record.streak.saturating_add(1);
    }

    /// Notes that other devices have refuted an answer. Returns how many were refuted.
    pub(super) fn disagreed(&mut self, key: &DeviceKey) -> u64 {
        let record = self.records.entry(key.clone()).or_default();
        record.disagreed += 1;
        record.streak = 0;
        record.disagreed
    }

    /// Notes that people are told that the device has disagreed. Returns whether this is news.
    pub(super) fn tell(&mut self, key: &DeviceKey) -> bool {
        let record = self.records.entry(key.clone()).or_default();
        !std::mem::replace(&mut record.is_told, true)
    }

    /// Notes that `index` is output on the word of this device alone.
    pub(super) fn counts_unchecked(&mut self, key: &DeviceKey, index: Index) {
        let record = self.records.entry(key.clone()).or_default();
        record.unchecked_in_total += 1;
        record.unchecked.push_back(index);
        if record.unchecked.len() > MOST_UNCHECKED {
            record.unchecked.pop_front();
        }
    }

    /// Notes that the answers of a device do not count any more. Returns the items whose results
    /// were output on its word alone, if there are any.
    pub(super) fn catch(&mut self, key: &DeviceKey, name: &str) -> Option<Doubt> {
        let record = self.records.entry(key.clone()).or_default();
        record.is_caught = true;
        let count = std::mem::take(&mut record.unchecked_in_total);
        let items = std::mem::take(&mut record.unchecked).into();
        (count > 0).then(|| Doubt { device: name.to_owned(), items, count })
    }
}

/// Random numbers: SplitMix64.
#[derive(Debug)]
struct Chance(u64);

impl Chance {
    /// A number from 0 to below 1.
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(device: &str) -> DeviceKey {
        DeviceKey { device: device.into(), local: false }
    }

    #[test]
    fn new_devices_are_checked_always_and_proven_ones_at_the_given_share() {
        let mut records = Records::new(7);
        let ada = key("Ada");
        for _ in 0..PROVEN_AFTER {
            assert!(records.draw_check(&ada, 5.0));
            records.agreed(&ada);
        }
        let checked = (0..100_000).filter(|_| records.draw_check(&ada, 5.0)).count();
        assert!((4_700..5_300).contains(&checked), "{checked}");
        assert!(records.draw_check(&ada, 100.0));
        records.disagreed(&ada);
        assert!((0..100).all(|_| records.draw_check(&ada, 5.0)), "it is new again");
        let own = DeviceKey { device: "own".into(), local: true };
        assert!((0..100).all(|_| !records.draw_check(&own, 100.0)));
    }

    #[test]
    fn a_liar_that_is_caught_leaves_the_numbers_of_its_items() {
        let mut records = Records::new(7);
        let eve = key("Eve");
        (0..MOST_UNCHECKED as u64 + 5).for_each(|index| records.counts_unchecked(&eve, index));
        let doubt = records.catch(&eve, "Eve").expect("some are out");
        assert_eq!((doubt.items.len(), doubt.items[0]), (MOST_UNCHECKED, 5));
        assert_eq!(doubt.count, MOST_UNCHECKED as u64 + 5);
        assert!(records.is_caught(&eve) && records.catch(&eve, "Eve").is_none());
    }
}
