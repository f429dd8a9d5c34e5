//! A random input.

use stream_lender::Pull;

use crate::{
    model::{Broken, Thing},
    random::Random,
};

/// The input: the number of values left, its end, and how often a pull returns `Pending`.
pub(crate) struct Source {
    pub(crate) random: Random,
    pub(crate) left: u64,
    pub(crate) error: Option<Broken>,
    pub(crate) pending_percent: u64,
}

impl Source {
    pub(crate) fn pull(&mut self) -> Pull<Thing, Broken> {
        if self.random.chance(self.pending_percent) {
            return Pull::Pending;
        }
        if self.left == 0 {
            return self.error.map_or(Pull::End, Pull::Failed);
        }
        self.left -= 1;
        Pull::Value(thing(&mut self.random))
    }
}

/// A random value or result.
pub(crate) fn thing(random: &mut Random) -> Thing {
    Thing { number: random.next(), bytes: random.below(40) }
}
