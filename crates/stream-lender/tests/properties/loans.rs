//! Loans: the holder of each value, and the next holder.

use crate::{again, first, lender, numbers, outputs, unread, value, wakes};
use stream_lender::{Ask, Lent, Loan, Order, Pull, Refused};

#[test]
fn property_06_what_a_closed_sub_stream_held_is_lent_again_oldest_first_before_new_input() {
    let (mut lender, mut input) = (lender(), numbers(10));
    let (a, b) = (lender.open(), lender.open());
    for (index, sub) in [(0, a), (1, b), (2, a), (3, b), (4, a)] {
        assert_eq!(lender.ask(sub, &mut input), value(index));
    }
    lender.result(a, first(2), 2).unwrap();
    assert_eq!(lender.close(b), [1, 3]);
    assert_eq!(lender.close(b), [], "once");
    assert_eq!(lender.close(a), [0, 4]);
    assert_eq!(lender.oldest(), Some((0, None)));
    let c = lender.open();
    for index in [0, 1, 3, 4] {
        assert_eq!(lender.ask(c, &mut unread), again(index, 1));
    }
    assert_eq!(lender.ask(c, &mut input), value(5));
    assert!(lender.outstanding(c).map(|loan| (loan.index, loan.number)).eq([
        (0, 1),
        (1, 1),
        (3, 1),
        (4, 1),
        (5, 0)
    ]));
}

#[test]
fn property_09_a_value_is_with_at_most_one_sub_stream_at_a_time() {
    let (mut lender, mut input) = (lender(), numbers(2));
    let (a, b) = (lender.open(), lender.open());
    assert_eq!(lender.ask(a, &mut input), value(0));
    assert_eq!(lender.ask(b, &mut input), value(1));
    assert_eq!(lender.ask(a, &mut input), Ask::Wait);
    assert_eq!((lender.resume_loan(b, first(0)), lender.lend_to(b, 0)), (None, None), "it is lent");
    assert_eq!((lender.holder(0), lender.holder(1)), (Some(a), Some(b)));
    lender.close(a);
    assert_eq!(lender.holder(0), None);
    assert_eq!(lender.lend_to(b, 0), Some(Lent { loan: Loan { index: 0, number: 1 }, value: 0 }));
    assert_eq!((lender.holder(0), lender.held(b)), (Some(b), 2));
    assert_eq!(lender.ask(b, &mut input), Ask::Wait);
}

#[test]
fn property_10_a_result_is_accepted_only_from_who_holds_the_value_now() {
    let (mut lender, mut input) = (lender(), numbers(9));
    let (a, b) = (lender.open(), lender.open());
    assert_eq!(lender.ask(a, &mut input), value(0));
    assert_eq!(lender.ask(b, &mut input), value(1));
    assert_eq!(lender.result(b, first(0), 666), Err(Refused::NotHeld), "forged");
    assert_eq!(lender.result(a, first(7), 666), Err(Refused::NotHeld), "invented");
    assert_eq!(lender.result(a, first(u64::MAX), 666), Err(Refused::NotHeld));
    lender.close(a);
    assert_eq!(lender.result(a, first(0), 666), Err(Refused::UnknownSubStream), "late");
    assert_eq!(lender.result(b, first(0), 666), Err(Refused::NotHeld), "it waits to be lent again");
    assert_eq!(lender.ask(b, &mut input), again(0, 1));
    assert_eq!(lender.result(b, first(0), 666), Err(Refused::NotHeld), "of an earlier loan");
    let second = Loan { index: 0, number: 1 };
    lender.result(b, second, 10).unwrap();
    assert_eq!(lender.result(b, second, 666), Err(Refused::NotHeld), "doubled");
    assert_eq!(
        (lender.fail(b, second), lender.hand_back(b, second)),
        (Err(Refused::NotHeld), Err(Refused::NotHeld))
    );
    assert_eq!(outputs(&mut lender), [(0, 10)]);
    assert_eq!(lender.result(b, second, 666), Err(Refused::NotHeld), "output");
    lender.result(b, first(1), 11).unwrap();
    assert_eq!(outputs(&mut lender), [(1, 11)]);
}

#[test]
fn property_10_holds_among_the_loans_of_one_value_to_one_sub_stream() {
    let (mut lender, mut input) = (lender(), numbers(1));
    let sub = lender.open();
    assert_eq!(lender.ask(sub, &mut input), value(0));
    lender.fail(sub, first(0)).unwrap();
    assert_eq!(
        lender.result(sub, first(0), 666),
        Err(Refused::NotHeld),
        "it waits to be lent again"
    );
    for number in 1..4 {
        assert_eq!(lender.ask(sub, &mut unread), again(0, number));
        let loan = Loan { index: 0, number };
        assert!(lender.holds(sub, loan) && lender.loan(0) == Some(loan));
        for other in (0..5).filter(|other| *other != number) {
            let other = Loan { index: 0, number: other };
            assert_eq!(lender.result(sub, other, 666), Err(Refused::NotHeld));
            assert_eq!(
                (lender.fail(sub, other), lender.hand_back(sub, other)),
                (Err(Refused::NotHeld), Err(Refused::NotHeld))
            );
        }
        lender.hand_back(sub, loan).unwrap();
    }
    assert_eq!(lender.ask(sub, &mut unread), again(0, 4));
    lender.result(sub, Loan { index: 0, number: 4 }, 7).unwrap();
    assert_eq!(outputs(&mut lender), [(0, 7)]);
}

#[test]
fn property_10_a_loan_that_is_taken_up_keeps_its_number() {
    let (mut lender, mut input) = (lender(), numbers(1));
    let (a, b) = (lender.open(), lender.open());
    assert_eq!(lender.ask(a, &mut input), value(0));
    lender.close(a);
    assert_eq!(
        lender.resume_loan(b, Loan { index: 0, number: 1 }),
        None,
        "there has been no such loan"
    );
    assert_eq!(lender.resume_loan(b, first(7)), None);
    assert_eq!(lender.resume_loan(b, first(0)), Some(Lent { loan: first(0), value: 0 }));
    lender.hand_back(b, first(0)).unwrap();
    assert_eq!(lender.ask(b, &mut unread), again(0, 1), "and no other has it");
    assert_eq!(lender.result(b, first(0), 666), Err(Refused::NotHeld));
    lender.result(b, Loan { index: 0, number: 1 }, 1).unwrap();
    assert_eq!(outputs(&mut lender), [(0, 1)]);
}

#[test]
fn property_10_a_copy_counts_only_once_it_is_taken_up() {
    let (mut lender, mut input) = (lender(), numbers(1));
    let (slow, fast) = (lender.open(), lender.open());
    assert_eq!(lender.ask(slow, &mut input), value(0));
    let copy = lender.copy(0).unwrap();
    assert_eq!(copy, Lent { loan: Loan { index: 0, number: 1 }, value: 0 });
    assert_eq!(
        (lender.holder(0), lender.loan(0)),
        (Some(slow), Some(first(0))),
        "it stays where it is"
    );
    assert_eq!(lender.result(fast, copy.loan, 666), Err(Refused::NotHeld));
    assert_eq!(lender.result(slow, copy.loan, 666), Err(Refused::NotHeld));
    lender.hand_back(slow, first(0)).unwrap();
    assert_eq!(lender.resume_loan(fast, copy.loan), Some(copy));
    assert_eq!(lender.result(slow, first(0), 666), Err(Refused::NotHeld), "too late");
    lender.result(fast, copy.loan, 1).unwrap();
    assert_eq!((outputs(&mut lender), lender.copy(0)), (vec![(0, 1)], None));
}

#[test]
fn property_12_a_value_handed_back_may_go_to_the_same_sub_stream_again() {
    let (mut lender, mut input) = (lender(), numbers(9));
    let sub = lender.open();
    for index in 0..3 {
        assert_eq!(lender.ask(sub, &mut input), value(index));
    }
    lender.hand_back(sub, first(2)).unwrap();
    lender.hand_back(sub, first(0)).unwrap();
    lender.replace_value(2, 20);
    assert_eq!(lender.ask(sub, &mut unread), again(0, 1), "oldest first");
    assert_eq!(
        lender.ask(sub, &mut unread),
        Ask::Value(Lent { loan: Loan { index: 2, number: 1 }, value: 20 })
    );
}

#[test]
fn property_12_a_value_failed_goes_to_the_next_asker_that_has_not_failed_it() {
    let (mut lender, mut input) = (lender(), numbers(4));
    let (a, b, c) = (lender.open(), lender.open(), lender.open());
    assert_eq!(lender.ask(a, &mut input), value(0));
    lender.fail(a, first(0)).unwrap();
    assert_eq!(lender.ask(a, &mut input), value(1), "a new one for who failed it");
    assert_eq!(lender.ask(b, &mut unread), again(0, 1));
    lender.fail(b, Loan { index: 0, number: 1 }).unwrap();
    assert_eq!(lender.ask(a, &mut input), value(2));
    assert_eq!(lender.ask(b, &mut input), value(3));
    assert_eq!(lender.ask(a, &mut input), Ask::Wait);
    assert_eq!(lender.next_wake(), None, "both that could ask have failed it");

    // The only sub-stream that has not failed the value leaves, so any sub-stream may have it.
    lender.close(c);
    assert_eq!(wakes(&mut lender), [a]);
    assert_eq!(lender.ask(a, &mut unread), again(0, 2));
    lender.fail(a, Loan { index: 0, number: 2 }).unwrap();
    let d = lender.open();
    assert_eq!(lender.ask(a, &mut unread), Ask::Wait, "somebody new has not failed it");
    assert_eq!(lender.ask(d, &mut unread), again(0, 3));

    // The final failure is a result that takes the value's place in the order.
    lender.result(d, Loan { index: 0, number: 3 }, 404).unwrap();
    lender.result(a, first(1), 1).unwrap();
    assert_eq!(outputs(&mut lender), [(0, 404), (1, 1)]);
}

#[test]
fn property_12_does_not_wait_for_one_that_is_paused() {
    let (mut lender, mut input) = (lender(), numbers(2));
    let (a, b) = (lender.open(), lender.open());
    assert_eq!(lender.ask(b, &mut input), value(0));
    assert_eq!(lender.ask(a, &mut input), value(1));
    lender.fail(a, first(1)).unwrap();
    assert_eq!(lender.ask(a, &mut input), Ask::Wait, "the other has not failed it");
    assert_eq!(lender.next_wake(), None);

    lender.pause(b);
    assert_eq!(wakes(&mut lender), [a]);
    assert_eq!(lender.ask(a, &mut unread), again(1, 1));
    lender.fail(a, Loan { index: 1, number: 1 }).unwrap();
    lender.fail(b, first(0)).unwrap();
    assert_eq!(
        lender.ask(a, &mut unread),
        again(0, 1),
        "the other keeps what it holds, until it fails"
    );

    // An ask ends the pause.
    assert_eq!(lender.ask(b, &mut unread), again(1, 2));
    lender.result(b, Loan { index: 1, number: 2 }, 1).unwrap();
    lender.result(a, Loan { index: 0, number: 1 }, 0).unwrap();
    assert_eq!(outputs(&mut lender), [(0, 0), (1, 1)]);
}

#[test]
fn property_12_wakes_the_one_that_has_not_failed_it() {
    let (mut lender, mut input) = (lender(), numbers(1));
    let (a, b, c) = (lender.open(), lender.open(), lender.open());
    assert_eq!(lender.ask(a, &mut input), value(0));
    lender.fail(a, first(0)).unwrap();
    assert_eq!(lender.ask(b, &mut input), again(0, 1));
    assert_eq!(lender.ask(a, &mut input), Ask::Wait);
    assert_eq!(lender.ask(c, &mut input), Ask::Wait);
    lender.fail(b, Loan { index: 0, number: 1 }).unwrap();
    assert_eq!(wakes(&mut lender), [c], "and not the one that waits longer");
}

/// Values of another stream, with the indexes that they have there.
#[test]
fn property_10_holds_for_values_that_come_with_their_loans() {
    let mut lender = lender().with_order(Order::OfResults);
    let (a, b) = (lender.open(), lender.open());
    let lent = |index, number| Lent { loan: Loan { index, number }, value: index };
    for (index, number) in [(700, 0), (3, 2), (41, 0)] {
        let Lent { loan, value } = lent(index, number);
        assert_eq!(lender.ask(a, &mut || Pull::At(loan, value)), Ask::Value(lent(index, number)));
    }
    assert_eq!((lender.held(a), lender.oldest()), (3, Some((3, Some(a)))));
    assert_eq!(lender.result(a, first(3), 0), Err(Refused::NotHeld), "another loan");
    lender.hand_back(a, Loan { index: 3, number: 2 }).unwrap();
    assert_eq!(lender.ask(b, &mut unread), Ask::Value(lent(3, 3)), "it is lent again");
    assert_eq!(lender.withdraw(700), Some(700));
    assert_eq!(lender.result(a, first(700), 0), Err(Refused::NotHeld), "it is gone");
    assert_eq!((lender.withdraw(700), lender.held(a)), (None, 1));
    let again = Loan { index: 700, number: 1024 };
    assert_eq!(lender.ask(a, &mut || Pull::At(again, 700)), Ask::Value(lent(700, 1024)));
    assert_eq!(lender.close(a), [41, 700]);
    assert_eq!(lender.withdraw(41), Some(41), "it waits to be lent again");
    assert_eq!(lender.ask(b, &mut unread), Ask::Value(lent(700, 1025)));
    lender.result(b, Loan { index: 3, number: 3 }, 9).unwrap();
    lender.result(b, Loan { index: 700, number: 1025 }, 7).unwrap();
    assert_eq!(outputs(&mut lender), [(3, 9), (700, 7)]);
    assert_eq!((lender.in_progress(), lender.held(b), lender.values_read()), (0, 0, 4));
}

/// The value was here before, and a sub-stream has failed it.
#[test]
fn property_12_holds_for_values_that_come_again() {
    let mut lender = lender().with_order(Order::OfResults);
    let (a, b) = (lender.open(), lender.open());
    let loan = Loan { index: 7, number: 1024 };
    assert_eq!(lender.ask(a, &mut || Pull::Pending), Ask::Wait);
    lender.add_failed(loan, 7, &[a]);
    assert_eq!(lender.ask(a, &mut || Pull::Pending), Ask::Wait, "it waits for the other");
    assert_eq!(lender.ask(b, &mut unread), Ask::Value(Lent { loan, value: 7 }));
    lender.fail(b, loan).unwrap();
    assert_eq!(lender.ask(a, &mut unread), again(7, 1025), "both have failed it");
    assert_eq!(lender.result(a, Loan { index: 7, number: 1025 }, 9), Ok(7));
    assert_eq!(outputs(&mut lender), [(7, 9)]);
}

#[test]
fn property_05_a_value_with_a_place_in_the_order_is_not_withdrawn() {
    let (mut lender, mut input) = (lender(), numbers(1));
    let sub = lender.open();
    assert_eq!(lender.ask(sub, &mut input), value(0));
    assert_eq!((lender.withdraw(0), lender.held(sub)), (None, 1));
}
