//! Edits of the input between two masters with one journal.

use super::{chance::Chance, job::ValueFormat, values::values};

/// The values after some edits: inserted, removed, replaced, moved and repeated ones.
pub(super) fn edited(chance: &mut Chance, framing: ValueFormat, before: &[String]) -> Vec<String> {
    let mut after = before.to_vec();
    for _ in 0..chance.of_range(1..8) {
        let count = after.len();
        let new = || values(&mut Chance::of(count as u64 + 7919), framing, 1, 0).remove(0);
        if count == 0 {
            after.push(new());
            continue;
        }
        let (one, other) = (chance.0.usize(..count), chance.0.usize(..count));
        match chance.of_range(0..8) {
            0 => after.insert(one, new()),
            1 => after[one] = new(),
            2 => drop(after.remove(one)),
            3 => drop(after.drain(one.min(other)..one.max(other))),
            4 => after.swap(one, other),
            5 => after.rotate_left(one),
            6 => after.insert(one, after[other].clone()),
            _ => after.extend_from_slice(&before[..chance.0.usize(..=before.len().min(20))]),
        }
    }
    after
}
