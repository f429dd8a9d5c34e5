//! A run, from its opening to its end.

use super::Error;
use crate::{
    config::Report,
    console::printable,
    master::{Ending, Master},
    run::{OpenRun, RunEnd, exit_status, hand_over, write_last_files},
};
use futures_util::future::BoxFuture;
use std::{
    mem,
    sync::Arc,
    task::{Context, Poll, ready},
};

/// The phase of an open run.
pub(super) enum Phase {
    /// Values go in and results come out.
    Going(Box<OpenRun>, Afterwards),
    /// Volunteers are told about the end of the run, and its files are written; then it is known
    /// with which error the run has ended.
    Closing(BoxFuture<'static, Option<Error>>),
    /// The stream has ended.
    Over,
}

/// What counts at the end of a run.
#[derive(Debug, Clone)]
pub(super) struct Afterwards {
    /// Whether each failed value is told of by itself.
    pub(super) tells_failures: bool,
    /// The files to write, and the command that gets the summary.
    pub(super) report: Report,
}

impl Phase {
    pub(super) fn new(open: OpenRun, afterwards: Afterwards) -> Self {
        Self::Going(Box::new(open), afterwards)
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
                        let Self::Going(open, afterwards) = mem::replace(self, Self::Over) else {
                            unreachable!("it is going")
                        };
                        *self = Self::Closing(Box::pin(close(open, ending, afterwards)));
                    }
                },
                Self::Closing(closing) => {
                    let error = ready!(closing.as_mut().poll(context));
                    *self = Self::Over;
                    return Poll::Ready(error.map(Err));
                }
                Self::Over => return Poll::Ready(None),
            }
        }
    }
}

/// Closes a run that has come to `ending`, and does what is to be done afterwards. Returns the
/// error with which the run has ended, if there is one.
async fn close(open: Box<OpenRun>, ending: Ending, afterwards: Afterwards) -> Option<Error> {
    let Afterwards { tells_failures, report } = afterwards;
    let console = open.master.console.clone();
    let last = open.last_look();
    let ending = open.finish(ending, last.run.clone()).await;
    let status = exit_status(&ending);
    let mut end = RunEnd { last: &last, ending: &ending, status, advice: "" };
    let errors = write_last_files(&report, &open, end);
    errors.iter().for_each(|error| console.say(printable(&format!("error: {error}"))));
    if !errors.is_empty() {
        end.status = end.status.max(1);
    }
    hand_over(&report, end, &console).await;
    let not_written = errors.into_iter().next().map(Error::Refused);
    Error::of(ending.clone(), tells_failures).or(not_written)
}
