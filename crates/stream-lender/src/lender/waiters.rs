//! The sub-streams that asked and were told to wait.

use std::collections::BTreeMap;

use crate::SubStreamId;

/// The waiting sub-streams, each once, in the order in which they began to wait.
#[derive(Default)]
pub(super) struct Waiters {
    queue: BTreeMap<u64, SubStreamId>,
    tickets: u64,
    /// The first ticket that [`pop_where`](Self::pop_where) has still to check, since the last
    /// return of a value that not all waiting sub-streams may take.
    unseen: Option<u64>,
}

impl Waiters {
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Appends a sub-stream that does not wait yet.
    pub(super) fn push(&mut self, sub: SubStreamId) -> u64 {
        let ticket = self.tickets;
        self.tickets += 1;
        self.queue.insert(ticket, sub);
        ticket
    }

    pub(super) fn remove(&mut self, ticket: u64) {
        self.queue.remove(&ticket);
    }

    pub(super) fn pop(&mut self) -> Option<SubStreamId> {
        self.queue.pop_first().map(|(_, sub)| sub)
    }

    /// Says that a value has come back for only some of the sub-streams.
    pub(super) fn look_again(&mut self) {
        self.unseen = Some(0);
    }

    /// Takes out the first waiting sub-stream for which `may_take` holds, among those not yet
    /// checked since the last [`look_again`](Self::look_again).
    pub(super) fn pop_where(
        &mut self,
        mut may_take: impl FnMut(SubStreamId) -> bool,
    ) -> Option<SubStreamId> {
        let found = self
            .queue
            .range(self.unseen?..)
            .find(|(_, sub)| may_take(**sub))
            .map(|(ticket, _)| *ticket);
        self.unseen = found;
        self.queue.remove(&found?)
    }
}

#[cfg(test)]
mod tests {
    use super::Waiters;
    use crate::sub_streams::SubStreams;

    #[test]
    fn those_that_may_not_take_a_value_are_looked_at_once() {
        let (mut waiters, mut sub_streams) = (Waiters::default(), SubStreams::default());
        let subs: Vec<_> = (0..5).map(|_| sub_streams.open()).collect();
        for sub in &subs {
            waiters.push(*sub);
        }
        let mut looked_at = Vec::new();
        let mut pop = |waiters: &mut Waiters| {
            waiters.pop_where(|sub| {
                looked_at.push(sub);
                sub == subs[2]
            })
        };
        assert_eq!(pop(&mut waiters), None, "nothing has come back");
        waiters.look_again();
        assert_eq!(pop(&mut waiters), Some(subs[2]));
        assert_eq!(pop(&mut waiters), None);
        assert_eq!(pop(&mut waiters), None);
        assert_eq!(looked_at, subs);
    }
}
