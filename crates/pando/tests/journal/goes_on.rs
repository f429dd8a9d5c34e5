//! Finished results are printed from the journal in their places; the other items are computed.

use crate::{JournalFile, SQUARE, squares};
use pando_testing::{EventsFile, FunctionGate, PandoCommand, lines, numbers};
use std::{fs, os::unix::fs::PermissionsExt, path::Path};

#[test]
fn a_finished_job_is_printed_again_without_any_device() {
    let journal = JournalFile::new();
    let job = || journal.of(PandoCommand::f(SQUARE)).stdin(numbers(3000));
    job().local().run().gives(squares(3000));
    for _ in 0..2 {
        job().args(["--cores", "0"]).run().gives(squares(3000)).said(&["3000 results are there"]);
        assert_eq!(journal.items().len(), 3000, "nothing to add");
    }
    assert_eq!(journal.path().metadata().unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn items_of_the_command_line_and_longer_inputs_go_on_as_well() {
    let journal = JournalFile::new();
    let of = |items: &[&str]| journal.of(PandoCommand::f(SQUARE)).local().args(items).run();
    of(&["1", "2"]).gives("1\n4\n");
    of(&["1", "2", "3"]).gives("1\n4\n9\n");
    of(&["1", "2", "3"]).gives("1\n4\n9\n");
    assert_eq!(journal.items(), [0, 1, 2]);
    of(&["1"]).gives("1\n").said(&["2 more had been read"]);
}

#[test]
fn after_ctrl_c_the_same_command_computes_the_rest_only() {
    let (journal, gate) = (JournalFile::new(), FunctionGate::closed());
    let f = format!(
        "export default async x => {{ if (x > 2) await {}; return x * x }}",
        gate.knock("x")
    );
    let job = || {
        journal
            .of(PandoCommand::new(&f))
            .args(["--cores", "1", "--batch-size", "1"])
            .stdin(numbers(8))
    };
    let run = job().start();
    gate.waits_for("3");
    run.signal("INT");
    run.says("finishing 1 item");
    gate.open("3");
    run.wait().ends(1, squares(3));
    let run = job().start();
    gate.waits_for("4");
    run.signal("INT");
    run.says("finishing");
    run.signal("INT");
    run.wait().ends(1, squares(3)).said(&["3 results are there"]);
    gate.open_for_all();
    let events = EventsFile::empty();
    job().events(&events).run().gives(squares(8));
    assert_eq!(events.items("result"), [4, 5, 6, 7, 8]);
}

#[test]
fn results_of_a_program_that_cannot_be_trusted_are_not_kept() {
    for command in [
        "while read x; do echo $x; done; echo a footer",
        "while read x; do echo $x; test $x != 7 || echo seven; done",
    ] {
        let journal = JournalFile::new();
        let run = journal
            .of(PandoCommand::bare())
            .args(["--exec", command])
            .local()
            .stdin(numbers(50))
            .run();
        run.status(1).said(&["the program wrote lines that answer no value"]);
        assert_eq!(journal.items(), [0; 0]);
    }
}

#[test]
fn results_that_were_finished_before_their_turn_are_kept() {
    let (journal, gate) = (JournalFile::new(), FunctionGate::closed());
    let f = format!(
        "export default async x => {{ if (x == 2) await {}; return x * x }}",
        gate.knock("x")
    );
    let job = || {
        journal
            .of(PandoCommand::new(&f))
            .args(["--cores", "1", "--concurrency", "4"])
            .stdin(numbers(2000))
    };
    let run = job().start();
    gate.waits_for("2");
    pando_testing::until("the others are kept", || (journal.items().len() == 1999).then_some(()));
    run.signal("KILL");
    run.wait();
    gate.open_for_all();
    let events = EventsFile::empty();
    job().events(&events).run().gives(squares(2000));
    assert_eq!(events.items("result"), [2]);
}

#[test]
fn items_that_failed_are_tried_again() {
    let journal = JournalFile::new();
    let job = |f: &str, on_error: &str| {
        let run = journal.of(PandoCommand::f(f)).local().args([
            "--retries",
            "0",
            "--on-error",
            on_error,
            "--journal-keep",
        ]);
        run.stdin(numbers(5)).run()
    };
    let fails = "(x, cb) => x == 3 ? cb(new Error('no')) : cb(null, x * x)";
    job(fails, "skip").ends(1, lines(["1", "4", "16", "25"]));
    job(fails, "skip")
        .ends(1, lines(["1", "4", "16", "25"]))
        .said(&["item 3 failed", "4 results are there"]);
    job(fails, "stop").ends(1, lines(["1", "4"])).said(&["item 3 failed"]);
    job(SQUARE, "stop").gives(squares(5));
}

#[test]
fn only_confirmed_results_are_kept() {
    let journal = JournalFile::new();
    let job = || {
        let run = journal.of(PandoCommand::f(SQUARE)).local().args([
            "--retries",
            "0",
            "--on-error",
            "skip",
        ]);
        run.args(["--confirm", "test $PANDO_INDEX != 2 || test -e confirmed"]).stdin(numbers(3))
    };
    job().run().ends(1, "1\n9\n");
    let mut items = journal.items();
    items.sort_unstable();
    assert_eq!(items, [0, 2]);
    job().with_file("confirmed", "").run().gives(squares(3));
}

#[test]
fn results_in_files_are_not_computed_again_unless_they_are_gone_or_changed() {
    let (journal, out) = (JournalFile::new(), tempfile::tempdir().unwrap());
    let files = |names: &[&str]| {
        names
            .iter()
            .map(|name| format!("{}\n", out.path().join(name).display()))
            .collect::<String>()
    };
    let job = |events: &EventsFile| {
        let run = PandoCommand::f("(bytes, cb) => cb(null, bytes.toString().toUpperCase())")
            .local()
            .events(events);
        let run = run.with_file("a", "one").with_file("b", "two").with_file("c", "three");
        journal
            .of(run)
            .args(["--files", "--output-dir"])
            .args([out.path()])
            .stdin("a\nb\nc\n")
            .run()
    };
    let events = EventsFile::empty();
    job(&events).gives(files(&["a", "b", "c"]));
    assert_eq!(events.items("result").len(), 3);
    assert_eq!(fs::read_to_string(out.path().join("c")).unwrap(), "THREE");
    fs::remove_file(out.path().join("a")).unwrap();
    fs::write(out.path().join("b"), "tampered").unwrap();
    let events = EventsFile::empty();
    job(&events).gives(files(&["a", "b", "c"]));
    assert_eq!(events.items("result"), [1, 2]);
    for (name, text) in [("a", "ONE"), ("b", "TWO"), ("c", "THREE")] {
        assert_eq!(fs::read_to_string(out.path().join(name)).unwrap(), text);
    }
    let events = EventsFile::empty();
    job(&events).gives(files(&["a", "b", "c"]));
    assert_eq!(events.items("result"), [] as [u64; 0]);
}

#[test]
fn results_longer_than_any_buffer_come_back_whole() {
    let journal = JournalFile::new();
    let f = "(x, cb) => cb(null, x.repeat(3 << 20))";
    let job = || journal.of(PandoCommand::f(f)).stdin("a\nb\nc\nd\n");
    let expected: String = ["a", "b", "c", "d"].map(|x| x.repeat(3 << 20) + "\n").concat();
    job().local().run().gives(&expected);
    job().args(["--cores", "0"]).run().gives(&expected);
}

#[test]
fn a_journal_of_an_earlier_version_is_read() {
    // A program of the time before the first release was killed while it wrote the fifth result.
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/journal");
    let journal = JournalFile::new();
    fs::copy(fixtures.join("interrupted.journal"), journal.path()).unwrap();
    let run = journal
        .of(PandoCommand::bare().function(fixtures.join("square.mjs")))
        .local()
        .args(["--cores", "1"])
        .stdin(numbers(8))
        .run();
    run.gives(squares(8))
        .said(&["its last 30 bytes were not written whole", "4 results are there"]);
    assert_eq!(journal.items().len(), 8);
}
