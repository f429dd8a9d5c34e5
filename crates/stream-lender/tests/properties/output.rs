//! The order of the output, and the limit of the window.

use crate::{Numbers, first, lender, numbers, outputs, unread, value, wakes};
use stream_lender::{Ask, Lender, Lent, Order, Output, Pull, Refused, Window};

#[test]
fn property_04_the_output_ends_after_the_input_has_ended_and_every_value_has_its_result() {
    let (mut lender, mut input) = (lender(), numbers(2));
    let sub = lender.open();
    assert_eq!(lender.ask(sub, &mut input), value(0));
    assert_eq!(lender.ask(sub, &mut input), value(1));
    assert_eq!(lender.ask(sub, &mut input), Ask::Wait);
    lender.result(sub, first(1), 1).unwrap();
    assert_eq!(lender.next_output(), Output::Pending);
    lender.result(sub, first(0), 0).unwrap();
    assert_eq!(outputs(&mut lender), [(0, 0), (1, 1)]);
    assert!(lender.is_done());
    assert_eq!(lender.next_output(), Output::Done);
    assert_eq!(lender.next_output(), Output::Done);
}

#[test]
fn property_04_an_error_of_the_input_comes_after_the_results() {
    let mut lender = lender();
    let sub = lender.open();
    assert_eq!(lender.ask(sub, &mut || Pull::Value(0)), value(0));
    assert_eq!(lender.ask(sub, &mut || Pull::Failed("no disk")), Ask::Wait);
    assert_eq!(lender.next_output(), Output::Pending);
    lender.result(sub, first(0), 5).unwrap();
    assert_eq!(lender.next_output(), Output::Item(0, 5));
    assert!(!lender.is_done());
    assert_eq!(lender.next_output(), Output::Failed("no disk"));
    assert_eq!(lender.next_output(), Output::Done);
    assert!(lender.is_done());
}

#[test]
fn property_04_holds_for_an_input_that_is_stopped_or_cut() {
    let (mut lender, mut input) = (lender(), numbers(10));
    let sub = lender.open();
    for index in 0..5 {
        assert_eq!(lender.ask(sub, &mut input), value(index));
    }
    lender.end_input();
    assert_eq!(lender.ask(sub, &mut unread), Ask::Wait);
    lender.result(sub, first(4), 4).unwrap();
    lender.truncate(3);
    assert_eq!(lender.result(sub, first(3), 3), Err(Refused::NotHeld));
    assert!(lender.outstanding(sub).eq([0, 1, 2].map(first)));
    for index in 0..3 {
        lender.result(sub, first(index), index).unwrap();
    }
    assert_eq!(outputs(&mut lender), [(0, 0), (1, 1), (2, 2)]);
    assert_eq!((lender.next_output(), lender.values_read()), (Output::Done, 5));
}

#[test]
fn property_05_outputs_come_in_the_order_in_which_inputs_were_read() {
    let (mut lender, mut input) = (lender(), numbers(1_000));
    let subs = [lender.open(), lender.open(), lender.open()];
    let mut lent = Vec::new();
    while lender.values_read() < 1_000 {
        let sub = subs[lent.len() % 3];
        if let Ask::Value(value) = lender.ask(sub, &mut input) {
            lent.push((sub, value.loan.index));
        }
    }
    let mut output = Vec::new();
    for step in 0..1_000 {
        // 619 and 1,000 have no common divisor, so each value comes once, in mixed order.
        let (sub, index) = lent[step * 619 % 1_000];
        lender.result(sub, first(index), index * index).unwrap();
        output.extend(outputs(&mut lender));
    }
    assert!(output.into_iter().eq((0..1_000).map(|index| (index, index * index))));
}

#[test]
fn property_05_holds_for_values_whose_results_are_known_when_they_are_read() {
    let mut lender = Numbers::new(Window { items: 3, ..Window::default() });
    let (sub, mut input) = (lender.open(), numbers(9));
    assert_eq!(lender.read_finished(100), Ok(0));
    assert_eq!(outputs(&mut lender), [(0, 100)], "nobody has asked");
    assert_eq!(lender.ask(sub, &mut input), Ask::Value(Lent { loan: first(1), value: 0 }));
    assert_eq!(lender.read_finished(102), Ok(2));
    assert_eq!(lender.result(sub, first(2), 666), Err(Refused::NotHeld), "it is lent to nobody");
    assert_eq!(lender.read_finished(103), Ok(3));
    assert_eq!(lender.read_finished(104), Err(104), "the window is full");
    assert_eq!(lender.next_output(), Output::Pending);
    lender.result(sub, first(1), 101).unwrap();
    assert_eq!(outputs(&mut lender), [(1, 101), (2, 102), (3, 103)]);
    lender.end_input();
    assert_eq!((lender.read_finished(104), lender.next_output()), (Err(104), Output::Done));
}

#[test]
fn property_05_with_the_order_of_results_each_value_is_output_once_as_its_result_comes() {
    let window = Window { items: 300, ..Window::default() };
    let (mut lender, mut input) =
        (Numbers::new(window).with_order(Order::OfResults), numbers(1_000));
    let (slow, fast) = (lender.open(), lender.open());
    assert_eq!(lender.ask(slow, &mut input), value(0));
    let (mut given, mut output) = (Vec::new(), Vec::new());
    while let Ask::Value(_) = lender.ask(fast, &mut input) {
        let held: Vec<_> = lender.outstanding(fast).collect();
        // The slow value holds up neither the reading nor the output of the others.
        if held.len() == 299 || lender.values_read() == 1_000 {
            for step in 0..held.len() {
                let loan = held[step * 7 % held.len()];
                lender.result(fast, loan, loan.index * loan.index).unwrap();
                given.push((loan.index, loan.index * loan.index));
            }
            output.extend(outputs(&mut lender));
        }
    }
    assert_eq!((output.len(), lender.in_progress(), lender.results_output()), (999, 1, 999));
    lender.result(slow, first(0), 0).unwrap();
    output.extend(outputs(&mut lender));
    given.push((0, 0));
    assert_eq!(output, given);
    output.sort_unstable();
    assert!(output.into_iter().eq((0..1_000).map(|index| (index, index * index))));
}

#[test]
fn property_05_with_the_order_of_results_those_that_are_there_stay_when_the_output_is_cut() {
    let (mut lender, mut input) = (lender().with_order(Order::OfResults), numbers(9));
    let sub = lender.open();
    for index in 0..5 {
        assert_eq!(lender.ask(sub, &mut input), value(index));
    }
    lender.result(sub, first(3), 33).unwrap();
    lender.truncate(2);
    assert_eq!(lender.result(sub, first(4), 44), Err(Refused::NotHeld));
    lender.result(sub, first(1), 11).unwrap();
    lender.result(sub, first(0), 0).unwrap();
    assert_eq!(outputs(&mut lender), [(3, 33), (1, 11), (0, 0)]);
    assert!(lender.is_done());
}

#[test]
fn property_11_what_is_read_and_not_yet_output_never_exceeds_the_window() {
    for items in [0, 1, 2, 10] {
        let mut lender = Numbers::new(Window { items, ..Window::default() });
        let mut input = numbers(1_000);
        let sub = lender.open();
        let room = items.max(1) as u64;
        for index in 0..room {
            assert_eq!(lender.ask(sub, &mut input), value(index));
        }
        assert_eq!((lender.ask(sub, &mut unread), lender.is_full()), (Ask::Wait, true));
        // The consumer has stopped. Only output makes room in the window; results do not.
        for index in 0..room {
            lender.result(sub, first(index), index).unwrap();
            assert_eq!((lender.next_wake(), lender.in_progress()), (None, room as usize));
        }
        assert_eq!(lender.next_output(), Output::Item(0, 0));
        assert_eq!(wakes(&mut lender), [sub]);
        assert_eq!(lender.ask(sub, &mut input), value(room));
        assert_eq!(lender.ask(sub, &mut unread), Ask::Wait);
    }
}

#[test]
fn property_11_holds_for_bytes_and_one_value_is_always_allowed_in() {
    let window = Window { items: 100, bytes: 10 };
    let mut lender: Lender<u64, u64, ()> =
        Lender::with_weights(window, |value| *value, |result| *result);
    let sub = lender.open();
    let ask = |lender: &mut Lender<u64, u64, ()>, bytes| match lender
        .ask(sub, &mut || Pull::Value(bytes))
    {
        Ask::Value(lent) => Some(lent.loan.index),
        _ => None,
    };
    assert_eq!(ask(&mut lender, 1_000), Some(0), "whatever its size");
    assert_eq!(ask(&mut lender, 1), None);
    lender.replace_value(0, 3);
    assert_eq!((ask(&mut lender, 6), lender.bytes_in_progress()), (Some(1), 9));
    lender.result(sub, first(1), 7).unwrap();
    assert_eq!(
        (ask(&mut lender, 0), lender.bytes_in_progress()),
        (None, 10),
        "results count until they are output"
    );
    lender.result(sub, first(0), 0).unwrap();
    assert_eq!((ask(&mut lender, 3), lender.bytes_in_progress()), (Some(2), 10));
    assert_eq!(ask(&mut lender, 0), None);
    while let Output::Item(..) = lender.next_output() {}
    assert_eq!((ask(&mut lender, 0), lender.bytes_in_progress()), (Some(3), 3));
}
