//! What is known of the honesty of each device. Pure.
//!
//! With spot checks (`--verify P%`), a device is *new* until [`PROVEN_AFTER`] of its answers in a
//! row were confirmed by other devices. All values of a new device are checked. After that, each
//! value is checked with the probability P.

use crate::{journal::DeviceMark, master::registry::DeviceKey};
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
    records: HashMap<DeviceKey, DeviceRecord>,
    chance: Chance,
    seed: u64,
}

/// The record of one device.
#[derive(Debug, Clone, Default)]
pub(crate) struct DeviceRecord {
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
    /// values all of them had.
    unchecked: VecDeque<Index>,
    unchecked_in_total: u64,
}

/// Items whose results were output on the word of a device that is not trusted any more.
#[derive(Debug, Clone)]
pub(super) struct Doubt {
    pub(super) device: String,
    /// The numbers of the newest of these items, in order: the first and the last one of each
    /// range. An item with several values has their numbers.
    pub(super) items: Vec<(u64, u64)>,
    /// How many results there are in total.
    pub(super) count: u64,
}

impl Records {
    /// No records; `seed` decides which values are checked.
    pub(super) fn new(seed: u64) -> Self {
        Self { records: HashMap::new(), chance: Chance(seed), seed }
    }

    /// The record of a device, if there is any.
    pub(super) fn find(&self, key: &DeviceKey) -> Option<&DeviceRecord> {
        self.records.get(key)
    }

    pub(super) fn is_caught(&self, key: &DeviceKey) -> bool {
        self.find(key).is_some_and(|record| record.is_caught)
    }

    /// The mark of a device in the journal. In another run, the same device has another one.
    pub(super) fn mark(&self, key: &DeviceKey) -> DeviceMark {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.seed.to_le_bytes()).update(&[key.local.into()]);
        let hash = hasher.update(key.device.as_bytes()).finalize();
        u64::from_le_bytes(*hash.as_bytes().first_chunk().expect("it has 32 bytes"))
    }

    /// How many devices are not trusted any more.
    pub(super) fn caught(&self) -> usize {
        self.records.values().filter(|record| record.is_caught).count()
    }

    /// Draws whether the next value of a device is checked, if a proven device is checked at
    /// `percent` of its values. This machine's own cores need no check.
    pub(super) fn draw_check(&mut self, key: &DeviceKey, percent: f64) -> bool {
        !key.local && (!self.is_proven(key) || self.chance.next() * 100.0 < percent)
    }

    /// Whether most values of a device need no check.
    pub(super) fn is_proven(&self, key: &DeviceKey) -> bool {
        self.find(key).is_some_and(|record| record.streak >= PROVEN_AFTER)
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

    /// Notes that `index`, an item of so many `values`, is output on the word of this device alone.
    pub(super) fn counts_unchecked(&mut self, key: &DeviceKey, index: Index, values: u64) {
        let record = self.records.entry(key.clone()).or_default();
        record.unchecked_in_total += values;
        record.unchecked.push_back(index);
        if record.unchecked.len() > MOST_UNCHECKED {
            record.unchecked.pop_front();
        }
    }

    /// Notes that the answers of a device do not count any more. Returns the items whose results
    /// were output on its word alone, if there are any. `numbers` gives the numbers of an item: the
    /// first and the last one.
    pub(super) fn catch(
        &mut self,
        key: &DeviceKey,
        name: &str,
        numbers: impl Fn(Index) -> (u64, u64),
    ) -> Option<Doubt> {
        let record = self.records.entry(key.clone()).or_default();
        record.is_caught = true;
        let count = std::mem::take(&mut record.unchecked_in_total);
        let items = std::mem::take(&mut record.unchecked).into_iter().map(numbers).collect();
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
        let all = 0..MOST_UNCHECKED as u64 + 5;
        all.for_each(|index| records.counts_unchecked(&eve, index, 2));
        let numbers = |index| (index * 2 + 1, index * 2 + 2);
        let doubt = records.catch(&eve, "Eve", numbers).expect("some are out");
        assert_eq!((doubt.items.len(), doubt.items[0]), (MOST_UNCHECKED, (11, 12)));
        assert_eq!(doubt.count, 2 * (MOST_UNCHECKED as u64 + 5));
        assert!(records.is_caught(&eve) && records.catch(&eve, "Eve", numbers).is_none());
    }

    /// The table of `docs/trust.md`. Run it with `--nocapture` to see the figures.
    #[test]
    fn a_proven_liar_is_caught_as_often_as_the_documents_say() {
        const LIARS: u32 = 20_000;
        println!("| P | lies that pass | caught within 10 lies | within 20 | 50 | 100 |");
        for percent in [1.0, 5.0, 10.0, 20.0, 50.0] {
            let mut records = Records::new(7);
            let passed: Vec<u32> = (0..LIARS)
                .map(|number| {
                    let eve = key(&format!("Eve {number}"));
                    let mut checks = 0;
                    while records.find(&eve).is_none_or(|record| record.streak < PROVEN_AFTER) {
                        assert!(
                            records.draw_check(&eve, percent),
                            "a new device is checked always"
                        );
                        records.agreed(&eve);
                        checks += 1;
                    }
                    assert_eq!(checks, 10, "checks of a new device");
                    let lies = (0..).take_while(|_: &u32| !records.draw_check(&eve, percent));
                    lies.count() as u32
                })
                .collect();
            let mean = passed.iter().map(|lies| f64::from(*lies)).sum::<f64>() / f64::from(LIARS);
            let caught = [10, 20, 50, 100].map(|most: i32| {
                let within = passed.iter().filter(|lies| **lies < most as u32).count();
                (within as f64 / f64::from(LIARS), 1.0 - (1.0 - percent / 100.0).powi(most))
            });
            let figures = caught.map(|(seen, _)| format!("{:.1} %", seen * 100.0)).join(" | ");
            println!("| {percent} % | {mean:.1} | {figures} |");
            let expected = (100.0 - percent) / percent;
            assert!(
                (mean - expected).abs() < 0.05 * expected + 0.05,
                "{mean} lies pass at {percent} %"
            );
            for (seen, expected) in caught {
                assert!(
                    (seen - expected).abs() < 0.02,
                    "{seen}, and not {expected}, at {percent} %"
                );
            }
        }
    }
}
