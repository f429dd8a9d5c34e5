//! `--verify` with a journal: what is kept, and what is computed again.

use crate::{
    idle,
    trust::{device, honest, lent, liar},
};
use pando_testing::numbers;
use std::collections::BTreeSet;

#[test]
fn only_results_that_devices_agree_on_are_confirmed_and_kept() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let journal = folder.path().join("journal");
    let journal = journal.to_str().expect("UTF-8");
    let start = || {
        idle(40)
            .args([
                "--verify",
                "2",
                "--journal",
                journal,
                "--confirm",
                "test $(cat) != 20 || test -e ok || ! touch ok",
            ])
            .start()
    };
    let run = start();
    let devices = [liar(&run, "Eve"), honest(&run, "Ada"), honest(&run, "Bob")];
    let first = run.wait();
    first.gives(numbers(40)).said(&["item 20 failed on "]);
    devices.into_iter().for_each(|device| drop(lent(device)));
    // All results are in the journal.
    start().wait().gives(numbers(40));
}

#[test]
fn a_journal_gives_no_result_of_a_device_that_was_caught() {
    const ITEMS: u64 = 600;
    let folder = tempfile::tempdir().expect("a folder can be made");
    let journal = folder.path().join("journal");
    let journal = journal.to_str().expect("UTF-8");
    // With a small window, results of a proven device are output before it lies.
    let words = ["--verify", "10%", "--batch-size", "2", "--window", "12", "--journal", journal];
    let start = || idle(ITEMS).args(words).start();
    let run = start();
    let mut answered = 0;
    let eve = device(&run, "Eve", move |value| {
        answered += 1;
        if answered > 60 { "0".into() } else { value.to_string() }
    });
    let (ada, bob) = (honest(&run, "Ada"), honest(&run, "Bob"));
    let first = run.wait();
    first.said(&["Eve is not trusted any more", "The same command computes the items"]).status(1);
    // Such as `error: 73 results of Eve were output without a check, …`.
    let told = first.stderr.lines().rfind(|line| line.contains("output without a check"));
    let count: usize =
        told.and_then(|told| told.split(' ').nth(1)?.parse().ok()).expect("a number");
    let text = first.text();
    let wrong: Vec<u64> = (1..)
        .zip(text.lines())
        .filter(|(item, line)| line != &item.to_string())
        .map(|(item, _)| item)
        .collect();
    [eve, ada, bob].into_iter().for_each(|device| drop(lent(device)));

    let run = start();
    let (ada, bob) = (honest(&run, "Ada"), honest(&run, "Bob"));
    run.wait().gives(numbers(ITEMS));
    let again: BTreeSet<u64> = lent(ada).into_iter().chain(lent(bob)).collect();
    assert_eq!(again.len(), count, "exactly the results of Eve alone are computed again");
    assert!(wrong.iter().all(|item| again.contains(item)), "{wrong:?} of {again:?}");
}
