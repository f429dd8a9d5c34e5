//! The simulated work of one volunteer. Pure: time is an argument.

use pando_protocol::volunteer::{Answer, Failure, Loan, Running, Value};
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// The volunteer reports a call to the master when it takes longer than this.
const LONG: Duration = Duration::from_millis(500);

/// Waiting values and simulated calls. Each call takes the same time.
#[derive(Debug)]
pub(crate) struct Work {
    cores: usize,
    compute: Duration,
    failure_rate: f64,
    queue: VecDeque<(Loan, Value)>,
    /// The calls in the order of their starts, which is also the order of their ends.
    calls: VecDeque<Call>,
    /// The number of `calls` that have been reported as long.
    told: usize,
    chance: fastrand::Rng,
}

#[derive(Debug)]
struct Call {
    start: Instant,
    loan: Loan,
    value: Value,
}

impl Work {
    pub(crate) fn new(
        cores: u32,
        compute: Duration,
        failure_rate: f64,
        chance: fastrand::Rng,
    ) -> Self {
        Self {
            cores: cores as usize,
            compute,
            failure_rate,
            queue: VecDeque::new(),
            calls: VecDeque::new(),
            told: 0,
            chance,
        }
    }

    /// Adds values. Returns the answers that are ready at once.
    pub(crate) fn extend(&mut self, values: Vec<(Loan, Value)>, now: Instant) -> Vec<Answer> {
        if self.compute.is_zero() {
            return values.into_iter().map(|(loan, value)| self.answer(loan, value)).collect();
        }
        let answers = self.advance(now);
        self.queue.extend(values);
        self.start_calls(now);
        answers
    }

    /// Moves the clock to `now`, and returns the answers of the calls that have ended.
    pub(crate) fn advance(&mut self, now: Instant) -> Vec<Answer> {
        let mut answers = Vec::new();
        while let Some(call) = self.calls.pop_front_if(|call| call.start + self.compute <= now) {
            self.told = self.told.saturating_sub(1);
            answers.push(self.answer(call.loan, call.value));
            self.start_calls(call.start + self.compute);
        }
        answers
    }

    fn start_calls(&mut self, start: Instant) {
        while self.calls.len() < self.cores {
            let Some((loan, value)) = self.queue.pop_front() else { return };
            self.calls.push_back(Call { start, loan, value });
        }
    }

    fn answer(&mut self, loan: Loan, value: Value) -> Answer {
        let fails = self.failure_rate > 0.0 && self.chance.f64() < self.failure_rate;
        let failure =
            || Failure { message: "it fails by chance".into(), stack: None, kind: "error".into() };
        let result = if fails { Err(failure()) } else { Ok((value.form, value.bytes)) };
        Answer { loan, micros: self.compute.as_micros() as u64, result }
    }

    /// The next time at which a call ends or becomes long.
    pub(crate) fn next(&self) -> Option<Instant> {
        let end = self.calls.front().map(|call| call.start + self.compute);
        let long = self.calls.get(self.told).map(|call| call.start + LONG);
        end.into_iter().chain(long).min()
    }

    /// The calls that have become long since the last call of this function.
    pub(crate) fn long_calls(&mut self, now: Instant) -> Vec<Running> {
        let mut running = Vec::new();
        while let Some(call) = self.calls.get(self.told).filter(|call| call.start + LONG <= now) {
            running.push(Running {
                id: call.loan,
                ms: now.saturating_duration_since(call.start).as_millis() as u64,
            });
            self.told += 1;
        }
        running
    }

    /// Removes the values in `ids` whose calls have not begun, and returns their loans.
    pub(crate) fn recall(&mut self, ids: &[Loan]) -> Vec<Loan> {
        let mut returned = Vec::new();
        self.queue.retain(|(id, _)| {
            let back = ids.contains(id);
            returned.extend(back.then_some(*id));
            !back
        });
        returned
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pando_protocol::volunteer::Form;

    const MS: Duration = Duration::from_millis(1);

    fn values(ids: std::ops::Range<u64>) -> Vec<(Loan, Value)> {
        ids.map(|id| (Loan::first(id), Value::new(id.to_string().into(), Form::Text))).collect()
    }

    fn ids(answers: &[Answer]) -> Vec<u64> {
        answers.iter().map(|answer| answer.loan.index).collect()
    }

    #[test]
    fn cores_work_side_by_side_and_without_pause() {
        let start = Instant::now();
        let mut work = Work::new(2, 10 * MS, 0.0, fastrand::Rng::with_seed(1));
        assert!(work.extend(values(0..5), start).is_empty());
        assert_eq!(work.next(), Some(start + 10 * MS));
        assert_eq!(ids(&work.advance(start + 10 * MS)), [0, 1]);
        assert_eq!(ids(&work.advance(start + 35 * MS)), [2, 3, 4]);
        assert_eq!(work.next(), None);
    }

    #[test]
    fn only_what_waits_can_be_recalled() {
        let start = Instant::now();
        let mut work = Work::new(1, 10 * MS, 0.0, fastrand::Rng::with_seed(1));
        work.extend(values(0..3), start);
        assert_eq!(work.recall(&[0, 2, 7].map(Loan::first)), [Loan::first(2)]);
        assert_eq!(ids(&work.advance(start + 20 * MS)), [0, 1]);
    }

    #[test]
    fn a_long_call_is_told_once() {
        let start = Instant::now();
        let mut work = Work::new(1, 2000 * MS, 0.0, fastrand::Rng::with_seed(1));
        work.extend(values(0..2), start);
        assert_eq!(work.next(), Some(start + LONG));
        assert!(work.long_calls(start + 499 * MS).is_empty());
        assert_eq!(work.long_calls(start + 500 * MS).len(), 1);
        assert!(work.long_calls(start + 900 * MS).is_empty());
        assert_eq!(work.next(), Some(start + 2000 * MS));
        assert_eq!(ids(&work.advance(start + 2000 * MS)), [0]);
        assert_eq!(work.long_calls(start + 2500 * MS).len(), 1);
    }
}
