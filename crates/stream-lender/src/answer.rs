//! The answers of a lender.

use std::{error, fmt};

/// The position of a value in the input, counted from 0.
pub type Index = u64;

/// One loan of one value. No two loans of a lender are equal, so an answer to an earlier loan of a
/// value does not touch the present loan.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Loan {
    /// The position of the value in the input.
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

/// A value that a sub-stream holds until the sub-stream gives a result, hands the value back,
/// fails it or closes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lent<T> {
    /// The loan, which every answer to this value must name.
    pub loan: Loan,
    /// A copy of the value; the lender keeps the original, to lend it again if necessary.
    pub value: T,
}

/// The answer to a sub-stream that asks for a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ask<T> {
    /// A value, lent to this sub-stream alone.
    Value(Lent<T>),
    /// No value now. The sub-stream is registered: [`Lender::next_wake`](crate::Lender::next_wake)
    /// names it when asking again makes sense.
    Wait,
    /// No value ever again: the input has ended and every value has its result, or the output was
    /// dropped, or the sub-stream is not open.
    Done,
}

/// The order of the output.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Order {
    /// Results are output in the order of the input: a result waits for the results of all older
    /// values.
    #[default]
    OfInput,
    /// Results are output as they come. Only values without a result, and results not yet output,
    /// take places of the window, so a slow value holds up nothing.
    OfResults,
}

/// The next output.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Output<R, E> {
    /// The result of the value at this position.
    Item(Index, R),
    /// The next result is not there yet.
    Pending,
    /// Everything has been output.
    Done,
    /// The input failed, and all results of the values read before have been output. This answer
    /// comes once, then [`Output::Done`].
    Failed(E),
}

/// Why a result, a hand-back or a failure was refused. The refused call has changed nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// The sub-stream does not hold this value under this loan now. The answer is late, doubled,
    /// forged or of an earlier loan, or the value was cut off by
    /// [`Lender::truncate`](crate::Lender::truncate).
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
