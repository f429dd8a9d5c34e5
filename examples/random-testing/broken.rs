//! The lender of the crate, or one with a deliberate bug around it: each breaks the property of the number that is given.

use std::ops::{Deref, DerefMut};

use clap::ValueEnum;
use stream_lender::{Ask, Index, Input, Lent, Loan, Output, Refused, SubStreamId, Window};

use crate::model::{Broken, Thing};

/// The crate's, which has none.
type Sound = stream_lender::Lender<Thing, Thing, Broken>;

/// Something that a lender must not do. The number is that of the property.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Bug {
    /// 1: reads a value more than was asked for.
    Eager,
    /// 3: forgets to wake those who wait when values come back.
    Asleep,
    /// 4: ends when all that is finished is output.
    Hasty,
    /// 6: lends the second of two values that wait.
    Newest,
    /// 9: lends what is lent to another one, where it would have to wait.
    Twice,
    /// 10: accepts results from who holds nothing.
    Late,
    /// 11: reads one value more than the window.
    Wide,
    /// 12: forgets who failed.
    Forgetful,
}

/// A lender, with a bug or without. What it does not break is the crate's.
#[derive(Debug)]
pub(crate) struct Lender {
    sound: Sound,
    bug: Option<Bug>,
    /// Whether values came back, and nobody was woken since.
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

    /// Whether newer values have been read than this one, which is lent now.
    fn is_again(&self, lent: &Lent<Thing>) -> bool {
        lent.loan.index + 1 < self.read()
    }

    pub(crate) fn next_wake(&mut self) -> Option<SubStreamId> {
        if self.bug == Some(Bug::Asleep) && std::mem::take(&mut self.came_back) {
            return None;
        }
        self.sound.next_wake()
    }

    pub(crate) fn result(&mut self, sub: SubStreamId, loan: Loan, result: Thing) -> Result<(), Refused> {
        match (self.bug, self.sound.result(sub, loan, result)) {
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
            (Some(Bug::Hasty), Output::Pending) if self.read() > 0 => Output::Done,
            (_, output) => output,
        }
    }
}
