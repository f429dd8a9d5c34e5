//! Which core computes which value: the state of a native volunteer, without channel, children or clock.
//!
//! Values wait here, in order, and each core is given just enough: one at first, then as many as take about
//! [`AHEAD`] at its measured speed, so that any free core can take what is left and what has not been started can be
//! handed back. A value marked careful goes to a core alone: if that core dies, the guilty one is known.
//!
//! `web/src/link/` is the same for tabs.

use crate::protocol::{Loan, Value};
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// Time's worth of values that a core is given.
const AHEAD: Duration = Duration::from_millis(20);
/// Values that a core is given at most.
const MOST: usize = 4096;
/// Bytes of values in one frame for a core, about.
const MOST_BYTES: usize = 1 << 20;
/// A core that should have ended a call by itself is ended after this much more.
pub(crate) const GRACE: Duration = Duration::from_millis(250);
/// A call that takes longer than this is told to the master.
const LONG: Duration = Duration::from_millis(500);

/// See the module.
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
    /// Values that it has not answered, in order.
    given: VecDeque<Loan>,
    /// One of `given` is careful; it is the only one then.
    careful: bool,
    /// It is at the first of them, as far as is known.
    began: bool,
    /// Calls that may be going on: of the first of `given`, as many as may be open.
    open: VecDeque<OpenCall>,
    target: usize,
}

/// A call that may be going on, seen from outside.
#[derive(Debug)]
struct OpenCall {
    loan: Loan,
    /// It cannot have begun earlier.
    since: Instant,
    /// The master knows that it takes long.
    told: bool,
}

/// What becomes of the values of a core that died.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// The value that did it, when that is certain.
    pub(crate) guilty: Option<Loan>,
    /// The others.
    pub(crate) returned: Vec<Loan>,
    /// One of the others did it.
    pub(crate) careful: bool,
}

impl Dispatch {
    /// For `cores` cores, none of them ready, each to have up to `concurrency` calls open.
    pub(crate) fn new(cores: usize, concurrency: u32, timeout: Option<Duration>) -> Self {
        let least = concurrency as usize;
        let cores = (0..cores).map(|_| CoreState { target: least, ..CoreState::default() }).collect();
        Self { queue: VecDeque::new(), cores, least, timeout }
    }

    /// Values came.
    pub(crate) fn extend(&mut self, values: impl IntoIterator<Item = (Loan, Value)>) {
        self.queue.extend(values);
    }

    /// Core `core` has loaded the function.
    pub(crate) fn ready(&mut self, core: usize) {
        self.cores[core].ready = true;
    }

    /// The next values to give, and to which core; none when no core wants any.
    pub(crate) fn feed(&mut self, now: Instant) -> Option<(usize, Vec<(Loan, Value)>)> {
        let careful = self.queue.front()?.1.careful;
        let ready = self.cores.iter().filter(|core| core.ready).count();
        let (number, core) =
            self.cores.iter_mut().enumerate().filter(|(_, core)| core.wants(careful)).min_by_key(|(_, core)| core.given.len())?;
        let share = self.queue.len().div_ceil(ready);
        let most = if careful { 1 } else { (core.target - core.given.len()).min(share.max(self.least)) };
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

    /// Core `core` is about to compute `loan`.
    pub(crate) fn started(&mut self, core: usize, loan: Loan, now: Instant) {
        let core = &mut self.cores[core];
        core.began = true;
        // Nor have those that were given after it begun before.
        core.open.iter_mut().skip_while(|call| call.loan != loan).for_each(|call| call.since = now);
    }

    /// Core `core` answered `loans`, which took `micros` microseconds in all.
    pub(crate) fn answered(&mut self, core: usize, loans: impl Iterator<Item = Loan>, micros: u64, now: Instant) {
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
        core.target = ((AHEAD.as_micros() as u64 / each) as usize).clamp(least, (core.target * 2).min(MOST.max(least)));
    }

    /// Core `core` died, or was killed.
    pub(crate) fn died(&mut self, core: usize) -> Verdict {
        let began = self.cores[core].began;
        let given = self.ended(core);
        match given[..] {
            [only] if began => Verdict { guilty: Some(only), ..Verdict::default() },
            _ => Verdict { guilty: None, careful: began && !given.is_empty(), returned: given },
        }
    }

    /// Core `core` is no more; gives what it may have been at, if that is to be computed with care, and what it had besides.
    pub(crate) fn spoiled(&mut self, core: usize, careful: bool) -> (Vec<Loan>, Vec<Loan>) {
        let mut open = self.ended(core);
        // Calls begin in the order in which values were given.
        let others = open.split_off(if careful { open.len().min(self.least) } else { 0 });
        (open, others)
    }

    /// Core `core` is no more; gives what it had not answered.
    fn ended(&mut self, core: usize) -> Vec<Loan> {
        let fresh = CoreState { target: self.least, ..CoreState::default() };
        std::mem::replace(&mut self.cores[core], fresh).given.into()
    }

    /// Cores whose call should have ended long ago: they are to be killed.
    pub(crate) fn overdue(&self, now: Instant) -> Vec<usize> {
        let Some(timeout) = self.timeout else { return Vec::new() };
        let late = |core: &CoreState| core.open.front().is_some_and(|call| now >= call.since + timeout + GRACE);
        self.cores.iter().enumerate().filter(|(_, core)| late(core)).map(|(number, _)| number).collect()
    }

    /// When [`Dispatch::overdue`] is worth another look.
    pub(crate) fn next_overdue(&self) -> Option<Instant> {
        let timeout = self.timeout?;
        self.cores.iter().filter_map(|core| core.open.front()).map(|call| call.since + timeout + GRACE).min()
    }

    /// Calls that have become long since the last time this was asked, and for how many milliseconds they have run.
    pub(crate) fn long_calls(&mut self, now: Instant) -> Vec<(Loan, u64)> {
        let age = |call: &OpenCall| now.saturating_duration_since(call.since);
        let calls = self.cores.iter_mut().flat_map(|core| &mut core.open).filter(|call| !call.told && age(call) >= LONG);
        calls
            .map(|call| {
                call.told = true;
                (call.loan, age(call).as_millis() as u64)
            })
            .collect()
    }

    /// Tells of long calls anew, over another link: only simulated devices have one so far.
    #[cfg(test)]
    pub(crate) fn tell_again(&mut self) {
        self.cores.iter_mut().flat_map(|core| &mut core.open).for_each(|call| call.told = false);
    }

    /// Takes back those of `loans` that no core has been given.
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
        open.extend(given.iter().take(most).skip(open.len()).map(|loan| OpenCall { loan: *loan, since: now, told: false }));
    }

    fn wants(&self, careful: bool) -> bool {
        let few =
            if careful { self.given.is_empty() } else { self.given.len() * 2 <= self.target && self.given.len() < self.target };
        self.ready && few && !self.careful
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Form;

    fn values(ids: std::ops::Range<u64>) -> Vec<(Loan, Value)> {
        ids.map(|id| (Loan::first(id), Value::new("x".into(), Form::Text))).collect()
    }

    fn ids(values: &[(Loan, Value)]) -> Vec<u64> {
        values.iter().map(|(loan, _)| loan.index).collect()
    }

    fn loans(ids: impl IntoIterator<Item = u64>) -> Vec<Loan> {
        ids.into_iter().map(Loan::first).collect()
    }

    #[test]
    fn a_slow_function_gets_one_value_per_core() {
        let now = Instant::now();
        let mut dispatch = Dispatch::new(2, 1, None);
        dispatch.extend(values(0..10));
        assert!(dispatch.feed(now).is_none(), "no core is ready");
        dispatch.ready(0);
        dispatch.ready(1);
        assert_eq!(ids(&dispatch.feed(now).unwrap().1), [0]);
        assert_eq!(ids(&dispatch.feed(now).unwrap().1), [1]);
        assert!(dispatch.feed(now).is_none());
        dispatch.answered(1, loans([1]).into_iter(), 1_000_000, now);
        let (core, given) = dispatch.feed(now).unwrap();
        assert_eq!((core, ids(&given)), (1, vec![2]));
    }

    #[test]
    fn a_fast_function_gets_ever_more_up_to_20_ms() {
        let now = Instant::now();
        let mut dispatch = Dispatch::new(1, 1, None);
        dispatch.ready(0);
        dispatch.extend(values(0..100_000));
        let mut most = 0;
        for _ in 0..30 {
            let (core, given) = dispatch.feed(now).unwrap();
            most = given.len();
            dispatch.answered(core, given.iter().map(|(loan, _)| *loan), 100 * given.len() as u64, now);
        }
        assert_eq!(most, 200);
    }

    #[test]
    fn a_death_with_one_value_is_its_fault_and_with_several_it_is_open() {
        let now = Instant::now();
        let mut dispatch = Dispatch::new(1, 1, Some(Duration::from_secs(1)));
        dispatch.ready(0);
        dispatch.extend(values(0..100));
        dispatch.feed(now);
        dispatch.started(0, Loan::first(0), now);
        dispatch.answered(0, loans([0]).into_iter(), 1, now);
        let (_, given) = dispatch.feed(now).unwrap();
        assert_eq!(ids(&given), [1, 2]);
        dispatch.started(0, Loan::first(1), now);
        assert_eq!(dispatch.overdue(now + Duration::from_millis(1200)), [] as [usize; 0]);
        assert_eq!(dispatch.overdue(now + Duration::from_millis(1250)), [0]);
        assert_eq!(dispatch.died(0), Verdict { guilty: None, returned: loans([1, 2]), careful: true });
        dispatch.ready(0);
        dispatch.feed(now);
        dispatch.started(0, Loan::first(3), now);
        assert_eq!(dispatch.died(0).guilty, Some(Loan::first(3)));
    }

    #[test]
    fn a_core_that_never_begins_what_it_was_given_is_ended_and_the_value_is_not_blamed() {
        let now = Instant::now();
        let mut dispatch = Dispatch::new(1, 1, Some(Duration::from_secs(1)));
        dispatch.ready(0);
        dispatch.extend(values(0..1));
        dispatch.feed(now);
        assert_eq!(dispatch.long_calls(now + Duration::from_millis(600)), [(Loan::first(0), 600)]);
        assert_eq!(dispatch.overdue(now + Duration::from_millis(1250)), [0]);
        assert_eq!(dispatch.died(0), Verdict { guilty: None, returned: loans([0]), careful: false });
        assert_eq!(dispatch.next_overdue(), None);
    }

    #[test]
    fn of_a_core_that_may_not_go_on_only_what_was_open_is_doubtful() {
        let now = Instant::now();
        for (careful, expected) in [(true, (loans(0..2), loans(2..3))), (false, (vec![], loans(0..3)))] {
            let mut dispatch = Dispatch::new(1, 2, None);
            dispatch.ready(0);
            dispatch.extend(values(0..1));
            dispatch.feed(now);
            dispatch.extend(values(1..3));
            dispatch.cores[0].target = 4;
            dispatch.feed(now);
            assert_eq!(dispatch.spoiled(0, careful), expected);
        }
    }

    #[test]
    fn each_of_several_open_calls_has_its_own_time() {
        let start = Instant::now();
        let after = |millis| start + Duration::from_millis(millis);
        let mut dispatch = Dispatch::new(1, 2, Some(Duration::from_secs(1)));
        dispatch.ready(0);
        dispatch.extend(values(0..2));
        dispatch.feed(start);
        dispatch.started(0, Loan::first(0), after(10));
        assert_eq!(dispatch.long_calls(after(510)), [(Loan::first(0), 500), (Loan::first(1), 500)]);
        dispatch.extend(values(2..3));
        dispatch.answered(0, loans([1]).into_iter(), 1_000_000, after(600));
        dispatch.feed(after(700));
        // What another one answers makes it no younger.
        assert_eq!(dispatch.next_overdue(), Some(after(1260)));
        assert_eq!(dispatch.long_calls(after(1200)), [(Loan::first(2), 500)]);
        assert_eq!(dispatch.overdue(after(1259)), [] as [usize; 0]);
        assert_eq!(dispatch.overdue(after(1260)), [0]);
    }

    #[test]
    fn what_was_computed_for_an_earlier_loan_is_not_taken_for_the_present_one() {
        let now = Instant::now();
        let mut dispatch = Dispatch::new(1, 1, None);
        dispatch.ready(0);
        let (first, second) = (Loan::first(0), Loan { index: 0, number: 1 });
        dispatch.extend(values(0..1));
        dispatch.feed(now);
        dispatch.extend([(second, Value::new("x".into(), Form::Text))]);
        assert_eq!(dispatch.recall(&[first]), [], "a core has it");
        dispatch.answered(0, [first].into_iter(), 1, now);
        assert_eq!(dispatch.feed(now).unwrap().1[0].0, second);
        dispatch.answered(0, [first].into_iter(), 1, now);
        dispatch.started(0, first, now + Duration::from_secs(1));
        assert_eq!(dispatch.long_calls(now + Duration::from_secs(1)), [(second, 1000)]);
    }

    #[test]
    fn a_careful_value_goes_alone() {
        let now = Instant::now();
        let mut dispatch = Dispatch::new(1, 4, None);
        dispatch.ready(0);
        let mut list = values(0..3);
        list[1].1.careful = true;
        dispatch.extend(list);
        assert_eq!(ids(&dispatch.feed(now).unwrap().1), [0]);
        assert!(dispatch.feed(now).is_none());
        dispatch.answered(0, loans([0]).into_iter(), 1, Instant::now());
        assert_eq!(ids(&dispatch.feed(now).unwrap().1), [1]);
        assert!(dispatch.feed(now).is_none());
        dispatch.answered(0, loans([1]).into_iter(), 1, Instant::now());
        assert_eq!(ids(&dispatch.feed(now).unwrap().1), [2]);
    }
}
