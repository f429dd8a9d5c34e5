//! The lender as a stream that is lent, sub-streams that borrow from it, and a stream of results.
//!
//! # Why no wake-up is lost
//!
//! 1. A task that has to wait leaves its waker in the same critical section (the lock of [`State`])
//!    in which it was told to wait. A task that changes the lender looks, in the critical section
//!    of the change, for waiting tasks that should now poll again, and wakes them when the lock is
//!    released. So either the change comes before the ask, which then sees it, or the change comes
//!    after the waker was left, and wakes that task.
//! 2. The lender names the tasks to wake from its present state, not from past events. So a task
//!    that is named and has ended, or is busy elsewhere, does not use up what the other tasks wait
//!    for.
//! 3. Only the input can change without that lock. Its waker sets a flag and takes all wakers that
//!    were left, under a second lock ([`Signal`]). Leaving a waker and reading the flag is one
//!    critical section of this second lock, and a task that finds the flag set wakes itself.
//!
//! No waker is woken or dropped while either lock is held, so waking and dropping may run any
//! code. `tests/lost_wake_ups.rs` runs this very file in every order of its critical sections.

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, PoisonError},
    task::{Context, Poll, Waker},
};

use futures_core::Stream;
use futures_sink::Sink;

use crate::{
    Ask, Input, Lender, Lent, Loan, Output, Pull, Refused, SubStreamId, Window, signal::Signal,
    sync::Mutex,
};

/// Lends the values of a stream. Returns a handle, from which any number of sub-streams borrow,
/// and the stream of their results, in the order of the values.
///
/// No runtime is needed: tasks of any executor, on any threads, may use the handle and the
/// results. The tasks that borrow poll the input, so the input must not use the lending that it
/// feeds.
///
/// An `Err` of the input is a failure: the results of the values before come first, then the
/// error, then the end.
pub fn lend<S, T, R, E>(input: S, window: Window) -> (Lending<T, R, E>, Results<T, R, E>)
where
    S: Stream<Item = Result<T, E>> + Send + 'static,
    T: Clone,
{
    lend_with(Lender::new(window), input)
}

/// As [`lend`], with a lender of the caller's choice, such as one [with
/// weights](Lender::with_weights).
pub fn lend_with<S, T, R, E>(
    lender: Lender<T, R, E>,
    input: S,
) -> (Lending<T, R, E>, Results<T, R, E>)
where
    S: Stream<Item = Result<T, E>> + Send + 'static,
    T: Clone,
{
    let state = State { lender, input: Some(Box::pin(input)), output: None };
    let shared = Arc::new(Shared { state: Mutex::new(state), signal: Arc::default() });
    let lending = Lending { shared: Arc::clone(&shared) };
    (lending, Results { shared })
}

/// The handle from which sub-streams are opened. Its clones open sub-streams of the same lender.
#[derive(Debug)]
pub struct Lending<T: Clone, R, E> {
    shared: Arc<Shared<T, R, E>>,
}

impl<T: Clone, R, E> Lending<T, R, E> {
    /// Opens a sub-stream: one more borrower.
    pub fn sub_stream(&self) -> SubStream<T, R, E> {
        let id = self.shared.act(|state, _| state.lender.open());
        let values = Values { shared: Arc::clone(&self.shared), id };
        let returns = Returns { shared: Arc::clone(&self.shared), id };
        SubStream { values, returns }
    }

    /// Stops reading the input now. Values that were read before still get their results.
    pub fn end_input(&self) {
        self.shared.act(|state, after| {
            state.lender.end_input();
            after.input = state.input.take();
        });
    }
}

impl<T: Clone, R, E> Clone for Lending<T, R, E> {
    fn clone(&self) -> Self {
        Lending { shared: Arc::clone(&self.shared) }
    }
}

/// The results, in the order of the values. Dropping this stream drops the output: sub-streams
/// end, and the input is not read any more.
///
/// While there is no borrower, the stream waits.
#[derive(Debug)]
pub struct Results<T: Clone, R, E> {
    shared: Arc<Shared<T, R, E>>,
}

impl<T: Clone, R, E> Stream for Results<T, R, E> {
    type Item = Result<R, E>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let waker = cx.waker().clone();
        self.shared.act(|state, after| match state.lender.next_output() {
            Output::Item(_, result) => Poll::Ready(Some(Ok(result))),
            Output::Failed(error) => Poll::Ready(Some(Err(error))),
            Output::Done => Poll::Ready(None),
            Output::Pending => {
                after.drop = state.output.replace(waker);
                Poll::Pending
            }
        })
    }
}

impl<T: Clone, R, E> Drop for Results<T, R, E> {
    fn drop(&mut self) {
        self.shared.act(|state, after| {
            state.lender.drop_output();
            after.input = state.input.take();
            after.drop = state.output.take();
        });
    }
}

/// One borrower: a stream of values. The borrower gives each value back with a result, failed or
/// untried.
///
/// Dropping a sub-stream closes it, and the values that it holds are lent again.
#[derive(Debug)]
pub struct SubStream<T: Clone, R, E> {
    values: Values<T, R, E>,
    returns: Returns<T, R, E>,
}

impl<T: Clone, R, E> SubStream<T, R, E> {
    /// The two halves of the sub-stream, for different tasks.
    pub fn split(self) -> (Values<T, R, E>, Returns<T, R, E>) {
        (self.values, self.returns)
    }

    /// Gives the result of a value.
    ///
    /// # Errors
    /// The result is refused, and nothing changes, if the sub-stream does not hold the value under
    /// this loan now.
    pub fn result(&self, loan: Loan, result: R) -> Result<(), Refused> {
        self.returns.result(loan, result)
    }

    /// Says that this borrower tried a value in vain: see [`Lender::fail`].
    ///
    /// # Errors
    /// As for [`result`](Self::result).
    pub fn fail(&self, loan: Loan) -> Result<(), Refused> {
        self.returns.fail(loan)
    }

    /// Hands a value back, untried: see [`Lender::hand_back`].
    ///
    /// # Errors
    /// As for [`result`](Self::result).
    pub fn hand_back(&self, loan: Loan) -> Result<(), Refused> {
        self.returns.hand_back(loan)
    }
}

impl<T: Clone, R, E> Stream for SubStream<T, R, E> {
    type Item = Lent<T>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Lent<T>>> {
        Pin::new(&mut self.values).poll_next(cx)
    }
}

/// The values lent to one sub-stream. Each poll asks for one more value. The stream ends when
/// there is nothing more to lend, or when the [`Returns`] of the sub-stream are dropped.
#[derive(Debug)]
pub struct Values<T: Clone, R, E> {
    shared: Arc<Shared<T, R, E>>,
    id: SubStreamId,
}

impl<T: Clone, R, E> Stream for Values<T, R, E> {
    type Item = Lent<T>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Lent<T>>> {
        let waker = cx.waker().clone();
        let signal = &self.shared.signal;
        self.shared.act(|state, after| match state.ask(self.id, signal, after) {
            Ask::Value(lent) => Poll::Ready(Some(lent)),
            Ask::Done => Poll::Ready(None),
            Ask::Wait => {
                let (old, ready) = signal.register(self.id, waker);
                after.drop = old;
                if ready {
                    after.wake.extend(signal.take(self.id));
                }
                Poll::Pending
            }
        })
    }
}

/// The returning half of a sub-stream: a [`Sink`] of loans with their results, with methods for
/// values that were failed or not tried. Dropping or closing this half closes the sub-stream.
#[derive(Debug)]
pub struct Returns<T: Clone, R, E> {
    shared: Arc<Shared<T, R, E>>,
    id: SubStreamId,
}

impl<T: Clone, R, E> Returns<T, R, E> {
    /// See [`SubStream::result`].
    ///
    /// # Errors
    /// The result is refused, and nothing changes, if the sub-stream does not hold the value under
    /// this loan now.
    pub fn result(&self, loan: Loan, result: R) -> Result<(), Refused> {
        self.shared.act(|state, _| state.lender.result(self.id, loan, result)).map(drop)
    }

    /// See [`Lender::fail`].
    ///
    /// # Errors
    /// As for [`result`](Self::result).
    pub fn fail(&self, loan: Loan) -> Result<(), Refused> {
        self.shared.act(|state, _| state.lender.fail(self.id, loan))
    }

    /// See [`Lender::hand_back`].
    ///
    /// # Errors
    /// As for [`result`](Self::result).
    pub fn hand_back(&self, loan: Loan) -> Result<(), Refused> {
        self.shared.act(|state, _| state.lender.hand_back(self.id, loan))
    }

    fn close(&self) {
        self.shared.act(|state, after| {
            state.lender.close(self.id);
            after.wake.extend(self.shared.signal.take(self.id));
        });
    }
}

/// The sink is always ready: the values are already on loan, and their results take their places.
impl<T: Clone, R, E> Sink<(Loan, R)> for Returns<T, R, E> {
    type Error = Refused;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(self: Pin<&mut Self>, (loan, result): (Loan, R)) -> Result<(), Refused> {
        self.result(loan, result)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        self.close();
        Poll::Ready(Ok(()))
    }
}

impl<T: Clone, R, E> Drop for Returns<T, R, E> {
    fn drop(&mut self) {
        self.close();
    }
}

/// The state that the handle, the results and all sub-streams share.
struct Shared<T: Clone, R, E> {
    state: Mutex<State<T, R, E>>,
    signal: Arc<Signal>,
}

impl<T: Clone, R, E> Shared<T, R, E> {
    /// Performs an action on the lender, then wakes the tasks that should poll again.
    fn act<A>(&self, action: impl FnOnce(&mut State<T, R, E>, &mut After<T, E>) -> A) -> A {
        let mut after = After::default();
        let answer = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let answer = action(&mut state, &mut after);
            state.collect(&self.signal, &mut after);
            answer
        };
        after.wake.drain(..).for_each(Waker::wake);
        answer
    }
}

impl<T: Clone, R, E> fmt::Debug for Shared<T, R, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

type BoxedInput<T, E> = Pin<Box<dyn Stream<Item = Result<T, E>> + Send>>;

/// Wakers and inputs to wake or drop after the lock is released, because foreign code may call
/// back.
struct After<T, E> {
    wake: Vec<Waker>,
    drop: Option<Waker>,
    input: Option<BoxedInput<T, E>>,
}

impl<T, E> Default for After<T, E> {
    fn default() -> Self {
        After { wake: Vec::new(), drop: None, input: None }
    }
}

struct State<T: Clone, R, E> {
    lender: Lender<T, R, E>,
    /// The input, until it has ended.
    input: Option<BoxedInput<T, E>>,
    /// The task that waits for the output.
    output: Option<Waker>,
}

impl<T: Clone, R, E> State<T, R, E> {
    fn ask(&mut self, id: SubStreamId, signal: &Arc<Signal>, after: &mut After<T, E>) -> Ask<T> {
        if signal.take_ready() {
            self.lender.input_ready();
        }
        let waker = Waker::from(Arc::clone(signal));
        let mut input = Polled {
            input: &mut self.input,
            context: Context::from_waker(&waker),
            ended: &mut after.input,
        };
        self.lender.ask(id, &mut input)
    }

    /// Collects the tasks that should poll again.
    fn collect(&mut self, signal: &Signal, after: &mut After<T, E>) {
        while let Some(sub) = self.lender.next_wake() {
            after.wake.extend(signal.take(sub));
        }
        if self.lender.has_output() {
            after.wake.extend(self.output.take());
        }
    }
}

/// A stream as the input of an ask.
struct Polled<'a, T, E> {
    input: &'a mut Option<BoxedInput<T, E>>,
    context: Context<'a>,
    ended: &'a mut Option<BoxedInput<T, E>>,
}

impl<T, E> Input for Polled<'_, T, E> {
    type Value = T;
    type Error = E;

    fn pull(&mut self) -> Pull<T, E> {
        let Some(input) = self.input else {
            return Pull::End;
        };
        match input.as_mut().poll_next(&mut self.context) {
            Poll::Ready(Some(Ok(value))) => Pull::Value(value),
            Poll::Pending => Pull::Pending,
            Poll::Ready(Some(Err(error))) => {
                *self.ended = self.input.take();
                Pull::Failed(error)
            }
            Poll::Ready(None) => {
                *self.ended = self.input.take();
                Pull::End
            }
        }
    }
}
