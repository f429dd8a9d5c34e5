//! What is lent to whom, and again to whom.

use crate::{lender, numbers, outputs, unread, value, wakes};
use stream_lender::{Ask, Lent, Refused};

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
