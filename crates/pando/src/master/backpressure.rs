//! Back-pressure on results. When too many bytes of results wait in the master, for an earlier
//! result or for the reader of the output, further results stay with the devices: most channels
//! are not read for a while.
//!
//! If the output waits for the oldest value, the channel of its device is still read, because all
//! other results wait for this value. If no device has the oldest value, all channels are read, so
//! that a device with room can take the value.

use super::{Core, Master};
use std::{
    collections::BTreeSet,
    mem,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};
use stream_lender::{Index, SubStreamId};

/// The bytes of results, whole or in parts, at which back-pressure begins: as many as the window
/// has.
const MOST_BYTES: u64 = 256 << 20;

/// The least bytes of a result in parts which a device must send in each [`FLOW`], or in three
/// heartbeats if longer.
const LEAST_FLOW: u64 = 16 << 10;
const FLOW: Duration = Duration::from_secs(10);

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct ResultBackPressure {
    /// Sessions whose channels are not read.
    subs: BTreeSet<SubStreamId>,
    /// The state at the last check for sessions to release.
    seen: Seen,
    /// Bytes of results of which some parts are missing.
    parts: u64,
    /// Bytes of results that wait for confirmation.
    pub(super) unconfirmed: u64,
}

/// Whether back-pressure applies, and if so: whether output waits for its reader, and the oldest
/// value without a result with its holder.
type Seen = (bool, bool, Option<(Index, Option<SubStreamId>)>);

impl Master {
    /// Whether the channel of `sub` may be read now. If not, the session is woken when this
    /// changes.
    pub(crate) fn reads(&self, sub: SubStreamId) -> bool {
        if !self.holds_back.load(Ordering::Relaxed) {
            return true;
        }
        let mut core = self.lock();
        let reads = core.reads(sub);
        if !reads {
            core.held_back.subs.insert(sub);
        }
        reads
    }

    /// Wakes the sessions whose channels may be read again.
    pub(super) fn let_go(&self, core: &mut Core) {
        let now = match core.holds_back() {
            true => (true, core.lender.has_output(), core.lender.oldest()),
            false => Seen::default(),
        };
        if mem::replace(&mut core.held_back.seen, now) == now {
            return;
        }
        self.holds_back.store(now.0, Ordering::Relaxed);
        if core.held_back.subs.is_empty() {
            return;
        }
        let (free, held) =
            mem::take(&mut core.held_back.subs).into_iter().partition(|sub| core.reads(*sub));
        core.held_back.subs = held;
        let free: BTreeSet<_> = free;
        free.iter().filter_map(|sub| core.seats.get(sub)).for_each(|seat| seat.wake.notify_one());
    }
}

impl ResultBackPressure {
    /// Whether the channel of `sub` is not read at present.
    pub(super) fn has(&self, sub: SubStreamId) -> bool {
        self.subs.contains(&sub)
    }
}

impl Core {
    /// Whether back-pressure applies.
    pub(super) fn holds_back(&self) -> bool {
        let said = self.sync.as_ref().map_or(0, |sync| sync.bytes());
        self.lender.result_bytes() + said + self.held_back.unconfirmed + self.held_back.parts
            >= MOST_BYTES
    }

    fn reads(&self, sub: SubStreamId) -> bool {
        !self.holds_back()
            || !self.lender.has_output()
                && self.lender.oldest().is_some_and(|(index, holder)| {
                    holder.is_none_or(|holder| holder == sub)
                        || self.seats.get(&sub).is_some_and(|seat| {
                            seat.copies_in_flight.keys().any(|loan| loan.index == index)
                        })
                })
    }

    /// Notes that `bytes` bytes of an incomplete result of `sub` have arrived.
    pub(crate) fn has_parts(&mut self, sub: SubStreamId, bytes: u64) {
        if let Some(seat) = self.seats.get_mut(&sub) {
            self.held_back.parts -= mem::replace(&mut seat.parts, bytes);
            if bytes == 0 {
                seat.flow = None;
            }
            self.held_back.parts += bytes;
        }
    }

    /// Whether `sub` may have a result to send.
    pub(crate) fn owes(&self, sub: SubStreamId) -> bool {
        self.lender.held(sub) > 0
            || self.seats.get(&sub).is_some_and(|seat| !seat.copies_in_flight.is_empty())
    }

    /// Notes that `bytes` bytes of a result of `sub` have arrived. Returns whether to keep them,
    /// because a result may be expected.
    pub(crate) fn keeps_parts(&mut self, sub: SubStreamId, bytes: u64) -> bool {
        let owes = self.owes(sub);
        self.has_parts(sub, if owes { bytes } else { 0 });
        owes
    }

    /// Checks the results arriving in parts: unexpected results are dropped, and a device loses
    /// its channel if no further parts arrive.
    pub(super) fn look_at_parts(&mut self, silence_limit: Duration, now: Instant) {
        let sending: Vec<_> =
            self.seats.iter().filter(|(_, seat)| seat.parts > 0).map(|(sub, _)| *sub).collect();
        for sub in sending {
            let (owes, is_read) = (self.owes(sub), !self.held_back.has(sub));
            let Some(seat) = self.seats.get_mut(&sub) else { continue };
            if !owes {
                // The attendant drops the parts.
                seat.wake.notify_one();
                continue;
            }
            let (since, parts) = seat.flow.unwrap_or((now, 0));
            if !is_read
                || seat.flow.is_none()
                || seat.parts < parts
                || seat.parts >= parts + LEAST_FLOW
            {
                seat.flow = Some((now, seat.parts));
            } else if now.saturating_duration_since(since) >= silence_limit.max(FLOW) {
                seat.give_up();
            }
        }
    }

    /// Forgets the parts of `sub`, which leaves.
    pub(crate) fn forget_parts(&mut self, sub: SubStreamId) {
        self.has_parts(sub, 0);
        self.held_back.subs.remove(&sub);
    }
}
