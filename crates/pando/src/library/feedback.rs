//! The feedback form: the calling program makes values from results.

use super::{Error, json, phase::Phase};
use crate::master::{FromProgram, ToProgram};
use futures_util::Stream;
use serde::{Serialize, de::DeserializeOwned};
use std::{
    fmt,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, ready},
};

/// A run that asks for values as cores become free, and gives each result at once.
///
/// A run is a stream of [`Event`]s. Each given value has exactly one [`Event::Result`] or
/// [`Event::Failed`]. The stream ends once [`end`](Self::end) has been called and every value has
/// its event. Dropping the stream ends the run.
///
/// ```no_run
/// use futures_util::StreamExt;
/// use pando::{Event, Pando};
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), pando::Error> {
/// // Halves the step whenever a score is no better than the best.
/// let (mut best, mut step) = ((0.0, f64::MIN), 1.0);
/// let mut run = Pando::new("score.js").feedback::<f64, (f64, f64)>().await?;
/// while let Some(event) = run.next().await {
///     match event? {
///         Event::Ask(count) => {
///             for n in 0..count {
///                 let _ = run.give(&(best.0 + step * (n as f64 - 0.5)));
///             }
///         }
///         Event::Result { result, .. } if result.1 > best.1 => best = result,
///         Event::Result { .. } if step > 1e-6 => step /= 2.0,
///         Event::Result { .. } => run.end(),
///         Event::Failed { index, message } => eprintln!("value {index}: {message}"),
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "dropping it ends the run"]
pub struct Feedback<T, R> {
    run: Phase,
    given: u64,
    types: PhantomData<fn(T) -> R>,
}

/// An event of a [`Feedback`] run. Values are counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event<R> {
    /// The number of values for which further cores are free, in addition to earlier asks.
    Ask(u64),
    /// The result of a value.
    Result {
        /// The number of the value.
        index: u64,
        /// The result.
        result: R,
    },
    /// A value failed for good, after its `--retries`, or was cancelled (then `message` is
    /// `cancelled`).
    Failed {
        /// The number of the value.
        index: u64,
        /// The error's message.
        message: String,
    },
}

impl<T, R> Feedback<T, R> {
    pub(super) fn new(run: Phase) -> Self {
        Self { run, given: 0, types: PhantomData }
    }

    /// Gives the next value; returns its number. Values in excess of the asks wait in a queue.
    ///
    /// # Errors
    /// When the value has no JSON form. It is not given then.
    pub fn give(&mut self, value: &T) -> serde_json::Result<u64>
    where
        T: Serialize,
    {
        let value = json(value)?;
        self.say(FromProgram::Value(value));
        self.given += 1;
        Ok(self.given)
    }

    /// Cancels a value: it is not begun, or its result is dropped. The event is a failure with the
    /// message `cancelled`, unless the value is already finished.
    pub fn cancel(&mut self, index: u64) {
        if (1..=self.given).contains(&index) {
            self.say(FromProgram::Cancel(index - 1));
        }
    }

    /// Says that no more values come.
    pub fn end(&mut self) {
        self.say(FromProgram::End);
    }

    fn say(&mut self, heard: FromProgram) {
        if let Some(master) = self.run.master() {
            master.heard(heard);
        }
    }
}

impl<T, R: DeserializeOwned> Stream for Feedback<T, R> {
    type Item = Result<Event<R>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = ready!(self.run.poll_next(context, |master, context| master.poll_said(context)));
        Poll::Ready(next.map(|said| {
            Ok(match said? {
                ToProgram::Ask(count) => Event::Ask(count),
                ToProgram::Result(index, result) => {
                    Event::Result { index: index + 1, result: Error::parse(index, &result)? }
                }
                ToProgram::Error(index, message) => Event::Failed { index: index + 1, message },
            })
        }))
    }
}

impl<T, R> fmt::Debug for Feedback<T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feedback").field("given", &self.given).finish_non_exhaustive()
    }
}
