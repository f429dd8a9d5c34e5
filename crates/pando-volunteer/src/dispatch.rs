//! Decides which core computes which value: the state of a native volunteer's host, without
//! channel, children or clock.
//!
//! Values wait here, in order, and each core is given just enough: at first as many values as it
//! may compute at once, then as many as take about [`AHEAD`] at the measured speed of the core. So
//! any free core can take the values that wait, and these can also be handed back. A careful value
//! goes to a core alone: if that core dies, the cause is known.
//!
//! `web/src/link/` decides alike for tabs: both run the scenarios of `fixtures/dispatch.json`.

use pando_protocol::volunteer::{Loan, Value};
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// How long the values that a core is given should take, in microseconds.
const AHEAD: u64 = 20_000;
/// Most values that a core is given.
const MOST: usize = 1 << 16;
/// How long after its timeout a call may still end by itself, before the core is killed.
pub(crate) const GRACE: Duration = Duration::from_millis(250);
/// How long a call runs before it is reported to the master.
const LONG: Duration = Duration::from_millis(500);
/// How often the host ticks while calls are open.
const TICK: Duration = Duration::from_millis(250);
/// The time without a tick that shows that the device and its cores slept.
const SLEPT: Duration = Duration::from_millis(1500);

/// The queue of values and the state of the cores; see the module.
#[derive(Debug)]
pub(crate) struct Dispatch {
    queue: VecDeque<(Loan, Value)>,
    cores: Vec<CoreState>,
    /// Most calls of a core at a time.
    concurrency: usize,
    timeout: Option<Duration>,
    paused: bool,
    last_tick: Option<Instant>,
}

#[derive(Debug, Default)]
struct CoreState {
    ready: bool,
    /// Calls that the core has not answered, in the order of their values.
    calls: VecDeque<Call>,
    /// Whether `calls` holds a careful value, which is then the only one.
    careful: bool,
    /// Whether the core has begun the first of `calls`, as far as is known.
    began: bool,
    /// Most values that the core should have.
    target: usize,
    /// The estimated duration of a call, at most [`AHEAD`], in microseconds.
    estimate: u64,
}

/// A call of a core, as seen by the host.
#[derive(Debug)]
struct Call {
    loan: Loan,
    /// The earliest time at which the call can have begun; `None` while earlier calls of the core
    /// must end first.
    since: Option<Instant>,
    /// Whether the call has been reported to the master as long.
    told: bool,
    /// Whether nobody needs the answer any more.
    forgotten: bool,
}

/// The fate of the values of a core that died.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct CrashOutcome {
    /// The value responsible for the end of the core, if known.
    pub(crate) culprit: Option<Loan>,
    /// The other values.
    pub(crate) returned: Vec<Loan>,
    /// Whether one of the other values ended the core.
    pub(crate) careful: bool,
}

impl Dispatch {
    /// The state for `cores` cores, none of them ready, each with up to `concurrency` calls at a
    /// time.
    pub(crate) fn new(cores: usize, concurrency: u32, timeout: Option<Duration>) -> Self {
        let concurrency = concurrency as usize;
        let cores = (0..cores).map(|_| CoreState::new(concurrency)).collect();
        let queue = VecDeque::new();
        Self { queue, cores, concurrency, timeout, paused: false, last_tick: None }
    }

    /// Adds values to the queue. Returns the loans that a paused device hands back.
    pub(crate) fn extend(&mut self, values: impl IntoIterator<Item = (Loan, Value)>) -> Vec<Loan> {
        self.queue.extend(values);
        if self.paused { self.pause() } else { Vec::new() }
    }

    /// Takes all values out of the queue and returns their loans. Until [`Dispatch::resume`], the
    /// cores only finish their values.
    pub(crate) fn pause(&mut self) -> Vec<Loan> {
        self.paused = true;
        self.queue.drain(..).map(|(loan, _)| loan).collect()
    }

    /// Ends a pause.
    pub(crate) fn resume(&mut self) {
        self.paused = false;
    }

    /// All loans whose answer somebody needs: those that wait, and those of the cores.
    pub(crate) fn held(&self) -> impl Iterator<Item = Loan> {
        let calls = self.cores.iter().flat_map(|core| &core.calls).filter(|call| !call.forgotten);
        self.queue.iter().map(|(loan, _)| *loan).chain(calls.map(|call| call.loan))
    }

    /// Makes room for cores, `count` in all.
    pub(crate) fn grow(&mut self, count: usize) {
        let concurrency = self.concurrency;
        self.cores.resize_with(count, || CoreState::new(concurrency));
    }

    /// Gives core `core` no further value.
    pub(crate) fn retire(&mut self, core: usize) {
        self.cores[core].ready = false;
    }

    /// Whether nobody needs an answer of core `core`.
    pub(crate) fn is_idle(&self, core: usize) -> bool {
        self.cores[core].calls.iter().all(|call| call.forgotten)
    }

    /// Notes that core `core` has loaded the function.
    pub(crate) fn ready(&mut self, core: usize) {
        self.cores[core].ready = true;
    }

    /// The next values to give, and the core to give them to; `None` if no core wants any. The
    /// values leave the queue. The core with the fewest values comes first, and leaves to each
    /// other core its share.
    pub(crate) fn feed(&mut self, now: Instant) -> Option<(usize, Vec<(Loan, Value)>)> {
        let careful = self.queue.front()?.1.careful;
        let ready = self.cores.iter().filter(|core| core.ready).count();
        let (number, core) = self
            .cores
            .iter_mut()
            .enumerate()
            .filter(|(_, core)| core.room(self.concurrency) > 0)
            .min_by_key(|(_, core)| core.calls.len())?;
        if careful && !core.calls.is_empty() {
            return None;
        }
        let share = self.queue.len().div_ceil(ready);
        let most = if careful { 1 } else { core.room(self.concurrency).min(share) };
        let mut values = Vec::with_capacity(most);
        while values.len() < most
            && let Some((loan, value)) =
                self.queue.pop_front_if(|(_, next)| next.careful == careful)
        {
            core.calls.push_back(Call { loan, since: None, told: false, forgotten: false });
            values.push((loan, value));
        }
        core.careful = careful;
        core.open_calls(self.concurrency, now);
        Some((number, values))
    }

    /// Notes that core `core` is about to compute `loan`.
    pub(crate) fn started(&mut self, core: usize, loan: Loan, now: Instant) {
        let core = &mut self.cores[core];
        let later = core.calls.iter_mut().skip_while(|call| call.loan != loan);
        // Calls for later values cannot have begun earlier either.
        for since in later.map_while(|call| call.since.as_mut()) {
            *since = now;
            core.began = true;
        }
    }

    /// Notes that core `core` answered `loans`, which took `micros` microseconds altogether.
    /// Returns the loans whose answers nobody needs.
    pub(crate) fn answered(
        &mut self,
        core: usize,
        loans: impl Iterator<Item = Loan>,
        micros: u64,
        now: Instant,
    ) -> Vec<Loan> {
        let concurrency = self.concurrency;
        let core = &mut self.cores[core];
        let (mut count, mut unneeded) = (0, Vec::new());
        for loan in loans {
            count += 1;
            let at = core.calls.iter().position(|call| call.loan == loan);
            if let Some(call) = at.and_then(|at| core.calls.remove(at)) {
                core.began = true;
                unneeded.extend(call.forgotten.then_some(loan));
            }
        }
        core.careful &= !core.calls.is_empty();
        core.began &= !core.calls.is_empty();
        core.open_calls(concurrency, now);
        core.learn(micros / u64::max(count, 1), concurrency);
        unneeded
    }

    /// Settles the values of core `core`, which died or was killed.
    pub(crate) fn died(&mut self, core: usize) -> CrashOutcome {
        let CoreState { calls, began, .. } = self.ended(core);
        let is_alone = calls.len() == 1;
        let returned = needed(calls);
        match returned[..] {
            [only] if is_alone && began => {
                CrashOutcome { culprit: Some(only), ..CrashOutcome::default() }
            }
            _ => CrashOutcome { culprit: None, careful: began && !returned.is_empty(), returned },
        }
    }

    /// Settles the values of core `core`, which ends after an uncaught error. Returns the loans
    /// that may have been in progress, if `careful`, and the other loans.
    pub(crate) fn spoiled(&mut self, core: usize, careful: bool) -> (Vec<Loan>, Vec<Loan>) {
        let mut open = self.ended(core).calls;
        // Calls begin in the order in which values were given.
        let others = open.split_off(if careful { open.len().min(self.concurrency) } else { 0 });
        (needed(open), needed(others))
    }

    /// Resets core `core`, which has ended; returns the last state.
    fn ended(&mut self, core: usize) -> CoreState {
        std::mem::replace(&mut self.cores[core], CoreState::new(self.concurrency))
    }

    /// Notes the time. The host ticks when [`Dispatch::due`] says so, and before each of the
    /// questions below. If it did not for longer than [`SLEPT`], the device slept: no call is
    /// charged with that time.
    pub(crate) fn tick(&mut self, now: Instant) {
        let last = self.last_tick.replace(now).unwrap_or(now);
        let gap = now.saturating_duration_since(last);
        if gap > SLEPT {
            let calls = self.cores.iter_mut().flat_map(|core| &mut core.calls);
            // A call may have begun since the device woke.
            calls.filter_map(|call| call.since.as_mut()).for_each(|at| *at = now.min(*at + gap));
        }
    }

    /// The cores to kill because a call is past its timeout.
    pub(crate) fn overdue(&self, now: Instant) -> Vec<usize> {
        let Some(timeout) = self.timeout else { return Vec::new() };
        self.numbers(|core| core.since().is_some_and(|since| now >= since + timeout + GRACE))
    }

    /// The time of the next timeout that [`Dispatch::overdue`] may find.
    pub(crate) fn next_overdue(&self) -> Option<Instant> {
        let timeout = self.timeout?;
        self.cores.iter().filter_map(CoreState::since).map(|since| since + timeout + GRACE).min()
    }

    /// The time of the next tick, if any call is open.
    pub(crate) fn due(&self) -> Option<Instant> {
        let is_open = self.cores.iter().any(|core| core.since().is_some());
        let tick = self.last_tick.filter(|_| is_open).map(|last| last + TICK);
        tick.into_iter().chain(self.next_overdue()).min()
    }

    /// The cores to end because they compute nothing but forgotten calls, of which one is long:
    /// other values wait for these cores. Each is then [`spoiled`](Dispatch::spoiled), and no
    /// value is doubtful.
    pub(crate) fn forgotten(&self, now: Instant) -> Vec<usize> {
        self.numbers(|core| {
            core.since().is_some_and(|since| now.saturating_duration_since(since) >= LONG)
                && core.open().all(|(call, _)| call.forgotten)
        })
    }

    /// The numbers of the cores for which `applies` returns true.
    fn numbers(&self, applies: impl Fn(&CoreState) -> bool) -> Vec<usize> {
        (0..self.cores.len()).filter(|number| applies(&self.cores[*number])).collect()
    }

    /// Calls that have become long since the last report, with durations in milliseconds. Marks
    /// the calls as reported.
    pub(crate) fn long_calls(&mut self, now: Instant) -> Vec<(Loan, u64)> {
        let mut long = Vec::new();
        for call in self.cores.iter_mut().flat_map(|core| &mut core.calls) {
            let age = call.since.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
            if age >= LONG && !call.told && !call.forgotten {
                call.told = true;
                long.push((call.loan, age.as_millis() as u64));
            }
        }
        long
    }

    /// Goes on over another channel with only those loans that `keeps` accepts. The other loans
    /// leave the queue; in a core, they are forgotten: neither reported, nor returned, nor blamed.
    /// Long calls are reported again, because the master does not know of them.
    pub(crate) fn keep(&mut self, keeps: impl Fn(Loan) -> bool) {
        self.queue.retain(|(loan, _)| keeps(*loan));
        for call in self.cores.iter_mut().flat_map(|core| &mut core.calls) {
            call.forgotten |= !keeps(call.loan);
            call.told = false;
        }
    }

    /// Takes the queued values among `loans` out of the queue, and returns their loans.
    pub(crate) fn recall(&mut self, loans: &[Loan]) -> Vec<Loan> {
        let mut returned = Vec::new();
        self.queue.retain(|(loan, _)| {
            let back = loans.contains(loan);
            if back {
                returned.push(*loan);
            }
            !back
        });
        returned
    }
}

impl CoreState {
    /// A core that is not ready.
    fn new(concurrency: usize) -> Self {
        Self { target: concurrency, ..Self::default() }
    }

    /// The number of values that the core should get now: some if a call could begin at once, or
    /// if half of the values are answered, so that the core computes while the next ones come.
    fn room(&self, concurrency: usize) -> usize {
        let given = self.calls.len();
        let has_few = given < concurrency || given * 2 <= self.target;
        if self.ready && !self.careful && has_few { self.target.saturating_sub(given) } else { 0 }
    }

    /// Notes which calls may be in progress: calls begin in the order of their values, at most
    /// `concurrency` at a time.
    fn open_calls(&mut self, concurrency: usize, now: Instant) {
        for call in self.calls.iter_mut().take(concurrency) {
            call.since.get_or_insert(now);
        }
    }

    /// The calls that may be in progress, each with the earliest time at which it can have begun.
    fn open(&self) -> impl Iterator<Item = (&Call, Instant)> {
        self.calls.iter().map_while(|call| Some((call, call.since?)))
    }

    /// The earliest time at which the first call can have begun.
    fn since(&self) -> Option<Instant> {
        self.open().next().map(|(_, since)| since)
    }

    /// Adapts the target to calls that took `mean` microseconds each. The estimate follows slower
    /// calls at once, so that few values wait behind them.
    fn learn(&mut self, mean: u64, concurrency: usize) {
        let mean = mean.min(AHEAD);
        let quicker = self.estimate.saturating_sub(mean);
        self.estimate = mean.max(self.estimate - (quicker * 3).div_ceil(10));
        let ideal = (AHEAD / self.estimate.max(1)) as usize * concurrency;
        self.target = ideal.min(self.target * 2).min(MOST);
    }
}

/// The loans of the calls whose answers are still needed.
fn needed(calls: VecDeque<Call>) -> Vec<Loan> {
    calls.into_iter().filter(|call| !call.forgotten).map(|call| call.loan).collect()
}

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod tests;
