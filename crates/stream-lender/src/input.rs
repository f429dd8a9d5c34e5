//! The source of the values.

use crate::Loan;

/// The answer of an input that is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pull<T, E> {
    /// The next value.
    Value(T),
    /// A value that has a number already, because it is part of another stream: it is lent under
    /// this loan. Only an input whose values all come like this may answer so, with
    /// [`Order::OfResults`](crate::Order::OfResults). The caller sees to it that no value of the
    /// same index is in the lender, and that the number of the loan is new.
    At(Loan, T),
    /// No value yet. The driver calls [`Lender::input_ready`](crate::Lender::input_ready) when
    /// reading again is worthwhile.
    Pending,
    /// There are no more values.
    End,
    /// There are no more values, because reading them failed.
    Failed(E),
}

/// `Some` is a value, `None` is the end: `Pull::from(iterator.next())`.
impl<T, E> From<Option<T>> for Pull<T, E> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Pull::End, Pull::Value)
    }
}

/// The input of a [`Lender`](crate::Lender). The driver hands the input to every ask, which reads
/// at most one value, and only when there is no older value to lend. After [`Pull::End`] or
/// [`Pull::Failed`] the input is not read again.
///
/// A closure `FnMut() -> Pull<T, E>` is an input.
pub trait Input {
    /// The type of the values.
    type Value;
    /// Why the values cannot be read to their end.
    type Error;

    /// Reads the next value without blocking.
    fn pull(&mut self) -> Pull<Self::Value, Self::Error>;
}

impl<T, E, F: FnMut() -> Pull<T, E>> Input for F {
    type Value = T;
    type Error = E;

    fn pull(&mut self) -> Pull<T, E> {
        self()
    }
}
