//! `pando journal FILE`, and journals with damaged bytes.

use crate::{JournalFile, SQUARE, squares};
use pando_testing::{EventsFile, Finished, PandoCommand, make_pipe, numbers};
use serde_json::Value;

fn inspect(journal: &JournalFile, args: &[&str]) -> Finished {
    let before = journal.bytes();
    let run = PandoCommand::bare()
        .on_the_default_port()
        .args(["journal"])
        .args([journal.path()])
        .args(args)
        .run();
    assert_eq!(journal.bytes(), before, "it never changes");
    run
}

#[test]
fn it_tells_what_is_in_a_journal() {
    let journal = JournalFile::new();
    for _ in 0..2 {
        journal.of(PandoCommand::f(SQUARE)).local().stdin(numbers(5)).run().gives(squares(5));
    }
    let run = inspect(&journal, &[]);
    run.status(0);
    let text = run.text();
    for words in [
        "5 results",
        "failed items: none",
        "options that change results: none",
        "runs: ",
        "damage: none",
    ] {
        assert!(text.contains(words), "{words} in {text}");
    }
    assert!(text.contains("first run began: 20") && text.contains(" UTC"), "{text}");
}

#[test]
fn a_pipe_is_no_journal_and_is_not_waited_for() {
    let run = PandoCommand::bare().on_the_default_port().args(["journal", "pipe"]);
    make_pipe(&run.folder().join("pipe"));
    run.run().ends(1, "").said(&["error: pipe: this is not a file"]);
}

#[test]
fn it_prints_the_results() {
    let journal = JournalFile::new();
    let f = "(x, cb) => cb(null, x === '2' ? 'a \"b\", c' : x)";
    journal.of(PandoCommand::f(f)).local().stdin("1\n2\n3\n").run().status(0);
    let csv = inspect(&journal, &["--csv"]);
    csv.status(0);
    let text = csv.text();
    let rows: Vec<&str> = text.split("\r\n").collect();
    assert_eq!(rows[0], "index,input,result,file");
    assert!(rows[2].starts_with("2,") && rows[2].ends_with(",\"a \"\"b\"\", c\","), "{text}");
    assert_eq!(rows.len(), 5);
    let json = inspect(&journal, &["--json"]);
    let json: Vec<Value> =
        json.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(json[1]["index"], 2);
    assert_eq!(json[1]["result"], "a \"b\", c");
    assert_eq!(json[1]["input"].as_str().map(str::len), Some(32));
}

#[test]
fn json_results_are_printed_as_they_are() {
    let journal = JournalFile::new();
    let run = journal.of(PandoCommand::new("export default x => ({ a: [x] })")).local();
    run.args(["--json"]).stdin("1\n").run().gives("{\"a\":[1]}\n");
    let json = inspect(&journal, &["--json"]);
    assert!(json.text().contains("\"result\":{\"a\":[1]}}"), "{json:?}");
}

#[test]
fn what_is_no_journal_is_refused() {
    let journal = JournalFile::new();
    inspect(&journal, &[]).ends(1, "").said(&["error: "]);
    std::fs::write(journal.path(), "results\n").unwrap();
    inspect(&journal, &[]).ends(1, "").said(&["not a journal"]);
    PandoCommand::bare().on_the_default_port().args(["journal"]).run().ends(2, "");
}

#[test]
fn a_damaged_byte_costs_its_record_and_no_other() {
    let journal = JournalFile::new();
    let job = |events: &EventsFile| {
        journal.of(PandoCommand::f(SQUARE)).local().events(events).stdin(numbers(300)).run()
    };
    job(&EventsFile::empty()).gives(squares(300));
    let whole = journal.bytes();
    let mut random = fastrand::Rng::with_seed(11);
    for round in 0..6 {
        let mut damaged = whole.clone();
        // The last record would be a torn tail.
        let at = random.usize(40..whole.len() - 100);
        damaged[at] ^= 1 << random.u32(0..8);
        std::fs::write(journal.path(), &damaged).unwrap();
        let told = inspect(&journal, &[]);
        assert!(!told.text().contains("damage: none"), "byte {at}: {told:?}");
        let events = EventsFile::empty();
        job(&events).gives(squares(300)).said(&["are damaged; the results in them are lost"]);
        assert!(events.items("result").len() <= 1, "round {round}, byte {at}");
        let events = EventsFile::empty();
        job(&events).gives(squares(300));
        assert_eq!(events.items("result"), [] as [u64; 0], "round {round}, byte {at}");
    }
}

#[test]
fn results_without_a_function_are_refused() {
    let journal = JournalFile::new();
    journal.of(PandoCommand::f(SQUARE)).local().stdin(numbers(5)).run().gives(squares(5));
    let mut bytes = journal.bytes();
    let format = pando::journal::Format::of(&bytes).unwrap();
    let (mut at, mut jobs) = (format.header_length(), Vec::new());
    while let Some((record, length)) = format.first(&bytes[at..]) {
        jobs.extend(matches!(record, pando::journal::Record::Job(_)).then_some(at));
        at += length;
    }
    assert_eq!(jobs.len(), 2, "the facts are there twice");
    let job = || journal.of(PandoCommand::f(SQUARE)).local().stdin(numbers(5));
    bytes[jobs[0] + 20] ^= 1;
    std::fs::write(journal.path(), &bytes).unwrap();
    let other = PandoCommand::f("(x, cb) => cb(null, -x)");
    journal.of(other).local().stdin(numbers(5)).run().ends(2, "").said(&["for another function"]);
    bytes[jobs[1] + 20] ^= 1;
    std::fs::write(journal.path(), &bytes).unwrap();
    job().run().ends(2, "").said(&["with which function", "--journal-keep"]);
    assert_eq!(journal.bytes(), bytes);
    job().args(["--journal-keep"]).run().gives(squares(5));
    job().run().gives(squares(5));
}
