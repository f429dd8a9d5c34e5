//! Where the values come from.

/// What reading the input answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pull<T, E> {
    /// The next value.
    Value(T),
    /// Nothing yet: the driver calls [`Lender::input_ready`](crate::Lender::input_ready) when it is worth another try.
    Pending,
    /// There are no more values.
    End,
    /// There are no more values, because reading them failed.
    Failed(E),
}

/// `Some` is a value, `None` the end: `Pull::from(iterator.next())`.
impl<T, E> From<Option<T>> for Pull<T, E> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Pull::End, Pull::Value)
    }
}

/// The input of a [`Lender`](crate::Lender): handed to every ask, which reads at most one value from it, and only when it has
/// nothing older to lend. After [`Pull::End`] or [`Pull::Failed`] it is not read again.
///
/// A closure `FnMut() -> Pull<T, E>` is an input.
pub trait Input {
    /// A value, as it is lent.
    type Value;
    /// Why the values cannot be read to their end.
    type Error;

    /// Reads the next value, without waiting for it.
    fn pull(&mut self) -> Pull<Self::Value, Self::Error>;
}

impl<T, E, F: FnMut() -> Pull<T, E>> Input for F {
    type Value = T;
    type Error = E;

    fn pull(&mut self) -> Pull<T, E> {
        self()
    }
}
