//! Results belong to values: whatever becomes of the input, only what is new is computed.

use crate::{JournalFile, SQUARE, squares};
use pando_testing::{EventsFile, FunctionGate, PandoCommand, lines, numbers, until};
use std::fs;

/// Runs the squares of `input` with the journal. Returns how many were computed.
fn square(journal: &JournalFile, input: &[u64]) -> usize {
    let events = EventsFile::empty();
    let run = journal.of(PandoCommand::f(SQUARE)).local().events(&events);
    let expected = lines(input.iter().map(|n| (n * n).to_string()));
    run.stdin(lines(input.iter().map(u64::to_string))).run().gives(expected);
    events.items("result").len()
}

#[test]
fn inserted_removed_and_moved_values_cost_only_what_is_new() {
    let journal = JournalFile::new();
    let mut input: Vec<u64> = (1..=2000).collect();
    assert_eq!(square(&journal, &input), 2000);
    input.insert(0, 7_001);
    input.insert(1000, 7_002);
    input.push(7_003);
    assert_eq!(square(&journal, &input), 3);
    assert_eq!(square(&journal, &input), 0);
    input.drain(5..50);
    assert_eq!(square(&journal, &input), 0);
    input.reverse();
    assert_eq!(square(&journal, &input), 0);
    fastrand::Rng::with_seed(7).shuffle(&mut input);
    input[100] = 7_004;
    assert_eq!(square(&journal, &input), 1);
    // What was removed comes back.
    let first: Vec<u64> = (1..=2000).collect();
    assert_eq!(square(&journal, &first), 0);
    assert_eq!(journal.items().len(), 2004);
}

#[test]
fn each_occurrence_of_a_value_has_its_own_result() {
    let journal = JournalFile::new();
    let f = "export default x => x + ' ' + Math.random()";
    let run = |input: &str| {
        let events = EventsFile::empty();
        let run = journal.of(PandoCommand::new(f)).local().events(&events).stdin(input).run();
        run.status(0);
        let results: Vec<String> = run.text().lines().map(str::to_owned).collect();
        (results, events.items("result").len())
    };
    let (first, computed) = run("a\nb\na\n");
    assert_eq!(computed, 3);
    assert_ne!(first[0], first[2]);
    // The second `a` of the input is the second `a` that there was.
    let (second, computed) = run("c\na\na\nb\n");
    assert_eq!(
        (&second[1..], computed),
        (&[first[0].clone(), first[2].clone(), first[1].clone()][..], 1)
    );
    let (third, computed) = run("a\na\na\n");
    assert_eq!((&third[..2], computed), (&[first[0].clone(), first[2].clone()][..], 1));
    assert_ne!(third[2], third[0]);
    let (fourth, computed) = run("a\na\na\n");
    assert_eq!((fourth, computed), (third, 0));
}

#[test]
fn results_go_to_their_values_whatever_was_kept_before_a_crash() {
    let (journal, gate) = (JournalFile::new(), FunctionGate::closed());
    let f = format!(
        "export default async x => {{ if (x == 2 || x == 5) await {}; return x * x }}",
        gate.knock("x")
    );
    let job = |input: String, events: &EventsFile| {
        let run = journal.of(PandoCommand::new(&f)).args(["--cores", "1", "--concurrency", "4"]);
        run.events(events).stdin(input)
    };
    let events = EventsFile::empty();
    let run = job(numbers(2000), &events).start();
    gate.waits_for("5");
    until("the others are kept", || (journal.items().len() == 1998).then_some(()));
    run.signal("KILL");
    run.wait();
    gate.open_for_all();
    // Without its first line, no value is where it was; two have no results, and one is new.
    let input: Vec<u64> = (2..=2000).chain([3000]).collect();
    let events = EventsFile::empty();
    let run = job(lines(input.iter().map(u64::to_string)), &events).run();
    run.gives(lines(input.iter().map(|n| (n * n).to_string())));
    let mut computed = events.items("result");
    computed.sort_unstable();
    assert_eq!(computed, [1, 4, 2000]);
}

#[test]
fn a_shorter_input_is_told_and_loses_nothing() {
    let journal = JournalFile::new();
    square(&journal, &[1, 2, 3, 4]);
    let run = journal.of(PandoCommand::f(SQUARE)).local().stdin("2\n4\n").run();
    run.gives("4\n16\n").said(&["2 results in the journal"]);
    assert_eq!(square(&journal, &[1, 2, 3, 4]), 0);
}

#[test]
fn files_keep_their_results_in_any_order() {
    let (journal, out) = (JournalFile::new(), tempfile::tempdir().unwrap());
    let job = |names: &[&str]| {
        let events = EventsFile::empty();
        let run = PandoCommand::f("(bytes, cb) => cb(null, bytes.toString() + Math.random())")
            .local()
            .events(&events)
            .with_file("a", "same")
            .with_file("b", "same")
            .with_file("c", "other")
            .with_file("d", "new")
            .args(["--files", "--output-dir"])
            .args([out.path()]);
        let run = journal.of(run).stdin(lines(names)).run();
        run.gives(lines(names.iter().map(|name| out.path().join(name).display().to_string())));
        events.items("result").len()
    };
    let content = |name: &str| fs::read_to_string(out.path().join(name)).unwrap();
    assert_eq!(job(&["a", "b", "c"]), 3);
    let before = ["a", "b", "c"].map(content);
    assert_eq!(job(&["c", "d", "b", "a"]), 1);
    assert_eq!(job(&["b", "a"]), 0);
    assert_eq!(["a", "b", "c"].map(content), before);
    fs::remove_file(out.path().join("b")).unwrap();
    assert_eq!(job(&["c", "b", "a"]), 1);
    assert_eq!(job(&["c", "b", "a"]), 0);
}

#[test]
fn a_line_that_is_no_value_any_more_costs_no_other_its_result() {
    let journal = JournalFile::new();
    let job = |input: &str| {
        let events = EventsFile::empty();
        let run = journal
            .of(PandoCommand::f("(x, cb) => cb(null, x)"))
            .local()
            .args(["--json", "--on-error", "skip"])
            .events(&events)
            .stdin(input)
            .run();
        (run, events.items("result").len())
    };
    job("1\n2\n3\n").0.gives("1\n2\n3\n");
    let (run, computed) = job("1\noops\n2\n3\n");
    run.ends(1, "1\n2\n3\n");
    assert_eq!(computed, 0);
}

#[test]
fn a_run_of_only_failed_items_adds_its_results() {
    let journal = JournalFile::new();
    let folder = tempfile::tempdir().unwrap();
    let (list, flag) = (folder.path().join("failed"), folder.path().join("mended"));
    let command = format!(
        "while read x; do test $x != 3 -o -e {} && echo $((x * x)) || exit 1; done",
        flag.display()
    );
    let job = || {
        let run = PandoCommand::bare().local().args(["--exec", &command, "--retries", "0"]);
        journal.of(run).args(["--on-error", "skip"])
    };
    let first = job().args(["--failed"]).args([&list]).stdin(numbers(5)).run();
    first.ends(1, "1\n4\n16\n25\n");
    fs::write(&flag, "").unwrap();
    job().args(["--only-failed"]).args([&list]).run().gives("9\n");
    let events = EventsFile::empty();
    job().events(&events).stdin(numbers(5)).run().gives(squares(5));
    assert_eq!(events.items("result"), [] as [u64; 0]);
}

#[test]
fn an_edited_journal_of_an_earlier_version_is_read() {
    let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/journal");
    let journal = JournalFile::new();
    fs::copy(fixtures.join("interrupted.journal"), journal.path()).unwrap();
    let events = EventsFile::empty();
    let job = || journal.of(PandoCommand::bare().function(fixtures.join("square.mjs")));
    let input = "9\n4\n3\n2\n1\n";
    job()
        .args(["--cores", "1"])
        .events(&events)
        .stdin(input)
        .run()
        .gives("81\n16\n9\n4\n1\n")
        .said(&["4 results are there"]);
    assert_eq!(events.items("result"), [1]);
    job().args(["--cores", "0"]).stdin(input).run().gives("81\n16\n9\n4\n1\n");
}
