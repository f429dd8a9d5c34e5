//! The times of calls: their mean and their deviation. Pure.

/// Sums over the times of calls with results. The sums are whole numbers, so nothing is lost by
/// rounding.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct CallTimes {
    count: u64,
    micros: u64,
    /// The sum of the squares of the times, in square microseconds.
    squares: u128,
}

impl CallTimes {
    /// Adds a call of `micros` microseconds.
    pub(crate) fn add(&mut self, micros: u64) {
        self.count += 1;
        self.micros = self.micros.saturating_add(micros);
        self.squares = self.squares.saturating_add(u128::from(micros) * u128::from(micros));
    }

    /// Adds the calls of `other`.
    pub(crate) fn add_all(&mut self, other: &Self) {
        self.count += other.count;
        self.micros = self.micros.saturating_add(other.micros);
        self.squares = self.squares.saturating_add(other.squares);
    }

    /// The number of calls.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// The time of all calls, in microseconds.
    pub(crate) fn micros(&self) -> u64 {
        self.micros
    }

    /// The mean time of a call in seconds, if there was a call.
    pub(crate) fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.micros as f64 / self.count as f64 / 1e6)
    }

    /// The standard deviation of the times in seconds, if there was a call.
    pub(crate) fn deviation(&self) -> Option<f64> {
        let mean = self.mean()?;
        let variance = self.squares as f64 / self.count as f64 / 1e12 - mean * mean;
        Some(variance.max(0.0).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::CallTimes;

    #[test]
    fn mean_and_deviation_are_those_of_all_calls() {
        let mut all = CallTimes::default();
        assert_eq!((all.mean(), all.deviation()), (None, None));
        let mut others = CallTimes::default();
        [2, 4, 4, 4].iter().for_each(|seconds| all.add(seconds * 1_000_000));
        [5, 5, 7, 9].iter().for_each(|seconds| others.add(seconds * 1_000_000));
        all.add_all(&others);
        assert_eq!((all.count(), all.mean(), all.deviation()), (8, Some(5.0), Some(2.0)));
        all.add(u64::MAX);
        assert!(all.deviation().is_some_and(f64::is_finite));
    }
}
