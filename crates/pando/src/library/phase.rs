//! A run, from its opening to its end.

use super::Error;
use crate::{
    master::{Ending, Master},
    run::OpenRun,
};
use futures_util::future::BoxFuture;
use std::{
    mem,
    sync::Arc,
    task::{Context, Poll, ready},
};

/// The phase of an open run.
pub(super) enum Phase {
    /// Values go in and results come out. The flag of both phases: whether each failed value is
    /// told of by itself.
    Going(OpenRun, bool),
    /// Volunteers are told about the end of the run; then the final ending is known.
    Closing(BoxFuture<'static, Ending>, bool),
    /// The stream has ended.
    Over,
}

impl Phase {
    pub(super) fn new(open: OpenRun, tells: bool) -> Self {
        Self::Going(open, tells)
    }

    /// The master, while the run goes on.
    pub(super) fn master(&self) -> Option<&Arc<Master>> {
        match self {
            Self::Going(open, _) => Some(&open.master),
            _ => None,
        }
    }

    /// Polls `next` for the next item of the master; at the end of the run, gives the error of the
    /// run or `None`.
    pub(super) fn poll_next<T>(
        &mut self,
        context: &mut Context<'_>,
        mut next: impl FnMut(&Arc<Master>, &mut Context<'_>) -> Poll<Result<T, Ending>>,
    ) -> Poll<Option<Result<T, Error>>> {
        loop {
            match self {
                Self::Going(open, _) => match ready!(next(&open.master, context)) {
                    Ok(next) => return Poll::Ready(Some(Ok(next))),
                    Err(ending) => {
                        let Self::Going(open, tells) = mem::replace(self, Self::Over) else {
                            unreachable!("it is going")
                        };
                        *self = Self::Closing(
                            Box::pin(async move {
                                let last = open.last_look();
                                open.finish(ending, last.run).await
                            }),
                            tells,
                        );
                    }
                },
                Self::Closing(closing, tells) => {
                    let error = Error::of(ready!(closing.as_mut().poll(context)), *tells);
                    *self = Self::Over;
                    return Poll::Ready(error.map(Err));
                }
                Self::Over => return Poll::Ready(None),
            }
        }
    }
}
