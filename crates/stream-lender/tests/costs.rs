//! Cases that would take very long if a step were linear in the values or the sub-streams. They
//! take a moment.

use stream_lender::{Ask, Index, Lender, Loan, Pull, SubStreamId, Window};

const MANY: Index = 20_000;

type Units = Lender<(), (), ()>;

fn with_room_for(items: Index) -> Units {
    Lender::new(Window { items: items as usize, ..Window::default() })
}

fn ask(lender: &mut Units, sub: SubStreamId) -> Option<Index> {
    match lender.ask(sub, &mut || Pull::Value(())) {
        Ask::Value(lent) => Some(lent.loan.index),
        _ => None,
    }
}

fn fail(lender: &mut Units, sub: SubStreamId, index: Index) {
    let loan = lender.loan(index).expect("it is lent");
    lender.fail(sub, loan).unwrap();
}

/// Each ask skips all values that the asking sub-stream has failed, and finds the value that
/// another one has failed.
#[test]
fn a_sub_stream_that_fails_everything_makes_no_ask_slow() {
    let mut lender = with_room_for(MANY + 1);
    let (failing, other) = (lender.open(), lender.open());
    for index in 0..MANY {
        assert_eq!(ask(&mut lender, failing), Some(index));
    }
    assert_eq!(ask(&mut lender, other), Some(MANY));
    for index in 0..MANY {
        fail(&mut lender, failing, index);
        assert_eq!(ask(&mut lender, failing), None);
    }
    fail(&mut lender, other, MANY);
    for _ in 0..MANY {
        assert_eq!(ask(&mut lender, failing), Some(MANY));
        let last = lender.loan(MANY).expect("it is lent");
        lender.hand_back(failing, last).unwrap();
    }
}

/// One sub-stream holds all values and fails the newest first, so that each value comes back
/// before all values that failed earlier.
#[test]
fn failing_the_newest_first_makes_no_ask_slow() {
    let mut lender = with_room_for(MANY);
    let (failing, other, idle) = (lender.open(), lender.open(), lender.open());
    for index in 0..MANY {
        assert_eq!(ask(&mut lender, failing), Some(index));
    }
    for index in (0..MANY).rev() {
        fail(&mut lender, failing, index);
        assert_eq!(ask(&mut lender, failing), None);
        assert_eq!(ask(&mut lender, other), Some(index));
        fail(&mut lender, other, index);
        assert_eq!(ask(&mut lender, other), None);
    }
    lender.close(idle);
    for index in 0..MANY {
        assert_eq!(ask(&mut lender, failing), Some(index), "all have failed it");
    }
}

#[test]
fn many_that_wait_cost_nothing_until_they_are_woken() {
    let mut lender = with_room_for(1);
    let subs: Vec<SubStreamId> = (0..MANY).map(|_| lender.open()).collect();
    for sub in &subs {
        ask(&mut lender, *sub);
    }
    for index in 0..MANY - 1 {
        let holder = lender.holder(index).unwrap();
        lender.result(holder, Loan::first(index), ()).unwrap();
        lender.next_output();
        let woken = lender.next_wake().unwrap();
        assert_eq!(ask(&mut lender, woken), Some(index + 1));
        assert_eq!(lender.next_wake(), None);
    }
}

#[test]
fn a_sub_stream_that_holds_much_leaves_quickly_and_often() {
    let mut lender = with_room_for(MANY);
    for _ in 0..10 {
        let sub = lender.open();
        for index in 0..MANY {
            assert_eq!(ask(&mut lender, sub), Some(index));
        }
        assert_eq!(lender.close(sub).len() as Index, MANY);
    }
}
