//! The master is killed.

use crate::{JournalFile, squares};
use pando_testing::{PandoCommand, has_ended, numbers};
use std::collections::BTreeSet;

/// A function slow enough that some thousand items take seconds.
const SLOW_SQUARE: &str = "(x, cb) => setTimeout(cb, 1, null, x * x)";

#[test]
fn killed_at_50_random_moments_a_job_prints_what_it_should_and_computes_nothing_twice_that_was_kept()
 {
    const ITEMS: u64 = 20_000;
    let seed = std::env::var("SEED")
        .map_or_else(|_| fastrand::u64(..), |seed| seed.parse().expect("a number"));
    println!("repeat with SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let journal = JournalFile::new();
    let expected = squares(ITEMS);
    let job = || {
        let job = PandoCommand::f(SLOW_SQUARE).args(["--cores", "1", "--concurrency", "16"]);
        journal.of(job).stdin(numbers(ITEMS)).start()
    };
    for round in 0..50 {
        let until = journal.len() + random.u64(0..16_000);
        let run = job();
        // One result takes about forty bytes in the journal.
        while journal.len() < until && !has_ended(run.pid()) {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        run.signal("KILL");
        let done = run.wait();
        assert!(expected.starts_with(&done.text()), "round {round}: {done:?}");
        let items = journal.items();
        let distinct: BTreeSet<_> = items.iter().collect();
        assert_eq!(
            distinct.len(),
            items.len(),
            "round {round}: computed again although it was kept"
        );
    }
    let kept = journal.items().len() as u64;
    assert!(kept > 1000 && kept < ITEMS, "{kept} were kept in between");
    job().wait().gives(&expected);
    let mut items = journal.items();
    items.sort_unstable();
    assert!(items.into_iter().eq(0..ITEMS), "each once");
}

#[test]
fn a_tail_that_was_not_written_whole_is_cut_off_with_a_word() {
    let journal = JournalFile::new();
    let job = || journal.of(PandoCommand::f(crate::SQUARE)).local().stdin(numbers(100)).run();
    job().gives(squares(100));
    let whole = journal.bytes();
    for torn in [whole.len() - 1, whole.len() - 45, 20] {
        std::fs::write(journal.path(), &whole[..torn]).unwrap();
        let left = journal.items().len();
        let run = job();
        run.gives(squares(100)).said(&["were not written whole and are cut off"]);
        if left > 0 {
            run.said(&[&format!("{left} results are there")]);
        }
        assert_eq!(journal.items().len(), 100);
    }
    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 1;
    std::fs::write(journal.path(), damaged).unwrap();
    job().gives(squares(100)).said(&["are damaged", "99 results are there"]);
    assert_eq!(journal.items().len(), 100);
}

#[test]
fn killed_at_random_moments_a_job_with_files_knows_its_own_and_writes_over_no_other() {
    const ITEMS: u64 = 400;
    let seed = std::env::var("SEED")
        .map_or_else(|_| fastrand::u64(..), |seed| seed.parse().expect("a number"));
    println!("repeat with SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let (journal, out) = (JournalFile::new(), tempfile::tempdir().unwrap());
    // The function returns a different result each time: the run must recognise its files by the
    // journal, not by their contents.
    let f = "(bytes, cb) => setTimeout(cb, 2, null, bytes.toString() + Math.random())";
    let job = || {
        let job = (1..=ITEMS).fold(PandoCommand::f(f), |job, n| job.with_file(&n.to_string(), "x"));
        let job = journal
            .of(job)
            .args(["--cores", "1", "--concurrency", "4", "--files", "--output-dir"])
            .args([out.path()]);
        job.local().stdin(numbers(ITEMS)).start()
    };
    let paths = || {
        (1..=ITEMS)
            .map(|n| format!("{}\n", out.path().join(n.to_string()).display()))
            .collect::<String>()
    };
    for round in 0..20 {
        let until = journal.items().len() + random.usize(0..25);
        let run = job();
        while journal.items().len() < until && !has_ended(run.pid()) {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        run.signal("KILL");
        let done = run.wait();
        assert!(
            paths().starts_with(&done.text()) && !done.stderr.contains("error"),
            "round {round}: {done:?}"
        );
    }
    job().wait().gives(paths());
    assert!((1..=ITEMS).all(|n| {
        std::fs::read_to_string(out.path().join(n.to_string())).unwrap().starts_with("x0.")
    }));
}
