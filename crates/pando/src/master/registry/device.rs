//! What the master knows of one connected device: its identity, its book of loans, and its health.

use super::{
    health::{Causes, Health},
    incoming::Incoming,
    ledger::{Contribution, SessionRecord},
    loans::{Loans, LongCall},
    newcomer::{DeviceKey, Newcomer, Page},
    news::News,
    reports::Sum,
};
use crate::{
    config::BatchSize,
    protocol::{Path, Value},
};
use std::{
    mem,
    sync::Arc,
    time::{Duration, Instant},
};
use stream_lender::{Lent, Loan};
use tokio::sync::Notify;

/// The least time between two recalls from one device.
const RECALL_INTERVAL: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Debug)]
pub(crate) struct Device {
    name: String,
    key: DeviceKey,
    page: Page,
    /// The route of the channel.
    path: Path,
    cores: u32,
    /// Wakes the session's task when the master has news or values.
    wake: Arc<Notify>,
    /// The device came back on another channel: this session ends.
    replaced: bool,
    loans: Loans,
    health: Causes,
    /// The session asks for no values until other devices have had a chance at the recalled
    /// values.
    waits_after_recall: bool,
    /// The time of the last recall.
    recalled: Option<Instant>,
    /// Values missing at the session's last ask.
    missing_at_last_ask: usize,
    incoming: Incoming,
    /// What this session has done.
    record: SessionRecord,
    /// The recent average time of a call, if any call has ended.
    each: Option<Duration>,
    /// Reports of the function since the last line about them.
    reports: Sum,
}

/// Identity, and the session.
impl Device {
    /// A device that joins. A device that was unresponsive before has a `rest` first.
    pub(super) fn new(
        newcomer: Newcomer,
        size: BatchSize,
        rest: Option<Duration>,
        now: Instant,
    ) -> Self {
        let Newcomer { name, key, page, path, cores, wake } = newcomer;
        Self {
            name,
            key,
            page,
            path,
            cores,
            wake,
            replaced: false,
            loans: Loans::new(size, cores, now),
            health: rest.map_or_else(Causes::default, |rest| Causes::of_suspect(rest, now)),
            waits_after_recall: rest.is_some(),
            recalled: None,
            missing_at_last_ask: 0,
            incoming: Incoming::default(),
            record: SessionRecord::new(cores, now),
            each: None,
            reports: Sum::default(),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn rename(&mut self, name: String) {
        self.name = name;
    }

    pub(crate) fn key(&self) -> &DeviceKey {
        &self.key
    }

    pub(crate) fn page(&self) -> &Page {
        &self.page
    }

    pub(crate) fn path(&self) -> Path {
        self.path
    }

    /// Whether the device is this machine's own cores.
    pub(crate) fn is_local(&self) -> bool {
        self.path == Path::Local
    }

    pub(crate) fn cores(&self) -> u32 {
        self.cores
    }

    pub(crate) fn set_cores(&mut self, cores: u32, now: Instant) {
        self.record.set_cores(cores, now);
        self.cores = cores;
        self.loans.set_cores(cores);
    }

    /// Wakes the session's task.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Ends this session, because the device came back on another channel.
    pub(super) fn replace(&mut self) {
        self.replaced = true;
        self.wake();
    }

    pub(crate) fn is_replaced(&self) -> bool {
        self.replaced
    }

    /// Takes the news for the session.
    pub(super) fn take_news(&mut self, finished: bool) -> News {
        News {
            finished,
            replaced: self.replaced,
            unresponsive: self.health() == Health::Unresponsive,
            recalls: self.loans.take_recalls(),
            waits_after_recall: self.waits_after_recall,
            values: self.loans.take_queued(),
        }
    }
}

/// Loans.
impl Device {
    pub(crate) fn loans(&self) -> &Loans {
        &self.loans
    }

    pub(crate) fn loans_mut(&mut self) -> &mut Loans {
        &mut self.loans
    }

    /// Notes an ask of the session: `lent` values are on their way, and `missing` values more would
    /// have had room.
    pub(crate) fn asked(&mut self, lent: usize, missing: usize, first: bool, now: Instant) {
        self.missing_at_last_ask = missing;
        if lent > 0 {
            self.loans.note_on_their_way(lent, first, now);
        }
    }

    /// Values missing at the session's last ask.
    pub(crate) fn missing_at_last_ask(&self) -> usize {
        self.missing_at_last_ask
    }

    /// Queues a value for which the session has not asked, and wakes the session.
    pub(crate) fn send(&mut self, lent: Lent<Value>, copy: bool, first: bool, now: Instant) {
        self.loans.queue(lent, copy, first, now);
        self.wake();
    }

    /// Recalls these loans. The session asks for no values meanwhile.
    pub(crate) fn recall(&mut self, loans: &[Loan], now: Instant) {
        self.loans.recall(loans);
        (self.waits_after_recall, self.recalled) = (true, Some(now));
        self.wake();
    }

    /// Recalls `loan`, which nobody needs any more. The session goes on asking.
    pub(crate) fn recall_cancelled(&mut self, loan: Loan) {
        self.loans.recall(&[loan]);
        self.wake();
    }

    /// Recalls these loans from a stalled device, which becomes suspect.
    pub(crate) fn recall_from_stalled(
        &mut self,
        loans: &[Loan],
        silence_limit: Duration,
        now: Instant,
    ) {
        self.health.suspect(silence_limit, now);
        self.loans.recall_from_stalled(loans, now);
        self.recall(loans, now);
    }

    /// Whether the last recall was long enough ago.
    pub(crate) fn may_be_recalled(&self, now: Instant) -> bool {
        self.recalled.is_none_or(|then| now.saturating_duration_since(then) >= RECALL_INTERVAL)
    }

    /// Whether the session asks for no values because of a recall.
    pub(crate) fn waits_after_recall(&self) -> bool {
        self.waits_after_recall
    }

    /// Lets the session ask again, and returns whether it waited.
    pub(crate) fn end_wait(&mut self) -> bool {
        mem::take(&mut self.waits_after_recall)
    }

    /// Notes that the device returned `loan`, which it `held` or not; `all`: the device holds
    /// nothing now. Returns whether the device has become suspect, because it returns everything.
    #[must_use]
    pub(crate) fn gave_back(
        &mut self,
        loan: Loan,
        held: bool,
        all: bool,
        silence_limit: Duration,
        now: Instant,
    ) -> bool {
        if self.loans.end_call(loan) && held {
            self.worked(now);
        } else {
            self.loans.gave_back(loan, all, now);
        }
        // A device may return its values each time before it counts as stalled.
        let returns_all = all && self.loans.progress().gives_all_back(silence_limit);
        if returns_all {
            self.health.suspect(silence_limit, now);
            self.waits_after_recall = true;
        }
        returns_all
    }

    /// Notes the report of a long call.
    pub(crate) fn began(&mut self, loan: Loan, call: LongCall, now: Instant) {
        self.worked(now);
        self.loans.began(loan, call);
    }

    /// Notes that the device has been loading the function for `time`.
    pub(crate) fn loads(&mut self, time: Duration, now: Instant) {
        self.loans.progress_mut().loads(time, now);
    }

    /// Notes a pong.
    pub(crate) fn pong(&mut self, round_trip: Duration, arrived: Option<u64>, now: Instant) {
        self.loans.pong(round_trip, arrived, now);
    }
}

/// Health.
impl Device {
    /// The health of the device, as far as it is known.
    pub(crate) fn health(&self) -> Health {
        self.health.health()
    }

    /// Whether people know that the device is stalled.
    pub(crate) fn is_told(&self) -> bool {
        self.health.is_stalled()
    }

    /// Whether the device, which holds `held` loans, has had values for long without a sign of
    /// work.
    pub(crate) fn is_stalled(&self, held: usize, silence_limit: Duration, now: Instant) -> bool {
        (held > 0 || self.loans.has_copies())
            && !self.loans.has_long_call()
            && !self.incoming.is_paused()
            && self.loans.progress().is_stalled(silence_limit, now)
    }

    /// Notes a sign of work: an answer, a long call, or a part of a result.
    pub(crate) fn worked(&mut self, now: Instant) {
        self.loans.worked(now);
        self.health.work();
    }

    /// Whether the device lends cores and works on its values.
    pub(crate) fn is_active(&self) -> bool {
        let is_last = matches!(self.health(), Health::Suspect | Health::Unresponsive);
        !self.replaced && self.cores > 0 && !is_last
    }

    /// Whether items failed by other devices are offered to this device.
    pub(crate) fn takes_part(&self) -> bool {
        self.is_active() && !self.health.is_unfit()
    }

    /// Whether the device was stalled, so that other devices come first.
    pub(crate) fn is_suspect(&self) -> bool {
        self.health.is_suspect()
    }

    /// Whether a suspect device rests now.
    pub(crate) fn rests(&self, now: Instant) -> bool {
        self.health.rests(now)
    }

    /// The length of the last rest of a suspect device, at least `least`.
    pub(super) fn rest(&self, least: Duration) -> Duration {
        self.health.rest(least)
    }

    /// Whether the device stands back.
    pub(crate) fn stands_back(&self) -> bool {
        self.health.is_unfit()
    }

    /// Makes the device stand back: it is lent nothing or one value at a time.
    pub(crate) fn stand_back(&mut self) {
        self.health.stand_back();
    }

    /// Lets the device ask for values again.
    pub(crate) fn stand_in(&mut self) {
        self.health.stand_in();
        self.wake();
    }

    /// Closes the device's channel, because the device keeps values without computing them. This
    /// machine's own cores have no channel to close, and stay as they are.
    pub(crate) fn give_up(&mut self) {
        if !self.is_local() {
            self.health.give_up();
            self.wake();
        }
    }

    /// Takes what to tell people now and then about a stalled device: its idle time and, if known,
    /// how long it has been loading the function.
    pub(crate) fn take_silence_to_tell(
        &mut self,
        now: Instant,
    ) -> Option<(Duration, Option<Duration>)> {
        let silence = self.loans.progress_mut().take_silence_to_tell(now)?;
        self.health.stall();
        Some(silence)
    }

    /// Forgives silence during the last `time`, because this process was stopped and frames of
    /// that time are still unread.
    pub(crate) fn excuse(&mut self, time: Duration, now: Instant) {
        self.incoming.excuse();
        self.loans.excuse(time, now);
    }
}

/// Results.
impl Device {
    /// Counts `done` results, which took `micros` microseconds in total.
    pub(crate) fn computed(&mut self, done: u64, micros: u64) {
        self.record.computed(done, micros);
        if let Some(each) = micros.checked_div(done).map(Duration::from_micros) {
            self.each = Some(self.each.map_or(each, |before| (before + each) / 2));
        }
    }

    /// Counts a failed attempt.
    pub(crate) fn failed(&mut self) {
        self.record.failed();
    }

    /// What this session has contributed up to `now`.
    pub(super) fn contribution(&self, now: Instant) -> Contribution {
        self.record.contribution(&self.name, now)
    }

    /// Values of which this session has delivered the result.
    pub(crate) fn done(&self) -> u64 {
        self.record.items()
    }

    /// The recent average time of a call, if any call has ended.
    pub(crate) fn each(&self) -> Option<Duration> {
        self.each
    }

    pub(crate) fn reports_mut(&mut self) -> &mut Sum {
        &mut self.reports
    }

    pub(crate) fn incoming(&self) -> &Incoming {
        &self.incoming
    }

    pub(crate) fn incoming_mut(&mut self) -> &mut Incoming {
        &mut self.incoming
    }
}
