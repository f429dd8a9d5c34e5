//! Virtual time, in microseconds, and what happens in it.

use crate::protocol::Loan;
use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    sync::LazyLock,
    time::{Duration, Instant},
};

/// Microseconds in a millisecond.
pub(super) const MS: u64 = 1_000;
/// Microseconds in a second.
pub(super) const SECOND: u64 = 1_000_000;

/// The moment 0; the same for all runs, and far from the beginning of time.
static START: LazyLock<Instant> = LazyLock::new(|| Instant::now() + Duration::from_secs(1 << 20));

/// What happens at a moment. Devices, links and cores are named by their numbers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Event {
    /// A frame reaches the master.
    Up,
    /// A frame reaches a device, over this link.
    Down(usize),
    /// Some volunteer's end in the master has its time.
    Timer,
    /// The device opens a link.
    Join(usize),
    /// A call ends: device, core, its generation, and the loan that it is of.
    CallEnds(usize, usize, u32, Loan),
    /// A core gives its answers to its host.
    Flush(usize, usize, u32),
    /// A core has loaded the function.
    CoreReady(usize, usize, u32),
    /// Calls of the device may have taken too long.
    Overdue(usize),
    /// Calls of the device may have become long.
    LongCalls(usize),
    /// A heartbeat of the device on this link.
    Beat(usize, usize),
    /// The device goes on.
    Thaw(usize),
    /// The master looks for stragglers.
    Look,
    /// The master watches.
    Watch,
    /// The input has its next block.
    Read,
    /// Whoever reads the output takes more.
    Take,
    /// The command of `--confirm` ends, for this result.
    Confirmed(usize),
    /// Something goes wrong.
    Chaos,
    /// From here on nothing does.
    Calm,
}

/// The moment, and what is to come.
#[derive(Default)]
pub(super) struct Clock {
    now: u64,
    queue: BinaryHeap<Reverse<(u64, u64, Event)>>,
    count: u64,
}

impl Clock {
    pub(super) fn now(&self) -> u64 {
        self.now
    }

    pub(super) fn instant(&self) -> Instant {
        *START + Duration::from_micros(self.now)
    }

    /// An instant in microseconds, rounded up.
    pub(super) fn micros(instant: Instant) -> u64 {
        instant.saturating_duration_since(*START).as_nanos().div_ceil(1_000) as u64
    }

    /// `event` happens after `micros`; of several in one moment the first that was scheduled comes first.
    pub(super) fn after(&mut self, micros: u64, event: Event) {
        self.count += 1;
        self.queue.push(Reverse((self.now + micros, self.count, event)));
    }

    /// Jumps to the next event.
    pub(super) fn next(&mut self) -> Option<Event> {
        let Reverse((at, _, event)) = self.queue.pop()?;
        self.now = at;
        Some(event)
    }
}
