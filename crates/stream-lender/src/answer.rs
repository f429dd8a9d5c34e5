//! What a lender answers.

use std::{error, fmt};

/// The position of a value in the input, counted from 0.
pub type Index = u64;

/// One loan of one value. No two loans of a lender are equal: what is said of an earlier loan of a value does not touch the
/// present one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Loan {
    /// Which value: its position in the input.
    pub index: Index,
    /// How many loans of this value there were before, copies included.
    pub number: u32,
}

impl Loan {
    /// The first loan of the value at `index`.
    pub const fn first(index: Index) -> Self {
        Loan { index, number: 0 }
    }
}

/// A value that a sub-stream holds, until it gives a result, hands it back, fails it or closes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lent<T> {
    /// Which loan this is; who gives the value back must name it.
    pub loan: Loan,
    /// A copy of the value; the lender keeps the other, to lend it again if need be.
    pub value: T,
}

/// The answer to a sub-stream that asks for a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ask<T> {
    /// A value, lent to this sub-stream alone.
    Value(Lent<T>),
    /// Nothing now. The sub-stream is registered: its id comes out of
    /// [`Lender::next_wake`](crate::Lender::next_wake) when asking again makes sense.
    Wait,
    /// Nothing ever again: the input has ended and every value has its result, or the output was dropped, or the
    /// sub-stream is not open.
    Done,
}

/// What the output has next, in the order of the input.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Output<R, E> {
    /// The result of the value at this position.
    Item(Index, R),
    /// The next result is not there yet.
    Pending,
    /// All has been output.
    Done,
    /// The input failed; everything read before that has been output. Said once, then [`Output::Done`].
    Failed(E),
}

/// Why a result, a hand-back or a failure was refused. It has changed nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// The sub-stream does not hold this value under this loan now: it is late, doubled, forged, of an earlier loan, or cut off
    /// by [`Lender::truncate`](crate::Lender::truncate).
    NotHeld,
    /// The sub-stream is closed, or never was open.
    UnknownSubStream,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refused::NotHeld => "the sub-stream does not hold this value under this loan",
            Refused::UnknownSubStream => "the sub-stream is not open",
        })
    }
}

impl error::Error for Refused {}
