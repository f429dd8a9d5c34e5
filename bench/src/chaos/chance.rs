//! Random choices.

use std::time::Duration;

/// A source of random choices. The same seed gives the same choices.
#[derive(Debug)]
pub(crate) struct Chance(pub(crate) fastrand::Rng);

impl Chance {
    pub(crate) fn of(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    /// An independent source of random choices.
    pub(crate) fn fork(&mut self) -> Self {
        Self(self.0.fork())
    }

    /// Tosses a coin that shows true with probability `share`.
    pub(crate) fn toss(&mut self, share: f64) -> bool {
        self.0.f64() < share
    }

    /// A number in `range`.
    pub(crate) fn of_range(&mut self, range: std::ops::Range<u64>) -> u64 {
        self.0.u64(range)
    }

    /// A number from `least` to `most`, uniform on a logarithmic scale.
    pub(crate) fn of_size(&mut self, least: f64, most: f64) -> f64 {
        (least.ln() + (most.ln() - least.ln()) * self.0.f64()).exp()
    }

    /// A duration from zero to `most`.
    pub(crate) fn time(&mut self, most: Duration) -> Duration {
        most.mul_f64(self.0.f64())
    }

    /// One element of `all`.
    pub(crate) fn one<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.0.usize(..all.len())].clone()
    }
}
