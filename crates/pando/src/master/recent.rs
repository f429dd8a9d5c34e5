//! The newest of many entries, for people who look at a run.

use std::collections::VecDeque;

/// The newest entries. Each has a number, counted from 1 for the first entry of the run.
#[derive(Debug)]
pub(super) struct Recent<T> {
    newest: VecDeque<T>,
    most: usize,
    /// The number of all entries.
    count: u64,
}

impl<T> Recent<T> {
    /// No entry yet; at most `most` entries are kept.
    pub(super) fn new(most: usize) -> Self {
        Self { newest: VecDeque::new(), most, count: 0 }
    }

    /// Adds an entry, in place of the oldest one if there are too many.
    pub(super) fn push(&mut self, entry: T) {
        if self.newest.len() == self.most {
            self.newest.pop_front();
        }
        self.newest.push_back(entry);
        self.count += 1;
    }

    /// The entries that are kept, the oldest first, each with its number.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &T)> {
        (self.count - self.newest.len() as u64 + 1..).zip(&self.newest)
    }
}

/// The first `most` characters of `text`.
pub(super) fn start_of(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::Recent;

    #[test]
    fn the_newest_entries_are_kept_with_their_numbers() {
        let mut recent = Recent::new(2);
        assert_eq!(recent.iter().next(), None);
        ["a", "b", "c"].into_iter().for_each(|entry| recent.push(entry));
        assert_eq!(recent.iter().collect::<Vec<_>>(), [(2, &"b"), (3, &"c")]);
    }
}
