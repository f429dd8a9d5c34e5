//! Asks, and their answers.

use crate::{Numbers, again, first, lender, numbers, outputs, unread, value, wakes};
use stream_lender::{Ask, Lent, Loan, Output, Pull, Refused, Window};

#[test]
fn property_01_if_no_sub_stream_asks_the_input_is_not_read() {
    let mut lender = lender();
    let mut read = 0;
    let sub = lender.open();
    lender.input_ready();
    assert_eq!(lender.next_output(), Output::Pending);
    assert_eq!((lender.next_wake(), lender.wants_input()), (None, false));

    let mut input = || {
        read += 1;
        Pull::Value(7)
    };
    assert_eq!(lender.ask(sub, &mut input), Ask::Value(Lent { loan: first(0), value: 7 }));
    lender.result(sub, first(0), 49).unwrap();
    assert_eq!(outputs(&mut lender), [(0, 49)]);
    assert_eq!((read, lender.values_read()), (1, 1), "one ask reads one value");
}

#[test]
fn property_02_any_number_of_sub_streams_can_be_opened_at_any_time() {
    let (mut lender, mut input) = (lender(), numbers(30_000));
    let mut ids = Vec::new();
    for index in 0..10_000 {
        let (staying, leaving) = (lender.open(), lender.open());
        assert_eq!(lender.ask(staying, &mut input), value(2 * index));
        assert_eq!(lender.ask(leaving, &mut input), value(2 * index + 1));
        lender.result(leaving, first(2 * index + 1), 0).unwrap();
        assert_eq!(lender.close(leaving), []);
        ids.extend([staying, leaving]);
    }
    assert_eq!(lender.sub_streams(), 10_000);
    assert!(ids.is_sorted_by(|one, other| one < other), "no id is used again");
}

#[test]
fn property_03_an_open_sub_stream_that_asks_gets_a_value_or_done() {
    let mut lender = Numbers::new(Window { items: 2, ..Window::default() });
    let mut input = numbers(3);
    let (a, b, c) = (lender.open(), lender.open(), lender.open());

    // The input has nothing yet.
    let mut nothing = || Pull::Pending;
    assert_eq!(lender.ask(a, &mut nothing), Ask::Wait);
    assert_eq!(lender.ask(b, &mut nothing), Ask::Wait);
    assert_eq!((lender.next_wake(), lender.wants_input()), (None, true));
    lender.input_ready();
    assert_eq!(lender.next_wake(), Some(a));
    assert_eq!(lender.ask(a, &mut input), value(0));
    assert_eq!(lender.next_wake(), Some(b));
    assert_eq!(lender.ask(b, &mut input), value(1));

    // The window is full.
    assert_eq!(lender.ask(c, &mut unread), Ask::Wait);
    assert_eq!((lender.next_wake(), lender.wants_input()), (None, false));
    lender.result(a, first(0), 0).unwrap();
    assert_eq!(lender.next_wake(), None);
    assert_eq!(outputs(&mut lender), [(0, 0)]);
    assert_eq!(lender.next_wake(), Some(c));
    assert_eq!(lender.ask(c, &mut input), value(2));

    // All values are lent.
    assert_eq!(lender.ask(a, &mut unread), Ask::Wait);
    lender.result(b, first(1), 1).unwrap();
    assert_eq!(outputs(&mut lender), [(1, 1)]);
    assert_eq!(lender.next_wake(), Some(a));
    assert_eq!(lender.ask(a, &mut input), Ask::Wait, "the input has ended");
    assert_eq!(lender.ask(b, &mut unread), Ask::Wait);
    assert_eq!(lender.next_wake(), None);

    // A value comes back and goes to the first sub-stream that asks. Then all values have results.
    assert_eq!(lender.close(c), [2]);
    assert_eq!(lender.next_wake(), Some(a));
    assert_eq!(lender.ask(a, &mut unread), again(2, 1));
    assert_eq!(lender.next_wake(), None);
    lender.result(a, Loan { index: 2, number: 1 }, 2).unwrap();
    assert_eq!(lender.next_wake(), Some(b));
    assert_eq!(lender.ask(b, &mut unread), Ask::Done);
}

/// A wake-up that a sub-stream ignores is not lost for the others.
#[test]
fn property_03_holds_also_if_who_is_woken_does_not_ask() {
    let (mut lender, mut input) = (lender(), numbers(1));
    let (a, b, c) = (lender.open(), lender.open(), lender.open());
    assert_eq!(lender.ask(a, &mut input), value(0));
    assert_eq!(lender.ask(b, &mut input), Ask::Wait);
    assert_eq!(lender.ask(c, &mut input), Ask::Wait);
    lender.fail(a, first(0)).unwrap();
    assert_eq!(wakes(&mut lender), [b, c], "neither has asked yet, so both may");
    assert_eq!(lender.ask(c, &mut input), again(0, 1));
    assert_eq!(lender.ask(b, &mut input), Ask::Wait, "late");
    lender.hand_back(c, Loan { index: 0, number: 1 }).unwrap();
    assert_eq!(wakes(&mut lender), [b]);
    lender.close(b);
    assert_eq!(lender.ask(c, &mut input), again(0, 2));
}

#[test]
fn property_07_a_sub_stream_that_asks_faster_gets_more_values() {
    let (mut lender, mut input) = (lender(), numbers(1_000));
    let (fast, slow) = (lender.open(), lender.open());
    let mut got = [0, 0];
    for round in 0..400 {
        for (sub, place, every) in [(fast, 0, 1), (slow, 1, 4)] {
            if round % every > 0 {
                continue;
            }
            if let Ask::Value(lent) = lender.ask(sub, &mut input) {
                lender.result(sub, lent.loan, 0).unwrap();
                got[place] += 1;
            }
        }
    }
    assert_eq!(got, [400, 100]);
}

#[test]
fn property_08_after_the_end_opening_or_asking_answers_done_at_once() {
    let (mut lender, mut input) = (lender(), numbers(1));
    let (a, b) = (lender.open(), lender.open());
    assert_eq!(lender.ask(a, &mut input), value(0));
    assert_eq!(lender.ask(b, &mut input), Ask::Wait);
    lender.result(a, first(0), 0).unwrap();
    // The result is not yet output, but no value is left to ask for.
    assert_eq!(lender.ask(a, &mut unread), Ask::Done);
    assert_eq!(wakes(&mut lender), [b]);
    assert_eq!(lender.ask(b, &mut unread), Ask::Done);
    let late = lender.open();
    assert_eq!(lender.ask(late, &mut unread), Ask::Done);
    assert_eq!(outputs(&mut lender), [(0, 0)]);
    let latest = lender.open();
    assert_eq!(lender.ask(latest, &mut unread), Ask::Done);
    lender.close(latest);
    assert_eq!(lender.ask(latest, &mut unread), Ask::Done);
}

#[test]
fn property_08_holds_after_the_output_was_dropped() {
    let (mut lender, mut input) = (lender(), numbers(10));
    let (a, b) = (lender.open(), lender.open());
    assert_eq!(lender.ask(a, &mut input), value(0));
    assert_eq!(lender.ask(b, &mut || Pull::Pending), Ask::Wait);
    lender.drop_output();
    assert_eq!(wakes(&mut lender), [b]);
    for sub in [a, b] {
        assert_eq!(lender.ask(sub, &mut unread), Ask::Done);
    }
    assert_eq!(lender.result(a, first(0), 0), Err(Refused::NotHeld));
    assert_eq!((lender.next_output(), lender.is_done()), (Output::Done, true));
}
