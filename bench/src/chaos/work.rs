//! The work of a volunteer: waiting values, calls, and results that are not sent yet. Pure: time
//! is an argument.

use super::chance::Chance;
use pando_protocol::volunteer::{Answer, Loan, Running, Value};
use std::time::{Duration, Instant};

/// The volunteer reports a call to the master when it takes longer than this.
const LONG: Duration = Duration::from_millis(50);

/// The values that a volunteer holds, with their states.
#[derive(Debug, Default)]
pub(crate) struct Work {
    held: Vec<Held>,
}

#[derive(Debug)]
struct Held {
    loan: Loan,
    state: State,
}

#[derive(Debug)]
enum State {
    Waits(Value),
    Computes { value: Value, since: Instant, until: Instant, told: bool },
    Done(Answer),
}

impl Work {
    /// Adds a value. It replaces the same value of an earlier loan, whose answer nobody needs any
    /// more.
    pub(crate) fn add(&mut self, loan: Loan, value: Value) {
        self.held.retain(|held| held.loan.index != loan.index);
        self.held.push(Held { loan, state: State::Waits(value) });
    }

    /// Adds a result that was sent before, so that it is sent again.
    pub(crate) fn add_done(&mut self, answer: Answer) {
        self.held.retain(|held| held.loan.index != answer.loan.index);
        self.held.push(Held { loan: answer.loan, state: State::Done(answer) });
    }

    /// Moves the clock to `now`: ends the calls that are over, with the answer from `answer`, and
    /// starts others on `cores` cores.
    pub(crate) fn advance(
        &mut self,
        now: Instant,
        cores: usize,
        mut time: impl FnMut(&mut Chance) -> Duration,
        mut answer: impl FnMut(&mut Chance, Loan, &Value, Duration) -> Answer,
        (chance, shuffles): (&mut Chance, bool),
    ) {
        let mut computing = 0;
        for held in &mut self.held {
            if let State::Computes { value, since, until, .. } = &held.state {
                if *until <= now {
                    held.state = State::Done(answer(chance, held.loan, value, *until - *since));
                } else {
                    computing += 1;
                }
            }
        }
        while computing < cores {
            let waiting: Vec<usize> = (0..self.held.len())
                .filter(|at| matches!(self.held[*at].state, State::Waits(_)))
                .take(if shuffles { 16 } else { 1 })
                .collect();
            if waiting.is_empty() {
                return;
            }
            let held = &mut self.held[chance.one(&waiting)];
            let State::Waits(value) = &held.state else { return };
            let time = time(chance);
            if time.is_zero() {
                held.state = State::Done(answer(chance, held.loan, value, time));
            } else {
                held.state = State::Computes {
                    value: value.clone(),
                    since: now,
                    until: now + time,
                    told: false,
                };
                computing += 1;
            }
        }
    }

    /// Takes the finished results.
    pub(crate) fn take_done(&mut self) -> Vec<Answer> {
        let (done, held) = std::mem::take(&mut self.held)
            .into_iter()
            .partition(|held| matches!(held.state, State::Done(_)));
        self.held = held;
        let done: Vec<Held> = done;
        let answers = done.into_iter().filter_map(|held| {
            if let State::Done(answer) = held.state { Some(answer) } else { None }
        });
        answers.collect()
    }

    /// The next time at which a call ends or becomes long.
    pub(crate) fn next(&self) -> Option<Instant> {
        let times = self.held.iter().filter_map(|held| match &held.state {
            State::Computes { since, until, told: false, .. } => Some((*until).min(*since + LONG)),
            State::Computes { until, .. } => Some(*until),
            _ => None,
        });
        times.min()
    }

    /// The calls that have become long since the last time this was called.
    pub(crate) fn long_calls(&mut self, now: Instant) -> Vec<Running> {
        let mut running = Vec::new();
        for held in &mut self.held {
            if let State::Computes { since, told, .. } = &mut held.state
                && !*told
                && *since + LONG <= now
            {
                *told = true;
                running.push(Running {
                    id: held.loan,
                    ms: now.saturating_duration_since(*since).as_millis() as u64,
                });
            }
        }
        running
    }

    /// Removes the values in `ids` whose calls have not begun, and returns their loans.
    pub(crate) fn recall(&mut self, ids: &[Loan]) -> Vec<Loan> {
        let mut returned = Vec::new();
        self.held.retain(|held| {
            let back = matches!(held.state, State::Waits(_)) && ids.contains(&held.loan);
            returned.extend(back.then_some(held.loan));
            !back
        });
        returned
    }

    /// The loans of all values held.
    pub(crate) fn ids(&self) -> Vec<Loan> {
        self.held.iter().map(|held| held.loan).collect()
    }

    /// Forgets all loans that are not among `ids`.
    pub(crate) fn keep(&mut self, ids: &[Loan]) {
        self.held.retain(|held| ids.contains(&held.loan));
    }

    /// Delays the end of every call by `time`, because the volunteer was suspended.
    pub(crate) fn stood_still(&mut self, time: Duration) {
        for held in &mut self.held {
            if let State::Computes { until, .. } = &mut held.state {
                *until += time;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pando_protocol::volunteer::Form;

    const MS: Duration = Duration::from_millis(1);

    fn advance(work: &mut Work, now: Instant, cores: usize) -> Vec<u64> {
        let answer = |_: &mut Chance, loan, value: &Value, _| Answer {
            loan,
            micros: 0,
            result: Ok((value.form, value.bytes.clone())),
        };
        work.advance(now, cores, |_| 10 * MS, answer, (&mut Chance::of(1), false));
        work.take_done().iter().map(|answer| answer.loan.index).collect()
    }

    #[test]
    fn calls_go_on_in_turn_and_stand_still_with_the_volunteer() {
        let start = Instant::now();
        let mut work = Work::default();
        (0..3).for_each(|id| work.add(Loan::first(id), Value::new("x".into(), Form::Text)));
        assert!(advance(&mut work, start, 2).is_empty());
        assert_eq!(work.recall(&[0, 2].map(Loan::first)), [Loan::first(2)]);
        work.stood_still(5 * MS);
        assert_eq!(work.next(), Some(start + 15 * MS));
        assert!(advance(&mut work, start + 14 * MS, 2).is_empty());
        assert_eq!(advance(&mut work, start + 15 * MS, 2), [0, 1]);
        assert!(work.ids().is_empty());
    }
}
