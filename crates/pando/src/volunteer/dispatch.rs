//! Decides which core computes which value: the state of a native volunteer's host, without
//! channel, children or clock.
//!
//! Values wait here, in order, and each core is given just enough: at first as many values as it
//! may compute at once, then as many as take about [`AHEAD`] at the measured speed of the core. So
//! any free core can take the values that wait, and these can also be handed back. A careful value
//! goes to a core alone: if that core dies, the cause is known.
//!
//! `web/src/link/` does the same for tabs.

use crate::protocol::{Loan, Value};
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// How long the values that a core is given should take.
const AHEAD: Duration = Duration::from_millis(20);
/// Most values that a core is given.
const MOST: usize = 4096;
/// Approximate bytes of values in one frame for a core.
const MOST_BYTES: usize = 1 << 20;
/// How long after its timeout a call may still end by itself, before the core is killed.
pub(crate) const GRACE: Duration = Duration::from_millis(250);
/// How long a call runs before it is reported to the master.
const LONG: Duration = Duration::from_millis(500);

/// The queue of values and the state of the cores; see the module.
#[derive(Debug)]
pub(crate) struct Dispatch {
    queue: VecDeque<(Loan, Value)>,
    cores: Vec<CoreState>,
    least: usize,
    timeout: Option<Duration>,
}

#[derive(Debug, Default)]
struct CoreState {
    ready: bool,
    /// Loans that the core has not answered, in order.
    given: VecDeque<Loan>,
    /// Whether `given` holds a careful value, which is then the only one.
    careful: bool,
    /// Whether the core has begun the first loan of `given`, as far as is known.
    began: bool,
    /// Calls that may be in progress: for the first loans of `given`, as many as may run at once.
    open: VecDeque<OpenCall>,
    target: usize,
}

/// A call that may be in progress, as seen by the host.
#[derive(Debug)]
struct OpenCall {
    loan: Loan,
    /// The earliest time at which the call can have begun.
    since: Instant,
    /// Whether the call has been reported to the master as long.
    told: bool,
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
        let least = concurrency as usize;
        let cores =
            (0..cores).map(|_| CoreState { target: least, ..CoreState::default() }).collect();
        Self { queue: VecDeque::new(), cores, least, timeout }
    }

    /// Adds values to the queue.
    pub(crate) fn extend(&mut self, values: impl IntoIterator<Item = (Loan, Value)>) {
        self.queue.extend(values);
    }

    /// Notes that core `core` has loaded the function.
    pub(crate) fn ready(&mut self, core: usize) {
        self.cores[core].ready = true;
    }

    /// The next values to give, and the core to give them to; `None` if no core wants any. The
    /// values leave the queue.
    pub(crate) fn feed(&mut self, now: Instant) -> Option<(usize, Vec<(Loan, Value)>)> {
        let careful = self.queue.front()?.1.careful;
        let ready = self.cores.iter().filter(|core| core.ready).count();
        let (number, core) = self
            .cores
            .iter_mut()
            .enumerate()
            .filter(|(_, core)| core.wants(careful))
            .min_by_key(|(_, core)| core.given.len())?;
        let share = self.queue.len().div_ceil(ready);
        let most =
            if careful { 1 } else { (core.target - core.given.len()).min(share.max(self.least)) };
        let (mut values, mut bytes) = (Vec::new(), 0);
        while values.len() < most && bytes < MOST_BYTES {
            match self.queue.pop_front_if(|(_, value)| value.careful == careful) {
                None => break,
                Some((loan, value)) => {
                    bytes += value.bytes.len();
                    core.given.push_back(loan);
                    values.push((loan, value));
                }
            }
        }
        core.careful = careful;
        core.look(self.least, now);
        Some((number, values))
    }

    /// Notes that core `core` is about to compute `loan`.
    pub(crate) fn started(&mut self, core: usize, loan: Loan, now: Instant) {
        let core = &mut self.cores[core];
        core.began = true;
        // Calls for later values cannot have begun earlier either.
        core.open.iter_mut().skip_while(|call| call.loan != loan).for_each(|call| call.since = now);
    }

    /// Notes that core `core` answered `loans`, which took `micros` microseconds altogether.
    pub(crate) fn answered(
        &mut self,
        core: usize,
        loans: impl Iterator<Item = Loan>,
        micros: u64,
        now: Instant,
    ) {
        let least = self.least;
        let core = &mut self.cores[core];
        let mut count = 0;
        for loan in loans {
            count += 1;
            if let Some(at) = core.given.iter().position(|given| *given == loan) {
                core.given.remove(at);
                core.open.remove(at);
            }
        }
        core.careful &= !core.given.is_empty();
        core.began = !core.given.is_empty();
        core.look(least, now);
        let each = (micros / u64::max(count, 1)).max(1);
        core.target = ((AHEAD.as_micros() as u64 / each) as usize)
            .clamp(least, (core.target * 2).min(MOST.max(least)));
    }

    /// Settles the values of core `core`, which died or was killed.
    pub(crate) fn died(&mut self, core: usize) -> CrashOutcome {
        let began = self.cores[core].began;
        let given = self.ended(core);
        match given[..] {
            [only] if began => CrashOutcome { culprit: Some(only), ..CrashOutcome::default() },
            _ => {
                CrashOutcome { culprit: None, careful: began && !given.is_empty(), returned: given }
            }
        }
    }

    /// Settles the values of core `core`, which ends after an uncaught error. Returns the loans
    /// that may have been in progress, if `careful`, and the other loans.
    pub(crate) fn spoiled(&mut self, core: usize, careful: bool) -> (Vec<Loan>, Vec<Loan>) {
        let mut open = self.ended(core);
        // Calls begin in the order in which values were given.
        let others = open.split_off(if careful { open.len().min(self.least) } else { 0 });
        (open, others)
    }

    /// Resets core `core`, which has ended; returns the unanswered loans.
    fn ended(&mut self, core: usize) -> Vec<Loan> {
        let fresh = CoreState { target: self.least, ..CoreState::default() };
        std::mem::replace(&mut self.cores[core], fresh).given.into()
    }

    /// The cores to kill because a call is past its timeout.
    pub(crate) fn overdue(&self, now: Instant) -> Vec<usize> {
        let Some(timeout) = self.timeout else { return Vec::new() };
        let late = |core: &CoreState| {
            core.open.front().is_some_and(|call| now >= call.since + timeout + GRACE)
        };
        self.cores
            .iter()
            .enumerate()
            .filter(|(_, core)| late(core))
            .map(|(number, _)| number)
            .collect()
    }

    /// The time of the next timeout that [`Dispatch::overdue`] may find.
    pub(crate) fn next_overdue(&self) -> Option<Instant> {
        let timeout = self.timeout?;
        self.cores
            .iter()
            .filter_map(|core| core.open.front())
            .map(|call| call.since + timeout + GRACE)
            .min()
    }

    /// Calls that have become long since the last report, with durations in milliseconds. Marks
    /// the calls as reported.
    pub(crate) fn long_calls(&mut self, now: Instant) -> Vec<(Loan, u64)> {
        let age = |call: &OpenCall| now.saturating_duration_since(call.since);
        let calls = self
            .cores
            .iter_mut()
            .flat_map(|core| &mut core.open)
            .filter(|call| !call.told && age(call) >= LONG);
        calls
            .map(|call| {
                call.told = true;
                (call.loan, age(call).as_millis() as u64)
            })
            .collect()
    }

    /// Reports long calls again, over another channel; only simulated devices have another one.
    #[cfg(test)]
    pub(crate) fn tell_again(&mut self) {
        self.cores.iter_mut().flat_map(|core| &mut core.open).for_each(|call| call.told = false);
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
    /// Brings `open` up to date: calls begin in the order in which their values were given.
    fn look(&mut self, most: usize, now: Instant) {
        let (given, open) = (&self.given, &mut self.open);
        open.extend(given.iter().take(most).skip(open.len()).map(|loan| OpenCall {
            loan: *loan,
            since: now,
            told: false,
        }));
    }

    fn wants(&self, careful: bool) -> bool {
        let few = if careful {
            self.given.is_empty()
        } else {
            self.given.len() * 2 <= self.target && self.given.len() < self.target
        };
        self.ready && few && !self.careful
    }
}

#[cfg(test)]
mod tests;
