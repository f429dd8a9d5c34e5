//! The book of one device's loans: the only place that records which values the device is at.
//!
//! The lender knows who holds a value. This book adds what the lender cannot know. Usual values
//! are only counted: how many values and bytes are in flight, how many were sent and have arrived.
//! A value has an entry of its own only while something is unusual about it: the device computes a
//! copy, the value still waits to be sent, a call is long, or a recall is unanswered.

use super::{calls::CallTimes, in_flight::InFlight, progress::Progress};
use crate::{config::BatchSize, protocol::Value};
use std::{
    collections::BTreeMap,
    mem,
    time::{Duration, Instant},
};
use stream_lender::{Index, Lent, Loan};

/// See the module.
#[derive(Debug)]
pub(crate) struct Loans {
    in_flight: InFlight,
    progress: Progress,
    unusual: BTreeMap<Loan, Unusual>,
    /// The value which the device is to compute without any other, because this value may make
    /// devices vanish.
    alone: Option<Index>,
    /// Loans to recall from the device, in the order of the recalls.
    recalls: Vec<Loan>,
}

/// What is unusual about one value at the device.
#[derive(Debug, Default)]
struct Unusual {
    /// The bytes of a value which the device computes without holding the loan: a copy, or a value
    /// for which another device's copy was faster.
    copy: Option<u64>,
    /// The value still waits to be sent, although the session has not asked for it.
    queued: Option<Value>,
    /// The device has reported a long call.
    running: Option<LongCall>,
    /// The device was stalled, and has not answered the recall of this value.
    recalled: bool,
}

impl Unusual {
    fn is_usual(&self) -> bool {
        self.copy.is_none() && self.queued.is_none() && self.running.is_none() && !self.recalled
    }
}

/// A call that the device has reported as long.
#[derive(Debug)]
pub(crate) struct LongCall {
    since: Instant,
    /// The time of the call at which people are told next.
    tell_at: Duration,
}

impl LongCall {
    pub(crate) fn new(since: Instant, tell_at: Duration) -> Self {
        Self { since, tell_at }
    }

    /// How long the call has been going on.
    pub(crate) fn elapsed(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.since)
    }
}

/// Values go to the device.
impl Loans {
    pub(super) fn new(size: BatchSize, cores: u32, now: Instant) -> Self {
        Self {
            in_flight: InFlight::new(size, cores, now),
            progress: Progress::new(now),
            unusual: BTreeMap::new(),
            alone: None,
            recalls: Vec::new(),
        }
    }

    /// Sets the number of calls that a core has open at a time.
    pub(super) fn set_calls(&mut self, calls: usize) {
        self.in_flight.set_calls(calls);
    }

    pub(super) fn set_cores(&mut self, cores: u32) {
        self.in_flight.set_cores(cores);
    }

    /// Sets the most values that the device may hold, whatever its limit.
    pub(super) fn set_most(&mut self, most: Option<usize>) {
        self.in_flight.set_most(most);
    }

    /// Whether the book has counts only: nothing is out of the ordinary about any loan.
    pub(crate) fn is_plain(&self) -> bool {
        self.unusual.is_empty()
    }

    /// How many values may be sent to the device now.
    pub(crate) fn room(&self) -> usize {
        self.in_flight.room()
    }

    /// How many bytes of values may be sent to the device now, at least one.
    pub(crate) fn room_bytes(&self) -> usize {
        self.in_flight.room_bytes()
    }

    /// Counts `count` values of `bytes` bytes in total in flight.
    pub(crate) fn add(&mut self, count: usize, bytes: u64) {
        self.in_flight.add(count, bytes);
    }

    /// Notes that `count` values are on their way to the device; `first`: the device had none
    /// before.
    pub(crate) fn note_on_their_way(&mut self, count: usize, first: bool, now: Instant) {
        if first {
            self.forget_recall();
        }
        self.progress.lent(count, first, now);
    }

    /// Queues a value for which the session has not asked. With `copy`, another device holds the
    /// value.
    pub(crate) fn queue(&mut self, lent: Lent<Value>, copy: bool, first: bool, now: Instant) {
        let bytes = lent.value.bytes.len() as u64;
        let entry = self.unusual.entry(lent.loan).or_default();
        entry.queued = Some(lent.value);
        if copy {
            entry.copy = Some(bytes);
        }
        self.note_on_their_way(1, first, now);
    }

    /// Takes the queued values out of the queue, to be sent now.
    pub(super) fn take_queued(&mut self) -> Vec<Lent<Value>> {
        let mut queued = Vec::new();
        for (loan, entry) in &mut self.unusual {
            if let Some(value) = entry.queued.take() {
                self.in_flight.add(1, value.bytes.len() as u64);
                queued.push(Lent { loan: *loan, value });
            }
        }
        self.drop_usual();
        queued
    }

    /// Notes that `index` is lent to the device, which computes no other value meanwhile.
    pub(crate) fn set_alone(&mut self, index: Index) {
        self.alone = Some(index);
    }

    /// The value which the device was to compute alone when it was lent.
    pub(crate) fn alone(&self) -> Option<Index> {
        self.alone
    }

    /// Ends the time alone unless `holds` says that the device still holds the value, or the device
    /// computes a copy of it.
    pub(crate) fn end_alone_unless(&mut self, holds: impl FnOnce(Index) -> bool) {
        let alone = self.alone.take();
        self.alone = alone.filter(|index| self.copy_of(*index).is_some() || holds(*index));
    }
}

/// Values come back.
impl Loans {
    /// Notes that the device no longer has the value of `loan`, of `bytes` bytes. A value that
    /// still waits to be sent is not sent.
    #[inline]
    pub(crate) fn remove(&mut self, loan: Loan, bytes: u64) {
        if self.change(loan, |entry| entry.queued.take()).is_some() {
            self.progress.not_lent();
        } else {
            self.in_flight.remove(1, bytes);
        }
    }

    /// As [`remove`](Self::remove), for `count` values of `bytes` bytes in total without entries.
    pub(crate) fn remove_usual(&mut self, count: usize, bytes: u64) {
        self.in_flight.remove(count, bytes);
    }

    /// Notes that the device answered `count` values, of which `results` are the calls with
    /// results. This may change its limit.
    pub(crate) fn answered(&mut self, count: usize, results: &CallTimes, now: Instant) {
        self.in_flight.answered(count, results, now);
    }

    /// Notes a sign of work: the device answered a value or reported a call.
    pub(super) fn worked(&mut self, now: Instant) {
        self.forget_recall();
        self.progress.worked(now);
    }

    /// Notes that the device returned `loan` without work on it, which is no sign of work; `all`:
    /// the device holds nothing now.
    pub(super) fn gave_back(&mut self, loan: Loan, all: bool, now: Instant) {
        let recalled = self.change(loan, |entry| mem::take(&mut entry.recalled).then_some(()));
        self.progress.gave_back(recalled.is_some(), all, now);
    }
}

/// Copies.
impl Loans {
    /// Notes that the device goes on with `loan`, of `bytes` bytes, without holding it.
    pub(crate) fn add_copy(&mut self, loan: Loan, bytes: u64) {
        self.unusual.entry(loan).or_default().copy = Some(bytes);
    }

    /// Ends the copy under `loan`, if there is one, and returns its bytes.
    pub(crate) fn take_copy(&mut self, loan: Loan) -> Option<u64> {
        self.change(loan, |entry| entry.copy.take())
    }

    /// The loan under which the device computes `index` without holding the value.
    pub(crate) fn copy_of(&self, index: Index) -> Option<Loan> {
        let loans = Loan { index, number: 0 }..=Loan { index, number: u32::MAX };
        self.unusual.range(loans).find(|(_, entry)| entry.copy.is_some()).map(|(loan, _)| *loan)
    }

    /// Whether the device computes a copy under `loan`.
    pub(crate) fn is_copy(&self, loan: Loan) -> bool {
        self.unusual.get(&loan).is_some_and(|entry| entry.copy.is_some())
    }

    /// The loans under which the device computes copies.
    pub(crate) fn copies(&self) -> impl Iterator<Item = Loan> {
        self.unusual.iter().filter(|(_, entry)| entry.copy.is_some()).map(|(loan, _)| *loan)
    }

    /// Whether the device computes any copy.
    pub(crate) fn has_copies(&self) -> bool {
        self.copies().next().is_some()
    }
}

/// Long calls.
impl Loans {
    /// Notes that the device reports `call` as long, unless the report is known already.
    pub(super) fn began(&mut self, loan: Loan, call: LongCall) {
        self.unusual.entry(loan).or_default().running.get_or_insert(call);
    }

    /// Forgets the long call of `loan`, and returns whether there was one.
    pub(super) fn end_call(&mut self, loan: Loan) -> bool {
        self.change(loan, |entry| entry.running.take()).is_some()
    }

    /// Forgets the long calls of values which the device neither `holds` nor computes as a copy.
    pub(crate) fn end_calls_unless(&mut self, holds: impl Fn(Loan) -> bool) {
        for (loan, entry) in &mut self.unusual {
            if entry.copy.is_none() && !holds(*loan) {
                entry.running = None;
            }
        }
        self.drop_usual();
    }

    /// The loans with long calls.
    pub(crate) fn running(&self) -> impl Iterator<Item = (Loan, &LongCall)> {
        self.unusual.iter().filter_map(|(loan, entry)| Some((*loan, entry.running.as_ref()?)))
    }

    /// Whether the device has reported a call of `loan` as long.
    pub(crate) fn is_running(&self, loan: Loan) -> bool {
        self.unusual.get(&loan).is_some_and(|entry| entry.running.is_some())
    }

    /// Whether the device has reported any call as long.
    pub(crate) fn has_long_call(&self) -> bool {
        self.running().next().is_some()
    }

    /// The time of the longest call reported.
    pub(crate) fn longest_call(&self, now: Instant) -> Duration {
        self.running().map(|(_, call)| call.elapsed(now)).max().unwrap_or_default()
    }

    /// Takes the calls of which people are to be told now, each with its time. Each call is told
    /// again after twice as long.
    pub(crate) fn take_calls_to_tell(&mut self, now: Instant) -> Vec<(Loan, Duration)> {
        let mut told = Vec::new();
        for (loan, entry) in &mut self.unusual {
            let Some(call) = &mut entry.running else { continue };
            let time = call.elapsed(now);
            if time >= call.tell_at {
                call.tell_at = time * 2;
                told.push((*loan, time));
            }
        }
        told
    }
}

/// Recalls, and silence.
impl Loans {
    /// Queues the recall of these loans.
    pub(super) fn recall(&mut self, loans: &[Loan]) {
        self.recalls.extend(loans);
    }

    /// Takes the loans to recall now.
    pub(super) fn take_recalls(&mut self) -> Vec<Loan> {
        mem::take(&mut self.recalls)
    }

    /// Notes that these loans are recalled because the device is stalled. While an earlier recall
    /// is unanswered, nothing changes.
    pub(super) fn recall_from_stalled(&mut self, loans: &[Loan], now: Instant) {
        if self.progress.is_recalled() {
            return;
        }
        self.progress.recall(loans.len(), now);
        for loan in loans {
            self.unusual.entry(*loan).or_default().recalled = true;
        }
    }

    fn forget_recall(&mut self) {
        if self.progress.is_recalled() {
            self.unusual.values_mut().for_each(|entry| entry.recalled = false);
            self.drop_usual();
        }
    }

    /// When the device last gave a sign of work.
    pub(crate) fn progress(&self) -> &Progress {
        &self.progress
    }

    /// As [`progress`](Self::progress), for changes that concern no single loan.
    pub(super) fn progress_mut(&mut self) -> &mut Progress {
        &mut self.progress
    }

    /// Notes that the first `count` values sent have arrived, and the time of the round trip that
    /// showed this.
    pub(super) fn pong(&mut self, round_trip: Duration, count: Option<u64>, now: Instant) {
        self.in_flight.round_trip(round_trip);
        if let Some(count) = count {
            self.progress.arrived(count, now);
        }
    }

    /// Forgives silence during the last `time`, because frames of that time have not been read.
    pub(super) fn excuse(&mut self, time: Duration, now: Instant) {
        self.progress.excuse(time, now);
        for call in self.unusual.values_mut().filter_map(|entry| entry.running.as_mut()) {
            call.since = now.min(call.since + time);
        }
    }

    /// Values in flight, and values still queued.
    #[cfg(test)]
    pub(crate) fn in_flight(&self) -> (usize, impl Iterator<Item = Loan>) {
        let queued = self.unusual.iter().filter(|(_, entry)| entry.queued.is_some());
        (self.in_flight.in_flight(), queued.map(|(loan, _)| *loan))
    }
}

/// Entries.
impl Loans {
    /// Changes the entry of `loan`, if there is one, and drops it when nothing unusual is left.
    fn change<R>(
        &mut self,
        loan: Loan,
        change: impl FnOnce(&mut Unusual) -> Option<R>,
    ) -> Option<R> {
        let entry = self.unusual.get_mut(&loan)?;
        let changed = change(entry);
        if entry.is_usual() {
            self.unusual.remove(&loan);
        }
        changed
    }

    fn drop_usual(&mut self) {
        self.unusual.retain(|_, entry| !entry.is_usual());
    }
}
