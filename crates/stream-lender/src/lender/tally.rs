//! Sets of indexes with counts, so that two sets can be compared without a walk through their
//! members.

use std::collections::BTreeMap;

use crate::Index;

/// A node has 2⁴ children.
const BITS: u32 = 4;
/// The nodes of the highest level have no parent. Each spans 2²⁸ indexes, so a window seldom has
/// more than two of them.
const LEVELS: u32 = 8;

/// A set of indexes as a sparse tree of counts. A node at level `l` counts the members that agree
/// in all but their last `4·l` bits. Memory is proportional to the number of members; every step
/// is O(log n).
#[derive(Default)]
pub(crate) struct Tally {
    nodes: BTreeMap<(u32, Index), usize>,
    total: usize,
}

impl Tally {
    pub(crate) fn total(&self) -> usize {
        self.total
    }

    /// Adds an index that is not a member.
    pub(crate) fn add(&mut self, index: Index) {
        self.total += 1;
        for level in 0..LEVELS {
            *self.nodes.entry((level, index >> (level * BITS))).or_default() += 1;
        }
    }

    /// Removes an index that is a member.
    pub(crate) fn remove(&mut self, index: Index) {
        self.total -= 1;
        for level in 0..LEVELS {
            let node = (level, index >> (level * BITS));
            match self.nodes.get_mut(&node) {
                Some(count) if *count > 1 => *count -= 1,
                _ => drop(self.nodes.remove(&node)),
            }
        }
    }

    /// The least member of `self` that is not in `subset`, which must be a subset of `self`.
    pub(crate) fn first_outside(&self, subset: &Tally) -> Option<Index> {
        if self.total == subset.total {
            return None;
        }
        // The answer lies below the leftmost node with a count that differs from the subset's.
        let (mut found, mut children) = (0, 0..=Index::MAX);
        for level in (0..LEVELS).rev() {
            let nodes = (level, *children.start())..=(level, *children.end());
            let mut differing = self
                .nodes
                .range(nodes)
                .filter(|(node, count)| subset.nodes.get(node) != Some(count));
            found = differing.next()?.0.1;
            children = found << BITS..=(found << BITS | ((1 << BITS) - 1));
        }
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::Tally;

    #[test]
    fn the_first_member_outside_a_subset_is_found() {
        let (mut all, mut some) = (Tally::default(), Tally::default());
        for index in [3, 15, 16, 17, 300, 65_536, u64::MAX - 1] {
            all.add(index);
        }
        assert_eq!(all.first_outside(&some), Some(3));
        for (index, next) in
            [(3, Some(15)), (16, Some(15)), (15, Some(17)), (300, Some(17)), (17, Some(65_536))]
        {
            some.add(index);
            assert_eq!(all.first_outside(&some), next);
        }
        some.add(65_536);
        assert_eq!(all.first_outside(&some), Some(u64::MAX - 1));
        some.add(u64::MAX - 1);
        assert_eq!(all.first_outside(&some), None);
        some.remove(16);
        assert_eq!(all.first_outside(&some), Some(16));
    }
}
