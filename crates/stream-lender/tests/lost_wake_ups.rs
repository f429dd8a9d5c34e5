//! Checks the adaptor with [loom](https://docs.rs/loom). The adaptor's source is compiled here
//! with loom's lock, and each test runs its critical sections in every order, with up to 2
//! preemptions (`LOOM_MAX_PREEMPTIONS`). A lost wake-up shows as a deadlock.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::disallowed_methods,
    reason = "the crate's source, seen from a test that is made of threads"
)]

use stream_lender::{Ask, Input, Lender, Lent, Loan, Output, Pull, Refused, SubStreamId, Window};

#[path = "../src/signal.rs"]
mod signal;
#[path = "../src/stream.rs"]
mod stream;
mod sync {
    pub(crate) use loom::sync::{Mutex, MutexGuard};
}

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use futures::{
    StreamExt,
    stream::{self as streams, Stream},
};
use loom::{future::block_on, model::Builder, thread};
use stream::{Results, SubStream, lend};

type Item = Result<u64, &'static str>;
type Sub = SubStream<u64, u64, &'static str>;
type Out = Results<u64, u64, &'static str>;

fn check(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(2));
    builder.max_branches = 100_000;
    builder.check(model);
}

fn window(items: usize) -> Window {
    Window { items, ..Window::default() }
}

fn numbers(end: u64) -> impl Stream<Item = Item> + Send + 'static {
    streams::iter((0..end).map(Ok))
}

/// Borrows and answers values until the end. Returns the number of values.
fn work(mut sub: Sub) -> u64 {
    let mut count = 0;
    while let Some(lent) = block_on(sub.next()) {
        sub.result(lent.loan, lent.value).unwrap();
        count += 1;
    }
    count
}

fn collect(results: Out) -> Vec<Item> {
    block_on(results.collect())
}

/// An input that another thread feeds.
#[derive(Clone, Default)]
struct Pipe(Arc<sync::Mutex<State>>);

#[derive(Default)]
struct State {
    items: Vec<Item>,
    closed: bool,
    reader: Option<Waker>,
}

impl Pipe {
    fn send(&self, item: Item) {
        self.change(|state| state.items.push(item));
    }

    fn close(&self) {
        self.change(|state| state.closed = true);
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let reader = {
            let mut state = self.0.lock().unwrap();
            change(&mut state);
            state.reader.take()
        };
        if let Some(reader) = reader {
            reader.wake();
        }
    }
}

impl Stream for Pipe {
    type Item = Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Item>> {
        let mut state = self.0.lock().unwrap();
        if !state.items.is_empty() {
            return Poll::Ready(Some(state.items.remove(0)));
        }
        if state.closed {
            return Poll::Ready(None);
        }
        state.reader = Some(cx.waker().clone());
        Poll::Pending
    }
}

#[test]
fn the_input_wakes_a_borrower() {
    check(|| {
        let pipe = Pipe::default();
        let (lending, results) = lend(pipe.clone(), window(9));
        let sub = lending.sub_stream();
        let worker = thread::spawn(move || work(sub));
        pipe.send(Ok(0));
        pipe.close();
        assert_eq!(collect(results), [Ok(0)]);
        assert_eq!(worker.join().unwrap(), 1);
    });
}

#[test]
fn the_input_wakes_all_borrowers() {
    check(|| {
        let pipe = Pipe::default();
        let (lending, results) = lend(pipe.clone(), window(9));
        let subs = [lending.sub_stream(), lending.sub_stream()];
        let workers = subs.map(|sub| thread::spawn(move || work(sub)));
        pipe.send(Ok(0));
        pipe.close();
        let had = workers.map(|worker| worker.join().unwrap());
        assert_eq!(had[0] + had[1], 1);
        assert_eq!(collect(results), [Ok(0)]);
    });
}

#[test]
fn the_output_wakes_a_borrower_whom_the_window_stops() {
    check(|| {
        let (lending, results) = lend(numbers(3), window(1));
        let sub = lending.sub_stream();
        let worker = thread::spawn(move || work(sub));
        assert_eq!(collect(results), [Ok(0), Ok(1), Ok(2)]);
        assert_eq!(worker.join().unwrap(), 3);
    });
}

#[test]
fn a_borrower_that_leaves_wakes_one_that_waits() {
    check(|| {
        let (lending, results) = lend(numbers(1), window(9));
        let (mut leaving, staying) = (lending.sub_stream(), lending.sub_stream());
        assert!(block_on(leaving.next()).is_some());
        let worker = thread::spawn(move || work(staying));
        drop(leaving);
        assert_eq!(worker.join().unwrap(), 1);
        assert_eq!(collect(results), [Ok(0)]);
    });
}

#[test]
fn a_failure_wakes_one_that_has_not_failed() {
    check(|| {
        let (lending, results) = lend(numbers(1), window(9));
        let (mut failing, other) = (lending.sub_stream(), lending.sub_stream());
        let lent = block_on(failing.next()).unwrap();
        let worker = thread::spawn(move || work(other));
        failing.fail(lent.loan).unwrap();
        assert_eq!(block_on(failing.next()), None, "and it waits until all is done");
        assert_eq!(worker.join().unwrap(), 1);
        assert_eq!(collect(results), [Ok(0)]);
    });
}

#[test]
fn the_last_result_wakes_those_that_wait_for_the_end() {
    check(|| {
        let (lending, results) = lend(numbers(1), window(9));
        let (mut last, other) = (lending.sub_stream(), lending.sub_stream());
        let lent = block_on(last.next()).unwrap();
        let worker = thread::spawn(move || work(other));
        let output = thread::spawn(move || collect(results));
        last.result(lent.loan, 7).unwrap();
        assert_eq!(worker.join().unwrap(), 0);
        assert_eq!(output.join().unwrap(), [Ok(7)]);
    });
}

#[test]
fn an_error_of_the_input_wakes_the_output() {
    check(|| {
        let pipe = Pipe::default();
        let (lending, results) = lend(pipe.clone(), window(9));
        let sub = lending.sub_stream();
        let worker = thread::spawn(move || work(sub));
        let output = thread::spawn(move || collect(results));
        pipe.send(Err("broken"));
        assert_eq!(worker.join().unwrap(), 0);
        assert_eq!(output.join().unwrap(), [Err("broken")]);
    });
}

#[test]
fn dropping_the_results_ends_those_that_wait_for_the_input() {
    check(|| {
        let pipe = Pipe::default();
        let (lending, results) = lend(pipe.clone(), window(9));
        let sub = lending.sub_stream();
        let worker = thread::spawn(move || work(sub));
        drop(results);
        assert_eq!(worker.join().unwrap(), 0);
        assert_eq!(Arc::strong_count(&pipe.0), 1, "the input is dropped");
    });
}

#[test]
fn closing_the_returns_ends_the_values() {
    check(|| {
        let (lending, _results): (_, Out) = lend(Pipe::default(), window(9));
        let (mut values, returns) = lending.sub_stream().split();
        let worker = thread::spawn(move || block_on(values.next()));
        drop(returns);
        assert_eq!(worker.join().unwrap(), None);
    });
}

/// Two sub-streams wait for the input. One is polled once and then ignored or dropped, and the
/// other still gets its value.
#[test]
fn a_borrower_that_stops_polling_takes_no_wake_up_from_others() {
    check(|| {
        let pipe = Pipe::default();
        let (lending, results) = lend(pipe.clone(), window(9));
        let mut idle = lending.sub_stream();
        let polled = block_on(std::future::poll_fn(|cx| Poll::Ready(idle.poll_next_unpin(cx))));
        assert!(polled.is_pending());
        let sub = lending.sub_stream();
        let worker = thread::spawn(move || work(sub));
        pipe.send(Ok(0));
        pipe.close();
        assert_eq!(worker.join().unwrap(), 1);
        drop(idle);
        assert_eq!(collect(results), [Ok(0)]);
    });
}

/// Some streams yield like this: they return `Pending` after waking the task.
#[test]
fn an_input_that_wakes_while_it_is_polled_is_polled_again() {
    check(|| {
        let mut polls = 0;
        let yielding = streams::poll_fn(move |cx| {
            polls += 1;
            match polls {
                1 | 3 => {
                    cx.waker().wake_by_ref();
                    Poll::Pending
                }
                2 => Poll::Ready(Some(Ok(5))),
                _ => Poll::Ready(None),
            }
        });
        let (lending, results) = lend(yielding, window(9));
        let sub = lending.sub_stream();
        let worker = thread::spawn(move || work(sub));
        assert_eq!(collect(results), [Ok(5)]);
        assert_eq!(worker.join().unwrap(), 1);
    });
}
