//! Tells in little memory which values surely have no result in a journal: a Bloom filter.

use super::Digest;

/// Bits for each result, and bits that each result sets: one of a million other values is taken for
/// a value with a result.
const BITS: u64 = 32;
const SET: u64 = 10;
/// The most bytes of a filter. A journal with more results than fit has a filter that errs more
/// often.
const LONGEST: u64 = 16 << 20;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Filter {
    words: Vec<u64>,
}

impl Filter {
    /// A filter for about `results` results.
    pub(super) fn for_about(results: u64) -> Self {
        let words = (results.saturating_mul(BITS) / 64).clamp(16, LONGEST / 8);
        Self { words: vec![0; words as usize] }
    }

    /// Notes a value with a result.
    pub(super) fn add(&mut self, value: &Digest) {
        for bit in bits(value, self.words.len()) {
            self.words[(bit / 64) as usize] |= 1 << (bit % 64);
        }
    }

    /// Whether the value may have a result. A value with a result always may.
    pub(super) fn may_have(&self, value: &Digest) -> bool {
        !self.words.is_empty()
            && bits(value, self.words.len())
                .all(|bit| self.words[(bit / 64) as usize] & 1 << (bit % 64) != 0)
    }
}

fn bits(value: &Digest, words: usize) -> impl Iterator<Item = u64> {
    let number = u128::from_le_bytes(*value);
    let (first, step) = (number as u64, (number >> 64) as u64 | 1);
    let all = words as u64 * 64;
    (0..SET).map(move |turn| first.wrapping_add(step.wrapping_mul(turn)) % all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::digest;

    #[test]
    fn values_with_results_are_always_known_and_others_hardly_ever() {
        let value = |number: u64| digest(&number.to_le_bytes());
        let mut filter = Filter::for_about(10_000);
        (0..10_000).for_each(|number| filter.add(&value(number)));
        assert!((0..10_000).all(|number| filter.may_have(&value(number))));
        let wrong = (10_000..110_000).filter(|number| filter.may_have(&value(*number))).count();
        assert!(wrong < 10, "{wrong}");
        assert!(!Filter::default().may_have(&value(1)));
    }
}
