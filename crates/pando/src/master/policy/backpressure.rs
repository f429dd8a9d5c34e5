//! Back-pressure on results. When too many bytes of results wait in the master, for an earlier
//! result or for the reader of the output, further results stay with the devices: most channels
//! are not read for a while.
//!
//! If the output waits for the oldest value, the channel of its device is still read, because all
//! other results wait for this value. If no device has the oldest value, all channels are read, so
//! that a device with room can take the value.

use super::{Confirmations, Trust};
use crate::master::{
    items::Items,
    registry::{Device, Registry},
};
use std::{
    mem,
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
    /// Bytes of results of which some parts are missing.
    parts: u64,
    /// The state at the last check for channels to read again.
    seen: Snapshot,
    /// The number of channels that are not read.
    paused: usize,
}

/// Whether back-pressure applies, and if so: whether output waits for its reader, and the oldest
/// value without a result with its holder.
type Snapshot = (bool, bool, Option<(Index, Option<SubStreamId>)>);

/// What back-pressure goes by.
#[derive(Clone, Copy)]
pub(crate) struct WaitingResults<'a> {
    pub(crate) items: &'a Items,
    pub(crate) confirmations: &'a Confirmations,
    pub(crate) trust: Option<&'a Trust>,
}

impl WaitingResults<'_> {
    /// The bytes of whole results.
    fn bytes(self) -> u64 {
        let kept = self.trust.map_or(0, Trust::bytes);
        self.items.result_bytes() + self.confirmations.bytes() + kept
    }

    /// The oldest value without a result, and the session that computes it.
    fn oldest(self) -> Option<(Index, Option<SubStreamId>)> {
        let (index, holder) = self.items.lender().oldest()?;
        Some((index, self.trust.map_or(holder, |trust| trust.holder(index, holder))))
    }
}

impl ResultBackPressure {
    /// Whether too many bytes of results wait.
    pub(crate) fn applies(&self, results: WaitingResults) -> bool {
        results.bytes() + self.parts >= MOST_BYTES
    }

    /// Whether the channel of `device` is to be read.
    fn permits(&self, results: WaitingResults, sub: SubStreamId, device: Option<&Device>) -> bool {
        let lender = results.items.lender();
        !self.applies(results)
            || !lender.has_output()
                && results.oldest().is_some_and(|(index, holder)| {
                    holder.is_none_or(|holder| holder == sub)
                        || device.is_some_and(|device| device.loans().copy_of(index).is_some())
                })
    }

    /// Pauses the reading of the channel of `sub` if back-pressure demands this. Returns whether
    /// the channel may be read.
    pub(crate) fn pause_if_due(
        &mut self,
        results: WaitingResults,
        registry: &mut Registry,
        sub: SubStreamId,
    ) -> bool {
        let permits = self.permits(results, sub, registry.get(sub));
        if !permits && let Some(device) = registry.get_mut(sub) {
            self.paused += usize::from(!device.incoming().is_paused());
            device.incoming_mut().set_paused(true);
        }
        permits
    }

    /// Wakes the sessions whose channels may be read again. Returns whether back-pressure applies,
    /// if anything has changed.
    pub(crate) fn resume(
        &mut self,
        results: WaitingResults,
        registry: &mut Registry,
    ) -> Option<bool> {
        let lender = results.items.lender();
        let now = match self.applies(results) {
            true => (true, lender.has_output(), results.oldest()),
            false => Snapshot::default(),
        };
        if mem::replace(&mut self.seen, now) == now {
            return None;
        }
        if self.paused > 0 {
            for (sub, device) in registry.iter_mut() {
                if device.incoming().is_paused() && self.permits(results, sub, Some(device)) {
                    device.incoming_mut().set_paused(false);
                    self.paused -= 1;
                    device.wake();
                }
            }
        }
        Some(now.0)
    }

    /// Notes that `bytes` bytes of an incomplete result of `device` have arrived.
    pub(crate) fn set_parts(&mut self, device: &mut Device, bytes: u64) {
        self.parts -= device.incoming_mut().set_parts(bytes);
        self.parts += bytes;
    }

    /// Notes that `bytes` bytes of a result of `sub` have arrived. Returns whether to keep them,
    /// because a result may be expected.
    pub(crate) fn take_parts(
        &mut self,
        items: &Items,
        registry: &mut Registry,
        sub: SubStreamId,
        bytes: u64,
    ) -> bool {
        let Some(device) = registry.get_mut(sub) else { return false };
        let owes = owes(items, sub, device);
        self.set_parts(device, if owes { bytes } else { 0 });
        owes
    }

    /// Notes that `device` leaves.
    pub(crate) fn left(&mut self, device: &mut Device) {
        self.set_parts(device, 0);
        self.paused -= usize::from(device.incoming().is_paused());
    }
}

/// Whether `device` may have a result to send.
fn owes(items: &Items, sub: SubStreamId, device: &Device) -> bool {
    items.lender().held(sub) > 0 || device.loans().has_copies()
}

/// Checks the results arriving in parts: unexpected results are dropped, and a device loses its
/// channel if no further parts arrive.
pub(crate) fn check_parts(items: &Items, registry: &mut Registry, now: Instant) {
    let time = registry.silence_limit().max(FLOW);
    for (sub, device) in registry.iter_mut().filter(|(_, device)| device.incoming().parts() > 0) {
        if !owes(items, sub, device) {
            // The session drops the parts.
            device.wake();
        } else if !device.incoming_mut().check_flow(LEAST_FLOW, time, now) {
            device.give_up();
        }
    }
}
