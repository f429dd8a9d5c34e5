//! What the master knows of one connected device: its identity, its book of loans, and its health.

mod service;

use super::{
    CallTimes, OwnerRule, Traffic,
    health::{Causes, Health},
    incoming::Incoming,
    ledger::{Contribution, SessionRecord},
    loans::{Loans, LongCall},
    newcomer::{DeviceKey, Newcomer, Origin, Page},
    news::News,
    reports::Reports,
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
/// How much later the hello of an earlier channel of the same device may come.
const OUTRUN: Duration = Duration::from_secs(2);

/// See the module.
#[derive(Debug)]
pub(crate) struct Device {
    name: String,
    /// The number of the device among all devices of the run, from 1.
    number: u64,
    key: DeviceKey,
    page: Page,
    is_browser: bool,
    /// The route of the channel.
    path: Path,
    joined: Instant,
    /// The cores that the device offers.
    offered: u32,
    rule: OwnerRule,
    /// The cores that may compute.
    cores: u32,
    traffic: Arc<Traffic>,
    /// The smoothed time of a round trip, if any pong has come.
    round_trip: Option<Duration>,
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
    reports: Reports,
}

/// Identity, and the session.
impl Device {
    /// A device that joins. A device that was unresponsive before has a `rest` first.
    pub(super) fn new(
        newcomer: Newcomer,
        number: u64,
        size: BatchSize,
        rest: Option<Duration>,
        now: Instant,
    ) -> Self {
        let Newcomer { name, key, page, path, cores, is_browser, wake, traffic, .. } = newcomer;
        Self {
            name,
            number,
            key,
            page,
            is_browser,
            path,
            joined: now,
            offered: cores,
            rule: OwnerRule::default(),
            cores,
            traffic,
            round_trip: None,
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
            reports: Reports::default(),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn rename(&mut self, name: String) {
        self.name = name;
    }

    /// The number of the device among all devices of the run, from 1.
    pub(crate) fn number(&self) -> u64 {
        self.number
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

    /// Whether another channel of the device, over `path`, was opened before this one, although its
    /// hello comes later. A volunteer tries its routes side by side, and the relay is the slowest.
    pub(crate) fn has_outrun(&self, path: Path, now: Instant) -> bool {
        path == Path::Relay
            && matches!(self.path, Path::Direct | Path::Turn)
            && !self.replaced
            && now.saturating_duration_since(self.joined) < OUTRUN
    }

    /// Whether the device is this machine's own cores.
    pub(crate) fn is_local(&self) -> bool {
        self.path == Path::Local
    }

    /// The cores that may compute.
    pub(crate) fn cores(&self) -> u32 {
        self.cores
    }

    /// The cores that the device offers.
    pub(crate) fn offered(&self) -> u32 {
        self.offered
    }

    /// Notes that the device offers `cores` cores.
    pub(crate) fn set_cores(&mut self, cores: u32, now: Instant) {
        self.offered = cores;
        let cores = self.rule.cores_of(cores);
        self.record.set_cores(cores, now);
        self.cores = cores;
        self.loans.set_cores(cores);
    }

    /// What the owner of the run has decided about the device.
    pub(crate) fn rule(&self) -> OwnerRule {
        self.rule
    }

    /// Follows a decision of the owner of the run. A device that is to use fewer cores than it
    /// offers does not know this, so it gets only as many values as those cores call at a time.
    pub(super) fn set_rule(&mut self, rule: OwnerRule, calls_per_core: u64, now: Instant) {
        self.rule = rule;
        self.loans.set_calls(usize::try_from(calls_per_core).unwrap_or(usize::MAX));
        let most = rule.cores.map(|cores| u64::from(cores) * calls_per_core);
        self.loans.set_most(most.map(|most| most as usize));
        self.set_cores(self.offered, now);
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
            removed: self.rule.removed,
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
        let before = self.round_trip.unwrap_or(round_trip);
        self.round_trip = Some((before * 7 + round_trip) / 8);
        self.loans.pong(round_trip, arrived, now);
    }

    /// The smoothed time of a round trip, if any pong has come.
    pub(crate) fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }
}

/// Results.
impl Device {
    /// Counts the results of `calls`. All calls, also those without a result, took `micros`
    /// microseconds in total.
    pub(crate) fn computed(&mut self, calls: &CallTimes, micros: u64, now: Instant) {
        self.record.computed(calls, micros, now);
        if let Some(each) = micros.checked_div(calls.count()).map(Duration::from_micros) {
            self.each = Some(self.each.map_or(each, |before| (before + each) / 2));
        }
    }

    /// Counts a failed attempt.
    pub(crate) fn failed(&mut self) {
        self.record.failed();
    }

    /// What this session has contributed up to `now`.
    pub(super) fn contribution(&self, now: Instant) -> Contribution {
        Contribution {
            number: self.number,
            name: self.name.clone(),
            bytes: (self.traffic.received(), self.traffic.sent()),
            reports: self.reports.whole().to_vec(),
            origin: Origin {
                is_browser: self.is_browser,
                browser: self.page.words(),
                path: self.path,
            },
            ..self.record.contribution(now)
        }
    }

    /// Results per second, lately.
    pub(crate) fn per_second(&self, now: Instant) -> f64 {
        self.record.per_second(now)
    }

    /// Values of which this session has delivered the result.
    pub(crate) fn done(&self) -> u64 {
        self.record.items()
    }

    /// The recent average time of a call, if any call has ended.
    pub(crate) fn each(&self) -> Option<Duration> {
        self.each
    }

    pub(crate) fn reports_mut(&mut self) -> &mut Reports {
        &mut self.reports
    }

    pub(crate) fn incoming(&self) -> &Incoming {
        &self.incoming
    }

    pub(crate) fn incoming_mut(&mut self) -> &mut Incoming {
        &mut self.incoming
    }
}
