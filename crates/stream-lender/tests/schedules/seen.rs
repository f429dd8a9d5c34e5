//! The events that schedules have reached.

use std::collections::BTreeMap;

/// The events that schedules have reached, with their counts. A schedule that never reaches an
/// event does not test it.
#[derive(Default, Debug)]
pub(crate) struct Seen(BTreeMap<&'static str, u64>);

/// All events that the schedules together must reach.
const ALL: [&str; 37] = [
    "another close of one closed",
    "another loan than the one held",
    "ask of one closed",
    "bytes full",
    "closed with values",
    "copied",
    "cut values",
    "end",
    "end before all was read",
    "failed",
    "failed a second time",
    "failed, lent to another",
    "failed by all, lent again",
    "full",
    "handed back",
    "handed back, lent to the same",
    "input failed",
    "input failed but was cut",
    "lent to somebody",
    "not held",
    "output after the consumer stopped",
    "output dropped",
    "output failed",
    "output long after newer ones",
    "output not in the order of the input",
    "paused with values",
    "pending",
    "read finished",
    "replaced",
    "result",
    "told done",
    "told to wait",
    "took up",
    "took up an earlier loan",
    "unknown sub-stream",
    "woken",
    "woken, did not ask",
];

impl Seen {
    pub(crate) fn add(&mut self, other: &Seen) {
        for (what, times) in &other.0 {
            *self.0.entry(what).or_default() += times;
        }
    }

    pub(crate) fn missing(&self) -> Vec<&'static str> {
        ALL.into_iter().filter(|what| !self.0.contains_key(what)).collect()
    }

    pub(crate) fn note(&mut self, what: &'static str) {
        debug_assert!(ALL.contains(&what), "{what}");
        *self.0.entry(what).or_default() += 1;
    }

    pub(crate) fn note_if(&mut self, condition: bool, what: &'static str) {
        if condition {
            self.note(what);
        }
    }
}
