//! Tests of the adaptor, with tasks on one thread.

use futures::{
    FutureExt, SinkExt, StreamExt, executor::LocalPool, executor::block_on, stream,
    task::LocalSpawnExt,
};
use stream_lender::{Lender, Loan, Refused, SubStream, Window, lend, lend_with};

type Sub = SubStream<u64, u64, &'static str>;

/// Answers values with their squares until the end, or until it has answered `enough` values.
async fn work(mut sub: Sub, enough: usize) {
    for _ in 0..enough {
        let Some(lent) = sub.next().await else { return };
        sub.result(lent.loan, lent.value * lent.value).unwrap();
    }
    // Leaves while it holds one value.
    sub.next().await;
}

#[test]
fn results_come_in_order_whoever_comes_and_goes() {
    let mut pool = LocalPool::new();
    let numbers = stream::iter((0..1_000).map(Ok));
    let window = Window { items: 7, ..Window::default() };
    let (lending, results) = lend(numbers, window);
    for enough in [0, 3, 50, usize::MAX, usize::MAX] {
        let sub = lending.sub_stream();
        pool.spawner().spawn_local(work(sub, enough)).unwrap();
    }
    let squares: Vec<_> = pool.run_until(results.collect());
    assert!(squares.into_iter().eq((0..1_000).map(|n| Ok(n * n))));
}

#[test]
fn a_sub_stream_splits_into_a_stream_and_a_sink() {
    let numbers = stream::iter((0..10).map(Ok::<u64, ()>));
    let (lending, results) = lend(numbers, Window::default());
    let (values, returns) = lending.sub_stream().split();
    let work = values.map(|lent| Ok((lent.loan, lent.value + 1))).forward(returns);
    let (done, plus_one) = block_on(futures::future::join(work, results.collect::<Vec<_>>()));
    assert_eq!(done, Ok(()));
    assert!(plus_one.into_iter().eq((1..11).map(Ok)));
}

#[test]
fn closing_the_sink_lends_its_values_again() {
    let (lending, _results) = lend(stream::iter([Ok::<_, ()>('a')]), Window::default());
    let (mut values, mut returns) = lending.sub_stream().split();
    let mut other = lending.sub_stream();
    assert_eq!(block_on(values.next()).unwrap().value, 'a');
    block_on(returns.close()).unwrap();
    assert_eq!(block_on(returns.send((Loan::first(0), 1))), Err(Refused::UnknownSubStream));
    assert_eq!(block_on(values.next()), None);
    assert_eq!(block_on(other.next()).unwrap().value, 'a');
}

#[test]
fn values_are_handed_back_and_failed() {
    let numbers = stream::iter([Ok::<u64, ()>(5)]);
    let (lending, mut results) = lend(numbers, Window::default());
    let (mut one, mut other) = (lending.sub_stream(), lending.sub_stream());
    let loan = |number| Loan { index: 0, number };
    assert_eq!(block_on(one.next()).unwrap().loan, loan(0));
    one.hand_back(loan(0)).unwrap();
    assert_eq!(block_on(one.next()).unwrap().loan, loan(1));
    assert_eq!(one.result(loan(0), 1), Err(Refused::NotHeld));
    one.fail(loan(1)).unwrap();
    assert_eq!(one.result(loan(1), 1), Err(Refused::NotHeld));
    assert_eq!(one.next().now_or_never(), None, "it waits for the other");
    assert_eq!(block_on(other.next()).unwrap().loan, loan(2));
    other.result(loan(2), 2).unwrap();
    assert_eq!(block_on(one.next()), None);
    assert_eq!(block_on(results.next()), Some(Ok(2)));
    assert_eq!(block_on(results.next()), None);
}

#[test]
fn the_error_of_the_input_comes_last() {
    let items = [Ok(2), Ok(3), Err("broken"), Ok(4)];
    let (lending, results) = lend(stream::iter(items), Window::default());
    let both = futures::future::join(work(lending.sub_stream(), 9), results.collect::<Vec<_>>());
    assert_eq!(block_on(both).1, [Ok(4), Ok(9), Err("broken")]);
}

#[test]
fn the_input_is_read_no_more_when_it_is_ended_or_the_results_are_dropped() {
    for end in [true, false] {
        let (lending, results) = lend(stream::repeat(Ok::<u64, ()>(1)), Window::default());
        let mut sub = lending.sub_stream();
        let loan = block_on(sub.next()).unwrap().loan;
        if end {
            lending.end_input();
            sub.result(loan, 1).unwrap();
            assert_eq!(block_on(results.collect::<Vec<_>>()), [Ok(1)]);
        } else {
            drop(results);
            assert_eq!(sub.result(loan, 1), Err(Refused::NotHeld));
        }
        assert_eq!(block_on(sub.next()), None);
        assert_eq!(block_on(lending.clone().sub_stream().next()), None);
    }
}

#[test]
fn bytes_stop_the_input_too() {
    let window = Window { items: 100, bytes: 10 };
    let lender: Lender<&str, (), ()> =
        Lender::with_weights(window, |text| text.len() as u64, |()| 0);
    let mut read = 0;
    let (lending, _results) = lend_with(lender, stream::repeat(Ok("four")));
    let mut sub = lending.sub_stream();
    while let Some(Some(_)) = sub.next().now_or_never() {
        read += 1;
    }
    assert_eq!(read, 3);
}
