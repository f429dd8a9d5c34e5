//! How long the oldest value without a result has been the oldest. Pure: time is an argument.

use std::time::{Duration, Instant};
use stream_lender::Index;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Oldest {
    seen: Option<(Index, Instant)>,
}

impl Oldest {
    /// Looks at the oldest value; called once a second.
    pub(crate) fn look(&mut self, oldest: Option<Index>, now: Instant) {
        let is_same = self.seen.map(|(index, _)| index) == oldest;
        if !is_same {
            self.seen = oldest.map(|index| (index, now));
        }
    }

    /// For how long `index` has been the oldest value, as far as the looks have shown.
    pub(crate) fn age(&self, index: Index, now: Instant) -> Duration {
        let seen = self.seen.filter(|(seen, _)| *seen == index);
        seen.map_or(Duration::ZERO, |(_, since)| now.saturating_duration_since(since))
    }
}

#[cfg(test)]
mod tests {
    use super::Oldest;
    use std::time::{Duration, Instant};

    #[test]
    fn the_age_of_the_oldest_value_begins_when_it_becomes_the_oldest() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut oldest = Oldest::default();
        oldest.look(Some(4), after(0));
        oldest.look(Some(4), after(5));
        assert_eq!(oldest.age(4, after(7)), Duration::from_secs(7));
        assert_eq!(oldest.age(5, after(7)), Duration::ZERO, "it has not been seen");
        oldest.look(Some(5), after(8));
        assert_eq!(oldest.age(5, after(9)), Duration::from_secs(1));
        oldest.look(None, after(10));
        assert_eq!(oldest.age(5, after(11)), Duration::ZERO);
    }
}
