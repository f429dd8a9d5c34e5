//! Back-pressure on results. When too many bytes of them are here, waiting for an earlier one or for who reads the output, the rest stays
//! with the devices that computed it: their channels are not read for a while.
//!
//! Who has the oldest value without a result is read all the same, once the output waits for that: so do all the others. And everyone is
//! while nobody has it: with what is read somebody finds room for it.

use super::{Core, Master};
use std::{
    collections::BTreeSet,
    mem,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};
use stream_lender::{Index, SubStreamId};

/// Bytes of results, whole or in parts, from which on no more are read. As many as the window has.
const MOST_BYTES: u64 = 256 << 20;

/// Who sends the parts of a result has sent so many bytes more after [`FLOW`], or three heartbeats if that is longer.
const LEAST_FLOW: u64 = 16 << 10;
const FLOW: Duration = Duration::from_secs(10);

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct HeldBack {
    /// Whose channels are not read.
    subs: BTreeSet<SubStreamId>,
    /// When it was last looked who may be read again, this was so.
    seen: Seen,
    /// Bytes of results of which not all parts are here.
    parts: u64,
    /// Bytes of results that are not confirmed.
    pub(super) unconfirmed: u64,
}

/// Whether results stay with the devices, and else nothing; whether it is for who reads the output to go on; the oldest value without a
/// result, and who has it.
type Seen = (bool, bool, Option<(Index, Option<SubStreamId>)>);

impl Master {
    /// Whether the channel of `sub` may be read now; if not, it is woken when that has changed.
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

    /// Wakes those that may be read again.
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
        let (free, held) = mem::take(&mut core.held_back.subs).into_iter().partition(|sub| core.reads(*sub));
        core.held_back.subs = held;
        let free: BTreeSet<_> = free;
        free.iter().filter_map(|sub| core.seats.get(sub)).for_each(|seat| seat.wake.notify_one());
    }
}

impl HeldBack {
    /// Whether the channel of `sub` is not read: what it says is not known.
    pub(super) fn has(&self, sub: SubStreamId) -> bool {
        self.subs.contains(&sub)
    }
}

impl Core {
    /// Whether results stay with the devices.
    pub(super) fn holds_back(&self) -> bool {
        let said = self.sync.as_ref().map_or(0, |sync| sync.bytes());
        self.lender.result_bytes() + said + self.held_back.unconfirmed + self.held_back.parts >= MOST_BYTES
    }

    fn reads(&self, sub: SubStreamId) -> bool {
        !self.holds_back()
            || !self.lender.has_output()
                && self.lender.oldest().is_some_and(|(index, holder)| {
                    holder.is_none_or(|holder| holder == sub)
                        || self.seats.get(&sub).is_some_and(|seat| seat.strays.keys().any(|loan| loan.index == index))
                })
    }

    /// So many bytes of a result of `sub` are here, and it is not whole.
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
        self.lender.held(sub) > 0 || self.seats.get(&sub).is_some_and(|seat| !seat.strays.is_empty())
    }

    /// So many bytes of a result of `sub` are here: whether they are kept, because somebody may wait for it.
    pub(crate) fn keeps_parts(&mut self, sub: SubStreamId, bytes: u64) -> bool {
        let owes = self.owes(sub);
        self.has_parts(sub, if owes { bytes } else { 0 });
        owes
    }

    /// Results that nobody waits for any more take no room from others; and who has begun to send one, and is read, goes on sending it.
    pub(super) fn look_at_parts(&mut self, patience: Duration, now: Instant) {
        let sending: Vec<_> = self.seats.iter().filter(|(_, seat)| seat.parts > 0).map(|(sub, _)| *sub).collect();
        for sub in sending {
            let (owes, is_read) = (self.owes(sub), !self.held_back.has(sub));
            let Some(seat) = self.seats.get_mut(&sub) else { continue };
            if !owes {
                // Its attendant lets go of them.
                seat.wake.notify_one();
                continue;
            }
            let (since, parts) = seat.flow.unwrap_or((now, 0));
            if !is_read || seat.flow.is_none() || seat.parts < parts || seat.parts >= parts + LEAST_FLOW {
                seat.flow = Some((now, seat.parts));
            } else if now.saturating_duration_since(since) >= patience.max(FLOW) {
                seat.give_up();
            }
        }
    }

    /// `sub` leaves.
    pub(crate) fn forget_parts(&mut self, sub: SubStreamId) {
        self.has_parts(sub, 0);
        self.held_back.subs.remove(&sub);
    }
}
