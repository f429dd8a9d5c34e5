//! The situations covered by the runs.

use std::collections::BTreeMap;

/// The number of occurrences of each situation. A test must reach a situation to test it.
#[derive(Default, Debug)]
pub(super) struct Seen(BTreeMap<&'static str, u64>);

/// All situations to be covered by the runs together.
const ALL: [&str; 67] = [
    "a lie is output, and told",
    "a result is wrong",
    "a share comes back",
    "a share is taken up",
    "alone",
    "answered an earlier loan of what it has",
    "answered in two ways",
    "at what nobody waits for",
    "broken",
    "careful",
    "complete",
    "confirmed",
    "copied",
    "cut link",
    "cut short",
    "device is unfit",
    "done",
    "failed at a gateway",
    "failed by all, lent again",
    "failed for good by all that are here",
    "failure that does not count",
    "final failure waits",
    "froze",
    "forgotten at a gateway",
    "from the journal",
    "input edited",
    "input failed",
    "interrupted",
    "item failed",
    "journal cut in the middle",
    "journal damaged",
    "joined a gateway",
    "late answer",
    "left",
    "lie",
    "lines of a chunk",
    "lost",
    "master died",
    "not confirmed",
    "parts",
    "output as results came",
    "passed on",
    "passed up",
    "paused",
    "reader left",
    "reader stopped",
    "recalled",
    "recalled from a gateway",
    "refused in a pause",
    "removed",
    "replaced",
    "resumed",
    "returned at once",
    "returned what was recalled",
    "sent away",
    "shaped lines",
    "stands back",
    "silent",
    "some failed",
    "stuck",
    "the owner decides",
    "told that it is replaced",
    "the journal is without the results of a liar",
    "too many failures",
    "took up",
    "tried again",
    "vanished with an item",
];

impl Seen {
    pub(super) fn add(&mut self, other: &Seen) {
        for (what, times) in &other.0 {
            *self.0.entry(what).or_default() += times;
        }
    }

    pub(super) fn missing(&self) -> Vec<&'static str> {
        ALL.into_iter().filter(|what| !self.0.contains_key(what)).collect()
    }

    pub(super) fn note(&mut self, what: &'static str) {
        debug_assert!(ALL.contains(&what), "{what}");
        *self.0.entry(what).or_default() += 1;
    }

    pub(super) fn note_if(&mut self, condition: bool, what: &'static str) {
        if condition {
            self.note(what);
        }
    }
}
