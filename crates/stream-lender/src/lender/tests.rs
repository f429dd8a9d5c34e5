use super::Lender;
use crate::{Ask, Pull, Window};

/// Memory stays constant: values that are output or cut off, and closed sub-streams, leave
/// nothing behind.
#[test]
fn nothing_is_kept_of_values_that_are_done() {
    let mut lender: Lender<u64, u64, ()> = Lender::with_weights(Window::default(), |_| 1, |_| 2);
    let subs = [lender.open(), lender.open(), lender.open()];
    let mut input = || Pull::Value(7);
    for round in 0..100 {
        // The first and the second sub-stream fail the value; then the third gives its result,
        // or the value is cut off.
        for sub in &subs[..2] {
            let Ask::Value(lent) = lender.ask(*sub, &mut input) else { panic!("there is one") };
            lender.fail(*sub, lent.loan).unwrap();
        }
        assert!(!lender.returned.is_clear());
        let Ask::Value(lent) = lender.ask(subs[2], &mut input) else { panic!("there is one") };
        match round {
            0..99 => drop(lender.result(subs[2], lent.loan, 8).unwrap()),
            _ => lender.truncate(lent.loan.index),
        }
        lender.next_output();
        assert!(lender.returned.is_clear(), "in round {round}");
    }
    assert_eq!(
        (lender.budget.bytes(), lender.budget.result_bytes(), lender.slots.len()),
        (0, 0, 0)
    );
}
