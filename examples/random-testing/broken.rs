//! The crate's lender, or a wrapper with a deliberate bug. Each bug breaks the property with the
//! given number.

use std::ops::{Deref, DerefMut};

use clap::ValueEnum;
use stream_lender::{Ask, Index, Input, Lent, Loan, Output, Refused, SubStreamId, Window};

use crate::model::{Broken, Thing};

/// The crate's lender, which has no bug.
type Sound = stream_lender::Lender<Thing, Thing, Broken>;

/// A deliberate bug. The number is the number of the broken property.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Bug {
    /// 1: reads one value more than was asked for.
    Eager,
    /// 3: does not wake waiting sub-streams when values come back.
    Asleep,
    /// 4: ends as soon as the next result is not finished.
    Hasty,
    /// 6: lends the second of two waiting values.
    Newest,
    /// 9: lends a value that another sub-stream holds, when the asker should wait.
    Twice,
    /// 10: accepts results from sub-streams that do not hold the value.
    Late,
    /// 11: reads one value more than the window allows.
    Wide,
    /// 12: forgets which sub-streams failed a value.
    Forgetful,
}

/// A lender with or without a bug. All methods that the bug does not change are the crate's.
#[derive(Debug)]
pub(crate) struct Lender {
    sound: Sound,
    bug: Option<Bug>,
    /// Whether values came back, and no sub-stream was woken since.
    came_back: bool,
}

impl Deref for Lender {
    type Target = Sound;

    fn deref(&self) -> &Self::Target {
        &self.sound
    }
}

impl DerefMut for Lender {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.sound
    }
}

impl Lender {
    pub(crate) fn new(mut window: Window, bug: Option<Bug>) -> Self {
        if bug == Some(Bug::Wide) {
            window.items += 1;
        }
        let sound = Sound::with_weights(window, |value| value.bytes, |result| result.bytes);
        Lender { sound, bug, came_back: false }
    }

    pub(crate) fn close(&mut self, sub: SubStreamId) -> Vec<Index> {
        let held = self.sound.close(sub);
        self.came_back |= !held.is_empty();
        held
    }

    pub(crate) fn ask<I>(&mut self, sub: SubStreamId, input: &mut I) -> Ask<Thing>
    where
        I: Input<Value = Thing, Error = Broken>,
    {
        let answer = self.sound.ask(sub, input);
        match (self.bug, &answer) {
            (Some(Bug::Eager), Ask::Value(_)) => {
                input.pull();
            }
            (Some(Bug::Newest), Ask::Value(first)) if self.is_again(first) => {
                if let next @ Ask::Value(_) = self.sound.ask(sub, input) {
                    let _ = self.sound.hand_back(sub, first.loan);
                    return next;
                }
            }
            (Some(Bug::Twice), Ask::Wait) => {
                if let Some((index, Some(_))) = self.oldest()
                    && let (Some(value), Some(loan)) = (self.value(index), self.loan(index))
                {
                    return Ask::Value(Lent { loan, value: *value });
                }
            }
            _ => {}
        }
        answer
    }

    /// Whether newer values have been read than this one, which is now lent.
    fn is_again(&self, lent: &Lent<Thing>) -> bool {
        lent.loan.index + 1 < self.values_read()
    }

    pub(crate) fn next_wake(&mut self) -> Option<SubStreamId> {
        if self.bug == Some(Bug::Asleep) && std::mem::take(&mut self.came_back) {
            return None;
        }
        self.sound.next_wake()
    }

    pub(crate) fn result(
        &mut self,
        sub: SubStreamId,
        loan: Loan,
        result: Thing,
    ) -> Result<(), Refused> {
        match (self.bug, self.sound.result(sub, loan, result).map(drop)) {
            (Some(Bug::Late), Err(Refused::NotHeld)) => Ok(()),
            (_, answer) => answer,
        }
    }

    pub(crate) fn fail(&mut self, sub: SubStreamId, loan: Loan) -> Result<(), Refused> {
        match self.bug {
            Some(Bug::Forgetful) => self.sound.hand_back(sub, loan),
            _ => self.sound.fail(sub, loan),
        }
    }

    pub(crate) fn next_output(&mut self) -> Output<Thing, Broken> {
        match (self.bug, self.sound.next_output()) {
            (Some(Bug::Hasty), Output::Pending) if self.values_read() > 0 => Output::Done,
            (_, output) => output,
        }
    }
}
