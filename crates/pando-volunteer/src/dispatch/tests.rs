//! The decisions of one host, without fixtures.

use super::*;
use pando_protocol::volunteer::Form;

fn values(ids: std::ops::Range<u64>) -> Vec<(Loan, Value)> {
    ids.map(|id| (Loan::first(id), Value::new("x".into(), Form::Text))).collect()
}

fn ids(values: &[(Loan, Value)]) -> Vec<u64> {
    values.iter().map(|(loan, _)| loan.index).collect()
}

fn loans(ids: impl IntoIterator<Item = u64>) -> Vec<Loan> {
    ids.into_iter().map(Loan::first).collect()
}

#[test]
fn a_slow_function_gets_one_value_per_core() {
    let now = Instant::now();
    let mut dispatch = Dispatch::new(2, 1, None);
    dispatch.extend(values(0..10));
    assert!(dispatch.feed(now).is_none(), "no core is ready");
    dispatch.ready(0);
    dispatch.ready(1);
    assert_eq!(ids(&dispatch.feed(now).unwrap().1), [0]);
    assert_eq!(ids(&dispatch.feed(now).unwrap().1), [1]);
    assert!(dispatch.feed(now).is_none());
    dispatch.answered(1, loans([1]).into_iter(), 1_000_000, now);
    let (core, given) = dispatch.feed(now).unwrap();
    assert_eq!((core, ids(&given)), (1, vec![2]));
}

#[test]
fn a_fast_function_gets_ever_more_up_to_20_ms() {
    let now = Instant::now();
    let mut dispatch = Dispatch::new(1, 1, None);
    dispatch.ready(0);
    dispatch.extend(values(0..100_000));
    let mut most = 0;
    for _ in 0..30 {
        let (core, given) = dispatch.feed(now).unwrap();
        most = given.len();
        dispatch.answered(core, given.iter().map(|(loan, _)| *loan), 100 * given.len() as u64, now);
    }
    assert_eq!(most, 200);
}

#[test]
fn a_death_with_one_value_is_its_fault_and_with_several_it_is_open() {
    let now = Instant::now();
    let mut dispatch = Dispatch::new(1, 1, Some(Duration::from_secs(1)));
    dispatch.ready(0);
    dispatch.extend(values(0..100));
    dispatch.feed(now);
    dispatch.started(0, Loan::first(0), now);
    dispatch.answered(0, loans([0]).into_iter(), 1, now);
    let (_, given) = dispatch.feed(now).unwrap();
    assert_eq!(ids(&given), [1, 2]);
    dispatch.started(0, Loan::first(1), now);
    assert_eq!(dispatch.overdue(now + Duration::from_millis(1200)), [] as [usize; 0]);
    assert_eq!(dispatch.overdue(now + Duration::from_millis(1250)), [0]);
    assert_eq!(
        dispatch.died(0),
        CrashOutcome { culprit: None, returned: loans([1, 2]), careful: true }
    );
    dispatch.ready(0);
    dispatch.feed(now);
    dispatch.started(0, Loan::first(3), now);
    assert_eq!(dispatch.died(0).culprit, Some(Loan::first(3)));
}

#[test]
fn a_core_that_never_begins_what_it_was_given_is_ended_and_the_value_is_not_blamed() {
    let now = Instant::now();
    let mut dispatch = Dispatch::new(1, 1, Some(Duration::from_secs(1)));
    dispatch.ready(0);
    dispatch.extend(values(0..1));
    dispatch.feed(now);
    assert_eq!(dispatch.long_calls(now + Duration::from_millis(600)), [(Loan::first(0), 600)]);
    assert_eq!(dispatch.overdue(now + Duration::from_millis(1250)), [0]);
    assert_eq!(
        dispatch.died(0),
        CrashOutcome { culprit: None, returned: loans([0]), careful: false }
    );
    assert_eq!(dispatch.next_overdue(), None);
}

#[test]
fn of_a_core_that_may_not_go_on_only_what_was_open_is_doubtful() {
    let now = Instant::now();
    for (careful, expected) in [(true, (loans(0..2), loans(2..3))), (false, (vec![], loans(0..3)))]
    {
        let mut dispatch = Dispatch::new(1, 2, None);
        dispatch.ready(0);
        dispatch.extend(values(0..1));
        dispatch.feed(now);
        dispatch.extend(values(1..3));
        dispatch.cores[0].target = 4;
        dispatch.feed(now);
        assert_eq!(dispatch.spoiled(0, careful), expected);
    }
}

#[test]
fn each_of_several_open_calls_has_its_own_time() {
    let start = Instant::now();
    let after = |millis| start + Duration::from_millis(millis);
    let mut dispatch = Dispatch::new(1, 2, Some(Duration::from_secs(1)));
    dispatch.ready(0);
    dispatch.extend(values(0..2));
    dispatch.feed(start);
    dispatch.started(0, Loan::first(0), after(10));
    assert_eq!(dispatch.long_calls(after(510)), [(Loan::first(0), 500), (Loan::first(1), 500)]);
    dispatch.extend(values(2..3));
    dispatch.answered(0, loans([1]).into_iter(), 1_000_000, after(600));
    dispatch.feed(after(700));
    // An answer for another value does not change the age of this call.
    assert_eq!(dispatch.next_overdue(), Some(after(1260)));
    assert_eq!(dispatch.long_calls(after(1200)), [(Loan::first(2), 500)]);
    assert_eq!(dispatch.overdue(after(1259)), [] as [usize; 0]);
    assert_eq!(dispatch.overdue(after(1260)), [0]);
}

#[test]
fn what_was_computed_for_an_earlier_loan_is_not_taken_for_the_present_one() {
    let now = Instant::now();
    let mut dispatch = Dispatch::new(1, 1, None);
    dispatch.ready(0);
    let (first, second) = (Loan::first(0), Loan { index: 0, number: 1 });
    dispatch.extend(values(0..1));
    dispatch.feed(now);
    dispatch.extend([(second, Value::new("x".into(), Form::Text))]);
    assert_eq!(dispatch.recall(&[first]), [], "a core has it");
    dispatch.answered(0, [first].into_iter(), 1, now);
    assert_eq!(dispatch.feed(now).unwrap().1[0].0, second);
    dispatch.answered(0, [first].into_iter(), 1, now);
    dispatch.started(0, first, now + Duration::from_secs(1));
    assert_eq!(dispatch.long_calls(now + Duration::from_secs(1)), [(second, 1000)]);
}

#[test]
fn a_careful_value_goes_alone() {
    let now = Instant::now();
    let mut dispatch = Dispatch::new(1, 4, None);
    dispatch.ready(0);
    let mut list = values(0..3);
    list[1].1.careful = true;
    dispatch.extend(list);
    assert_eq!(ids(&dispatch.feed(now).unwrap().1), [0]);
    assert!(dispatch.feed(now).is_none());
    dispatch.answered(0, loans([0]).into_iter(), 1, Instant::now());
    assert_eq!(ids(&dispatch.feed(now).unwrap().1), [1]);
    assert!(dispatch.feed(now).is_none());
    dispatch.answered(0, loans([1]).into_iter(), 1, Instant::now());
    assert_eq!(ids(&dispatch.feed(now).unwrap().1), [2]);
}
