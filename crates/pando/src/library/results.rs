//! The ordered form: results in the order of their values.

use super::{Error, phase::Phase};
use futures_util::Stream;
use serde::de::DeserializeOwned;
use std::{
    fmt,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, ready},
};

/// Results in the order of their values: the stream of [`Pando::map`](crate::Pando::map). Dropping
/// it ends the run.
#[must_use = "dropping it ends the run"]
pub struct Results<R> {
    run: Phase,
    result: PhantomData<fn() -> R>,
}

impl<R> Results<R> {
    pub(super) fn new(run: Phase) -> Self {
        Self { run, result: PhantomData }
    }
}

impl<R: DeserializeOwned> Stream for Results<R> {
    type Item = Result<R, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next =
            ready!(self.run.poll_next(context, |master, context| master.poll_output(context)));
        Poll::Ready(next.map(|settled| match settled? {
            (index, Ok(result)) => Error::parse(index, &result),
            (index, Err(text)) => Err(Error::Failed { index: index + 1, text }),
        }))
    }
}

impl<R> fmt::Debug for Results<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Results").finish_non_exhaustive()
    }
}
