//! The twelve properties of the crate's documentation, each tested by the test of its name.

use stream_lender::{Ask, Index, Lender, Lent, Output, Pull, Refused, SubStreamId, Window};

type Numbers = Lender<u64, u64, &'static str>;

fn lender() -> Numbers {
    Lender::new(Window::default())
}

/// An input of the numbers 0, 1, … below `end`: each value is its own index.
fn numbers(end: u64) -> impl FnMut() -> Pull<u64, &'static str> {
    let mut numbers = 0..end;
    move || Pull::from(numbers.next())
}

/// An input that must not be read.
fn unread() -> Pull<u64, &'static str> {
    panic!("the input is read")
}

fn value(index: Index) -> Ask<u64> {
    Ask::Value(Lent { index, value: index })
}

/// All that can be output now.
fn outputs(lender: &mut Numbers) -> Vec<(Index, u64)> {
    std::iter::from_fn(|| match lender.next_output() {
        Output::Item(index, result) => Some((index, result)),
        _ => None,
    })
    .collect()
}

fn wakes(lender: &mut Numbers) -> Vec<SubStreamId> {
    std::iter::from_fn(|| lender.next_wake()).collect()
}

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
    assert_eq!(lender.ask(sub, &mut input), Ask::Value(Lent { index: 0, value: 7 }));
    lender.result(sub, 0, 49).unwrap();
    assert_eq!(outputs(&mut lender), [(0, 49)]);
    assert_eq!((read, lender.read()), (1, 1), "one ask reads one value");
}

#[test]
fn property_02_any_number_of_sub_streams_can_be_opened_at_any_time() {
    let (mut lender, mut input) = (lender(), numbers(30_000));
    let mut ids = Vec::new();
    for index in 0..10_000 {
        let (staying, leaving) = (lender.open(), lender.open());
        assert_eq!(lender.ask(staying, &mut input), value(2 * index));
        assert_eq!(lender.ask(leaving, &mut input), value(2 * index + 1));
        lender.result(leaving, 2 * index + 1, 0).unwrap();
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
    lender.result(a, 0, 0).unwrap();
    assert_eq!(lender.next_wake(), None);
    assert_eq!(outputs(&mut lender), [(0, 0)]);
    assert_eq!(lender.next_wake(), Some(c));
    assert_eq!(lender.ask(c, &mut input), value(2));

    // All is lent.
    assert_eq!(lender.ask(a, &mut unread), Ask::Wait);
    lender.result(b, 1, 1).unwrap();
    assert_eq!(outputs(&mut lender), [(1, 1)]);
    assert_eq!(lender.next_wake(), Some(a));
    assert_eq!(lender.ask(a, &mut input), Ask::Wait, "the input has ended");
    assert_eq!(lender.ask(b, &mut unread), Ask::Wait);
    assert_eq!(lender.next_wake(), None);

    // A value comes back: for the first that asks. Then all is done.
    assert_eq!(lender.close(c), [2]);
    assert_eq!(lender.next_wake(), Some(a));
    assert_eq!(lender.ask(a, &mut unread), value(2));
    assert_eq!(lender.next_wake(), None);
    lender.result(a, 2, 2).unwrap();
    assert_eq!(lender.next_wake(), Some(b));
    assert_eq!(lender.ask(b, &mut unread), Ask::Done);
}

/// A wake-up that its sub-stream makes nothing of is not lost for the others.
#[test]
fn property_03_holds_also_if_who_is_woken_does_not_ask() {
    let (mut lender, mut input) = (lender(), numbers(1));
    let (a, b, c) = (lender.open(), lender.open(), lender.open());
    assert_eq!(lender.ask(a, &mut input), value(0));
    assert_eq!(lender.ask(b, &mut input), Ask::Wait);
    assert_eq!(lender.ask(c, &mut input), Ask::Wait);
    lender.fail(a, 0).unwrap();
    assert_eq!(wakes(&mut lender), [b, c], "neither has asked yet, so both may");
    assert_eq!(lender.ask(c, &mut input), value(0));
    assert_eq!(lender.ask(b, &mut input), Ask::Wait, "late");
    lender.hand_back(c, 0).unwrap();
    assert_eq!(wakes(&mut lender), [b]);
    lender.close(b);
    assert_eq!(lender.ask(c, &mut input), value(0));
}

#[test]
fn property_04_the_output_ends_after_the_input_has_ended_and_every_value_has_its_result() {
    let (mut lender, mut input) = (lender(), numbers(2));
    let sub = lender.open();
    assert_eq!(lender.ask(sub, &mut input), value(0));
    assert_eq!(lender.ask(sub, &mut input), value(1));
    assert_eq!(lender.ask(sub, &mut input), Ask::Wait);
    lender.result(sub, 1, 1).unwrap();
    assert_eq!(lender.next_output(), Output::Pending);
    lender.result(sub, 0, 0).unwrap();
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
    lender.result(sub, 0, 5).unwrap();
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
    lender.result(sub, 4, 4).unwrap();
    lender.truncate(3);
    assert_eq!(lender.result(sub, 3, 3), Err(Refused::NotHeld));
    assert!(lender.outstanding(sub).eq([0, 1, 2]));
    for index in 0..3 {
        lender.result(sub, index, index).unwrap();
    }
    assert_eq!(outputs(&mut lender), [(0, 0), (1, 1), (2, 2)]);
    assert_eq!((lender.next_output(), lender.read()), (Output::Done, 5));
}

#[test]
fn property_05_outputs_come_in_the_order_in_which_inputs_were_read() {
    let (mut lender, mut input) = (lender(), numbers(1_000));
    let subs = [lender.open(), lender.open(), lender.open()];
    let mut lent = Vec::new();
    while lender.read() < 1_000 {
        let sub = subs[lent.len() % 3];
        if let Ask::Value(value) = lender.ask(sub, &mut input) {
            lent.push((sub, value.index));
        }
    }
    let mut output = Vec::new();
    for step in 0..1_000 {
        // 619 and 1,000 have no common divisor: every value once, in disorder.
        let (sub, index) = lent[step * 619 % 1_000];
        lender.result(sub, index, index * index).unwrap();
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
    assert_eq!(lender.ask(sub, &mut input), Ask::Value(Lent { index: 1, value: 0 }));
    assert_eq!(lender.read_finished(102), Ok(2));
    assert_eq!(lender.result(sub, 2, 666), Err(Refused::NotHeld), "it is lent to nobody");
    assert_eq!(lender.read_finished(103), Ok(3));
    assert_eq!(lender.read_finished(104), Err(104), "the window is full");
    assert_eq!(lender.next_output(), Output::Pending);
    lender.result(sub, 1, 101).unwrap();
    assert_eq!(outputs(&mut lender), [(1, 101), (2, 102), (3, 103)]);
    lender.end_input();
    assert_eq!((lender.read_finished(104), lender.next_output()), (Err(104), Output::Done));
}

#[test]
fn property_06_what_a_closed_sub_stream_held_is_lent_again_oldest_first_before_new_input() {
    let (mut lender, mut input) = (lender(), numbers(10));
    let (a, b) = (lender.open(), lender.open());
    for (index, sub) in [(0, a), (1, b), (2, a), (3, b), (4, a)] {
        assert_eq!(lender.ask(sub, &mut input), value(index));
    }
    lender.result(a, 2, 2).unwrap();
    assert_eq!(lender.close(b), [1, 3]);
    assert_eq!(lender.close(b), [], "once");
    assert_eq!(lender.close(a), [0, 4]);
    assert_eq!(lender.oldest(), Some((0, None)));
    let c = lender.open();
    for index in [0, 1, 3, 4] {
        assert_eq!(lender.ask(c, &mut unread), value(index));
    }
    assert_eq!(lender.ask(c, &mut input), value(5));
    assert!(lender.outstanding(c).eq([0, 1, 3, 4, 5]));
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
                lender.result(sub, lent.index, 0).unwrap();
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
    lender.result(a, 0, 0).unwrap();
    // Not yet output, and yet there is nothing left to ask for.
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
    assert_eq!(lender.result(a, 0, 0), Err(Refused::NotHeld));
    assert_eq!((lender.next_output(), lender.is_done()), (Output::Done, true));
}

#[test]
fn property_09_a_value_is_with_at_most_one_sub_stream_at_a_time() {
    let (mut lender, mut input) = (lender(), numbers(2));
    let (a, b) = (lender.open(), lender.open());
    assert_eq!(lender.ask(a, &mut input), value(0));
    assert_eq!(lender.ask(b, &mut input), value(1));
    assert_eq!(lender.ask(a, &mut input), Ask::Wait);
    assert_eq!(lender.take_up(b, 0), None, "it is lent");
    assert_eq!((lender.holder(0), lender.holder(1)), (Some(a), Some(b)));
    lender.close(a);
    assert_eq!(lender.holder(0), None);
    assert_eq!(lender.take_up(b, 0), Some(Lent { index: 0, value: 0 }));
    assert_eq!((lender.holder(0), lender.held(b)), (Some(b), 2));
    assert_eq!(lender.ask(b, &mut input), Ask::Wait);
}

#[test]
fn property_10_a_result_is_accepted_only_from_who_holds_the_value_now() {
    let (mut lender, mut input) = (lender(), numbers(9));
    let (a, b) = (lender.open(), lender.open());
    assert_eq!(lender.ask(a, &mut input), value(0));
    assert_eq!(lender.ask(b, &mut input), value(1));
    assert_eq!(lender.result(b, 0, 666), Err(Refused::NotHeld), "forged");
    assert_eq!(lender.result(a, 7, 666), Err(Refused::NotHeld), "invented");
    assert_eq!(lender.result(a, u64::MAX, 666), Err(Refused::NotHeld));
    lender.close(a);
    assert_eq!(lender.result(a, 0, 666), Err(Refused::UnknownSubStream), "late");
    assert_eq!(lender.result(b, 0, 666), Err(Refused::NotHeld), "it waits to be lent again");
    assert_eq!(lender.ask(b, &mut input), value(0));
    lender.result(b, 0, 10).unwrap();
    assert_eq!(lender.result(b, 0, 666), Err(Refused::NotHeld), "doubled");
    assert_eq!((lender.fail(b, 0), lender.hand_back(b, 0)), (Err(Refused::NotHeld), Err(Refused::NotHeld)));
    assert_eq!(outputs(&mut lender), [(0, 10)]);
    assert_eq!(lender.result(b, 0, 666), Err(Refused::NotHeld), "output");
    lender.result(b, 1, 11).unwrap();
    assert_eq!(outputs(&mut lender), [(1, 11)]);
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
        // The consumer has stopped: results change nothing, output does.
        for index in 0..room {
            lender.result(sub, index, index).unwrap();
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
    let mut lender: Lender<u64, u64, ()> = Lender::with_weights(window, |value| *value, |result| *result);
    let sub = lender.open();
    let ask = |lender: &mut Lender<u64, u64, ()>, bytes| match lender.ask(sub, &mut || Pull::Value(bytes)) {
        Ask::Value(lent) => Some(lent.index),
        _ => None,
    };
    assert_eq!(ask(&mut lender, 1_000), Some(0), "whatever its size");
    assert_eq!(ask(&mut lender, 1), None);
    lender.replace_value(0, 3);
    assert_eq!((ask(&mut lender, 6), lender.bytes_in_progress()), (Some(1), 9));
    lender.result(sub, 1, 7).unwrap();
    assert_eq!((ask(&mut lender, 0), lender.bytes_in_progress()), (None, 10), "results count until they are output");
    lender.result(sub, 0, 0).unwrap();
    assert_eq!((ask(&mut lender, 3), lender.bytes_in_progress()), (Some(2), 10));
    assert_eq!(ask(&mut lender, 0), None);
    while let Output::Item(..) = lender.next_output() {}
    assert_eq!((ask(&mut lender, 0), lender.bytes_in_progress()), (Some(3), 3));
}

#[test]
fn property_12_a_value_handed_back_may_go_to_the_same_sub_stream_again() {
    let (mut lender, mut input) = (lender(), numbers(9));
    let sub = lender.open();
    for index in 0..3 {
        assert_eq!(lender.ask(sub, &mut input), value(index));
    }
    lender.hand_back(sub, 2).unwrap();
    lender.hand_back(sub, 0).unwrap();
    lender.replace_value(2, 20);
    assert_eq!(lender.ask(sub, &mut unread), value(0), "oldest first");
    assert_eq!(lender.ask(sub, &mut unread), Ask::Value(Lent { index: 2, value: 20 }));
}

#[test]
fn property_12_a_value_failed_goes_to_the_next_asker_that_has_not_failed_it() {
    let (mut lender, mut input) = (lender(), numbers(4));
    let (a, b, c) = (lender.open(), lender.open(), lender.open());
    assert_eq!(lender.ask(a, &mut input), value(0));
    lender.fail(a, 0).unwrap();
    assert_eq!(lender.ask(a, &mut input), value(1), "a new one for who failed it");
    assert_eq!(lender.ask(b, &mut unread), value(0));
    lender.fail(b, 0).unwrap();
    assert_eq!(lender.ask(a, &mut input), value(2));
    assert_eq!(lender.ask(b, &mut input), value(3));
    assert_eq!(lender.ask(a, &mut input), Ask::Wait);
    assert_eq!(lender.next_wake(), None, "both that could ask have failed it");

    // The only one that has not failed it leaves: now anyone may.
    lender.close(c);
    assert_eq!(wakes(&mut lender), [a]);
    assert_eq!(lender.ask(a, &mut unread), value(0));
    lender.fail(a, 0).unwrap();
    let d = lender.open();
    assert_eq!(lender.ask(a, &mut unread), Ask::Wait, "somebody new has not failed it");
    assert_eq!(lender.ask(d, &mut unread), value(0));

    // Failed for good: a result that takes its place in the order.
    lender.result(d, 0, 404).unwrap();
    lender.result(a, 1, 1).unwrap();
    assert_eq!(outputs(&mut lender), [(0, 404), (1, 1)]);
}

#[test]
fn property_12_does_not_wait_for_one_that_is_paused() {
    let (mut lender, mut input) = (lender(), numbers(2));
    let (a, b) = (lender.open(), lender.open());
    assert_eq!(lender.ask(b, &mut input), value(0));
    assert_eq!(lender.ask(a, &mut input), value(1));
    lender.fail(a, 1).unwrap();
    assert_eq!(lender.ask(a, &mut input), Ask::Wait, "the other has not failed it");
    assert_eq!(lender.next_wake(), None);

    lender.pause(b);
    assert_eq!(wakes(&mut lender), [a]);
    assert_eq!(lender.ask(a, &mut unread), value(1));
    lender.fail(a, 1).unwrap();
    lender.fail(b, 0).unwrap();
    assert_eq!(lender.ask(a, &mut unread), value(0), "the other keeps what it holds, until it fails");

    // It asks: it is no longer paused.
    assert_eq!(lender.ask(b, &mut unread), value(1));
    lender.result(b, 1, 1).unwrap();
    lender.result(a, 0, 0).unwrap();
    assert_eq!(outputs(&mut lender), [(0, 0), (1, 1)]);
}

#[test]
fn property_12_wakes_the_one_that_has_not_failed_it() {
    let (mut lender, mut input) = (lender(), numbers(1));
    let (a, b, c) = (lender.open(), lender.open(), lender.open());
    assert_eq!(lender.ask(a, &mut input), value(0));
    lender.fail(a, 0).unwrap();
    assert_eq!(lender.ask(b, &mut input), value(0));
    assert_eq!(lender.ask(a, &mut input), Ask::Wait);
    assert_eq!(lender.ask(c, &mut input), Ask::Wait);
    lender.fail(b, 0).unwrap();
    assert_eq!(wakes(&mut lender), [c], "and not the one that waits longer");
}
