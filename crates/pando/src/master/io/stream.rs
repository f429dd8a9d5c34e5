//! The ends of a run inside another program: a stream of values as input, and results as output.
//! These ends are polled; the ends on the command line are threads.
//!
//! The lender's own adaptor (`stream_lender::lend`) has a lock and a loop of its own around the
//! lender, and lends without a book of devices. A run needs the lender and the devices under one
//! lock, resumes earlier loans and makes copies, so these ends drive the state of the run.

use crate::{
    master::{
        items::{Ending, InputError},
        registry::Device,
        run::Master,
        state::{Emitted, RunState},
    },
    protocol::Value,
};
use bytes::Bytes;
use futures_util::Stream;
use std::{
    future::poll_fn,
    pin::{Pin, pin},
    task::{Context, Poll},
};
use stream_lender::Index;

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
            self.with(|state| state.items_mut().add_values(block.into_iter()));
            if let Some(how) = end {
                return self.end_input(how);
            }
        }
    }

    /// Waits until values are wanted, and returns how many.
    fn poll_wanted(&self, context: &mut Context<'_>) -> Poll<usize> {
        let state = self.lock();
        if state.items().is_asked_for_value() {
            let asked: usize = state.registry().devices().map(Device::missing_at_last_ask).sum();
            let room = self.job.window.saturating_sub(state.items().lender().in_progress());
            return Poll::Ready(asked.min(room).max(1));
        }
        self.wake_for_input(context);
        Poll::Pending
    }

    /// Returns the next result in the order of the values, or how the run ended.
    pub(crate) fn poll_output(&self, context: &mut Context<'_>) -> Poll<Result<Settled, Ending>> {
        let mut state = self.lock();
        let next = next_settled(&mut state);
        self.wake(&mut state);
        match next {
            Some(next) => Poll::Ready(next),
            None => self.wake_for_output(&mut state, context),
        }
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

fn next_settled(state: &mut RunState) -> Option<Result<Settled, Ending>> {
    loop {
        match state.emit() {
            Emitted::Item(index, Ok(result), _) => return Some(Ok((index, Ok(result)))),
            // An item left out has a message if failures are told in place.
            Emitted::Item(index, Err(Some(message)), _) => return Some(Ok((index, Err(message)))),
            Emitted::Item(_, Err(None), _) => {}
            Emitted::Pending => return None,
            Emitted::Ended(ending) => return Some(Err(ending)),
        }
    }
}
