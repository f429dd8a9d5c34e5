//! Virtual time in microseconds, and the events in it.

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

/// The instant of virtual time 0: the same for all runs, and far enough from the origin of
/// `Instant`.
static START: LazyLock<Instant> = LazyLock::new(|| Instant::now() + Duration::from_secs(1 << 20));

/// An event. Devices, links and cores are given by their numbers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Event {
    /// A frame reaches the master.
    Up,
    /// A frame reaches a device over this link.
    Down(usize),
    /// The timer of some session in the master goes off.
    Timer,
    /// The device opens a link.
    Join(usize),
    /// A call ends: device, core, generation of the core, loan.
    CallEnds(usize, usize, u32, Loan),
    /// A core passes its answers to the host: device, core, generation of the core.
    Flush(usize, usize, u32),
    /// A core has loaded the function: device, core, generation of the core.
    CoreReady(usize, usize, u32),
    /// The host of the device looks at the clock.
    Wake(usize),
    /// A heartbeat of the device on this link.
    Beat(usize, usize),
    /// The frozen device goes on.
    Thaw(usize),
    /// The master looks for stragglers.
    Look,
    /// The master watches over the run.
    Watch,
    /// The next block of the input is available.
    Read,
    /// The reader of the output takes more.
    Take,
    /// The command of `--confirm` ends, for this result.
    Confirmed(usize),
    /// A fault happens.
    Chaos,
    /// From now on, no faults happen.
    Calm,
}

/// The current time, and the future events.
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

    /// Converts an instant to microseconds, rounded up.
    pub(super) fn micros(instant: Instant) -> u64 {
        instant.saturating_duration_since(*START).as_nanos().div_ceil(1_000) as u64
    }

    /// Schedules `event` in `micros`. Events at the same time happen in the order of scheduling.
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
