//! The ends of a run inside another program: a stream of values as input, and results as output.
//! These ends are polled; the ends on the command line are threads.

use super::{Core, Ending, InputError, Left, Master, feedback::Loop};
use crate::protocol::Value;
use bytes::Bytes;
use futures_util::Stream;
use std::{
    future::poll_fn,
    pin::{Pin, pin},
    task::{Context, Poll},
};
use stream_lender::{Index, Output};

/// About how many bytes of values are read at a time.
const BLOCK: usize = 64 * 1024;

/// An item, with its result or the message about its failure.
pub(crate) type Settled = (Index, Result<Bytes, String>);

/// Values, and how their stream ended, if it did.
type Block = (Vec<Value>, Option<Result<(), InputError>>);

impl Master {
    /// Reads `values` to their end, but only as many as volunteers ask for.
    pub(crate) async fn feed_stream(&self, values: impl Stream<Item = Result<Value, InputError>>) {
        let mut values = pin!(values);
        let mut before = 0;
        loop {
            let wanted = poll_fn(|context| self.poll_wanted(context)).await;
            let (block, end) =
                poll_fn(|context| poll_block(values.as_mut(), wanted, context)).await;
            (before + 1..).zip(&block).for_each(|(number, value)| self.mind_numbers(number, value));
            before += block.len() as u64;
            self.with(|core| {
                core.input.extend(block);
                core.lender.input_ready();
            });
            if let Some(how) = end {
                return self.end_input(how);
            }
        }
    }

    /// Waits until values are wanted, and returns how many.
    fn poll_wanted(&self, context: &mut Context<'_>) -> Poll<usize> {
        let core = self.lock();
        if core.input.is_empty() && core.lender.wants_input() {
            let asked: usize = core.seats.values().map(|seat| seat.missing_at_last_ask).sum();
            let room = self.job.window.saturating_sub(core.lender.in_progress());
            return Poll::Ready(asked.min(room).max(1));
        }
        self.input_task.register(context.waker());
        Poll::Pending
    }

    /// Adds a value to the input.
    pub(super) fn put(&self, value: Value) {
        let number = self.lock().sync.as_ref().map_or(0, Loop::came) + 1;
        self.mind_numbers(number, &value);
        self.with(|core| {
            if let Some(sync) = &mut core.sync {
                sync.count_one();
            }
            core.input.extend([value]);
            core.lender.input_ready();
        });
    }

    /// Returns the next result in the order of the values, or how the run ended.
    pub(crate) fn poll_output(&self, context: &mut Context<'_>) -> Poll<Result<Settled, Ending>> {
        let mut core = self.lock();
        let next = core.next_settled();
        self.wake(&mut core);
        match next {
            Some(next) => Poll::Ready(next),
            None => self.wait_for_output(&mut core, context),
        }
    }

    /// Wakes the task of `context` when output is available.
    pub(super) fn wait_for_output<T>(&self, core: &mut Core, context: &mut Context<'_>) -> Poll<T> {
        core.output_waits = true;
        self.output_task.register(context.waker());
        Poll::Pending
    }
}

/// Returns the next of `values`: waits for the first one, then takes available ones, at most
/// `most`. Also returns how the values ended, if they did.
fn poll_block(
    mut values: Pin<&mut impl Stream<Item = Result<Value, InputError>>>,
    most: usize,
    context: &mut Context<'_>,
) -> Poll<Block> {
    let (mut block, mut bytes) = (Vec::new(), 0);
    while block.len() < most && bytes < BLOCK {
        match values.as_mut().poll_next(context) {
            Poll::Ready(Some(Ok(value))) => {
                bytes += value.bytes.len();
                block.push(value);
            }
            Poll::Ready(Some(Err(error))) => return Poll::Ready((block, Some(Err(error)))),
            Poll::Ready(None) => return Poll::Ready((block, Some(Ok(())))),
            Poll::Pending if block.is_empty() => return Poll::Pending,
            Poll::Pending => break,
        }
    }
    Poll::Ready((block, None))
}

impl Core {
    fn next_settled(&mut self) -> Option<Result<Settled, Ending>> {
        loop {
            match self.lender.next_output() {
                Output::Item(index, Some(result)) => return Some(Ok((index, Ok(result)))),
                Output::Item(index, None) => {
                    // An item left out has a message if failures are told in place.
                    if let Some(message) = self.failures.take_told(index) {
                        return Some(Ok((index, Err(message))));
                    }
                }
                Output::Pending => return None,
                Output::Failed(error) => return Some(Err(self.ending(Some(error)))),
                Output::Done => return Some(Err(self.ending(None))),
            }
        }
    }

    /// How the run ended after all output; `error` comes from the input.
    pub(super) fn ending(&self, error: Option<InputError>) -> Ending {
        let input = match error {
            Some(error) => Ending::InputFailed(error),
            None if self.left > 0 => Ending::CutShort(Left { items: self.left, unread: 0 }),
            None if self.interrupted => Ending::Interrupted,
            None => Ending::Complete,
        };
        match self.failures.ending() {
            // Failed items have been told already. An input that failed, or items that are left,
            // must be told now.
            Some(Ending::SomeFailed(_)) if matches!(input, Ending::InputFailed(_)) => input,
            Some(Ending::SomeFailed(_) | Ending::ItemFailed(..))
                if matches!(input, Ending::CutShort(_)) =>
            {
                input
            }
            ending => ending.unwrap_or(input),
        }
    }
}
