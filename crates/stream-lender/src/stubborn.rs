//! Results that count only after a confirmation.

use std::{collections::BTreeMap, error, fmt};

use crate::{Index, Refused};

/// Keeps each submitted value until its result is confirmed. If a result is refuted, it is
/// forgotten and the value is submitted again, a bounded number of times.
///
/// A result may be only a promise: the name of a file that must still be fetched, or a number that
/// must still be checked. Each value goes [`submit`](Self::submit) → [`result`](Self::result) →
/// [`confirm`](Self::confirm), or [`refute`](Self::refute) and then from the start. Confirming may
/// take its time, and other values go on meanwhile. An answer about an earlier attempt does not
/// touch a later attempt.
///
/// ```
/// use stream_lender::{Refuted, Stubborn};
///
/// let mut stubborn = Stubborn::new(3);
/// stubborn.submit(0, "value");
/// let trial = stubborn.result(0, "wrong")?;
/// assert_eq!(stubborn.refute(trial), Ok(Refuted::Resubmit("value")));
/// let trial = stubborn.result(0, "right")?;
/// assert_eq!(stubborn.confirm(trial), Ok("right"));
/// # Ok::<(), stream_lender::Refused>(())
/// ```
///
/// [`stubbornly`] does the same for one value with futures.
#[derive(Clone, Debug)]
pub struct Stubborn<T, R> {
    attempts: u32,
    values: BTreeMap<Index, Submitted<T, R>>,
    trials: u64,
}

#[derive(Clone, Debug)]
struct Submitted<T, R> {
    value: T,
    trial: Trial,
    /// The result that waits to be confirmed.
    result: Option<R>,
}

/// An attempt at a value; the result waits to be confirmed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Trial {
    /// The value's index.
    pub index: Index,
    /// The number of this attempt at the value, from 1.
    pub attempt: u32,
    /// A number that differs between all attempts at all values, also when a value is submitted
    /// anew.
    number: u64,
}

/// What to do after a result was refuted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refuted<T, R> {
    /// Submit the value again; its next result is awaited.
    Resubmit(T),
    /// There are no attempts left. The value is forgotten; here is the last result.
    GiveUp(R),
}

impl<T: Clone, R> Stubborn<T, R> {
    /// Allows `attempts` attempts at each value; 0 counts as 1.
    pub fn new(attempts: u32) -> Self {
        Stubborn { attempts: attempts.max(1), values: BTreeMap::new(), trials: 0 }
    }

    /// Notes that a value is submitted. A value submitted before starts anew, with no attempt
    /// used.
    pub fn submit(&mut self, index: Index, value: T) {
        let trial = self.next_trial(index, 1);
        let submitted = Submitted { value, trial, result: None };
        self.values.insert(index, submitted);
    }

    /// Keeps the result of a submitted value until the result is confirmed or refuted.
    ///
    /// # Errors
    /// [`Refused::NotHeld`] if no result is awaited for this value: the value already has a
    /// result, or is not submitted.
    pub fn result(&mut self, index: Index, result: R) -> Result<Trial, Refused> {
        match self.values.get_mut(&index) {
            Some(submitted) if submitted.result.is_none() => {
                submitted.result = Some(result);
                Ok(submitted.trial)
            }
            _ => Err(Refused::NotHeld),
        }
    }

    /// Says that the result of this attempt counts. Returns the result, and forgets the value.
    ///
    /// # Errors
    /// [`Refused::NotHeld`] if no result of this attempt waits to be confirmed.
    pub fn confirm(&mut self, trial: Trial) -> Result<R, Refused> {
        let result = self.take(trial)?;
        self.values.remove(&trial.index);
        Ok(result)
    }

    /// Says that the result of this attempt does not count: the value is tried again, if any
    /// attempts are left.
    ///
    /// # Errors
    /// As for [`confirm`](Self::confirm).
    pub fn refute(&mut self, trial: Trial) -> Result<Refuted<T, R>, Refused> {
        let result = self.take(trial)?;
        let next = self.next_trial(trial.index, trial.attempt + 1);
        match self.values.get_mut(&trial.index) {
            Some(submitted) if trial.attempt < self.attempts => {
                submitted.trial = next;
                Ok(Refuted::Resubmit(submitted.value.clone()))
            }
            _ => {
                self.values.remove(&trial.index);
                Ok(Refuted::GiveUp(result))
            }
        }
    }

    /// Forgets a value, because its submission is cancelled or handled elsewhere.
    pub fn withdraw(&mut self, index: Index) -> Option<T> {
        self.values.remove(&index).map(|submitted| submitted.value)
    }

    /// How many values are submitted and not confirmed.
    pub fn unconfirmed(&self) -> usize {
        self.values.len()
    }

    fn next_trial(&mut self, index: Index, attempt: u32) -> Trial {
        self.trials += 1;
        let number = self.trials;
        Trial { index, attempt, number }
    }

    fn take(&mut self, trial: Trial) -> Result<R, Refused> {
        self.values
            .get_mut(&trial.index)
            .filter(|submitted| submitted.trial == trial)
            .and_then(|submitted| submitted.result.take())
            .ok_or(Refused::NotHeld)
    }
}

/// The error of [`stubbornly`]: no attempt's result was confirmed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GaveUp<R> {
    /// The number of attempts.
    pub attempts: u32,
    /// The result of the last attempt.
    pub last: R,
}

impl<R> fmt::Display for GaveUp<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let times = if self.attempts == 1 { "attempt" } else { "attempts" };
        write!(f, "no result was confirmed in {} {times}", self.attempts)
    }
}

impl<R: fmt::Debug> error::Error for GaveUp<R> {}

/// Submits one value until `confirm` accepts its result, at most `attempts` times and at least
/// once. `submit` also gets the number of the attempt, from 1.
///
/// # Errors
/// [`GaveUp`] with the last result, if no result was confirmed.
pub async fn stubbornly<T: Clone, R>(
    value: T,
    attempts: u32,
    mut submit: impl AsyncFnMut(T, u32) -> R,
    mut confirm: impl AsyncFnMut(&R) -> bool,
) -> Result<R, GaveUp<R>> {
    let mut attempt = 1;
    loop {
        let result = submit(value.clone(), attempt).await;
        if confirm(&result).await {
            return Ok(result);
        }
        if attempt >= attempts {
            return Err(GaveUp { attempts: attempt, last: result });
        }
        attempt += 1;
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::{GaveUp, Refuted, Stubborn, stubbornly};
    use crate::Refused;

    #[test]
    fn a_result_counts_once_it_is_confirmed() {
        let mut stubborn = Stubborn::new(2);
        assert_eq!(stubborn.result(5, 'x'), Err(Refused::NotHeld), "not submitted");
        stubborn.submit(5, 'v');
        let trial = stubborn.result(5, 'r').unwrap();
        assert_eq!((trial.index, trial.attempt), (5, 1));
        assert_eq!(stubborn.result(5, 'x'), Err(Refused::NotHeld), "doubled");
        assert_eq!(stubborn.confirm(trial), Ok('r'));
        assert_eq!(stubborn.confirm(trial), Err(Refused::NotHeld), "once");
        assert_eq!(stubborn.unconfirmed(), 0);
    }

    #[test]
    fn attempts_are_bounded() {
        for attempts in [0, 1, 2, 7] {
            let mut stubborn = Stubborn::new(attempts);
            stubborn.submit(0, 'v');
            for attempt in 1..attempts.max(1) {
                let trial = stubborn.result(0, attempt).unwrap();
                assert_eq!(stubborn.refute(trial), Ok(Refuted::Resubmit('v')));
            }
            let trial = stubborn.result(0, 99).unwrap();
            assert_eq!(stubborn.refute(trial), Ok(Refuted::GiveUp(99)));
            assert_eq!(stubborn.unconfirmed(), 0);
        }
    }

    #[test]
    fn what_is_said_of_an_earlier_attempt_does_not_touch_a_later_one() {
        let mut stubborn = Stubborn::new(3);
        stubborn.submit(0, 'v');
        let first = stubborn.result(0, 1).unwrap();
        stubborn.refute(first).unwrap();
        assert_eq!(stubborn.confirm(first), Err(Refused::NotHeld));
        let second = stubborn.result(0, 2).unwrap();
        assert_eq!(stubborn.confirm(first), Err(Refused::NotHeld));
        assert_eq!(stubborn.refute(first), Err(Refused::NotHeld));
        assert_eq!(stubborn.confirm(second), Ok(2));
    }

    #[test]
    fn a_value_withdrawn_is_forgotten() {
        let mut stubborn = Stubborn::new(3);
        stubborn.submit(0, 'v');
        let trial = stubborn.result(0, 1).unwrap();
        assert_eq!((stubborn.withdraw(0), stubborn.withdraw(0)), (Some('v'), None));
        assert_eq!(stubborn.refute(trial), Err(Refused::NotHeld));
        assert_eq!(stubborn.result(0, 2), Err(Refused::NotHeld));
        stubborn.submit(0, 'v');
        let anew = stubborn.result(0, 3).unwrap();
        assert_eq!(stubborn.confirm(trial), Err(Refused::NotHeld));
        assert_eq!(stubborn.confirm(anew), Ok(3));
    }

    #[test]
    fn one_value_is_submitted_until_it_is_confirmed() {
        let submit = async |value: u32, attempt| value + attempt;
        let odd = async |result: &u32| result % 2 == 1;
        assert_eq!(block_on(stubbornly(10, 3, submit, odd)), Ok(11));
        assert_eq!(block_on(stubbornly(11, 3, submit, odd)), Ok(13));
        let gave_up = GaveUp { attempts: 1, last: 12 };
        assert_eq!(block_on(stubbornly(11, 1, submit, odd)), Err(gave_up));
        assert_eq!(gave_up.to_string(), "no result was confirmed in 1 attempt");
    }
}
