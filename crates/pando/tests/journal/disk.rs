//! A full disk.

use crate::{JournalFile, SQUARE, squares};
use pando_testing::{EventsFile, PandoCommand, numbers};

/// A launcher that limits the size of each file to `kilobytes`.
fn limited(kilobytes: u32) -> Vec<String> {
    let script = format!("ulimit -f {kilobytes}; exec \"$@\"");
    ["bash", "-c", &script, "bash"].map(str::to_owned).to_vec()
}

#[test]
fn a_journal_that_cannot_grow_ends_the_run_and_stays_usable() {
    let journal = JournalFile::new();
    let job = || journal.of(PandoCommand::f(SQUARE)).local().stdin(numbers(20_000));
    let run = job().inside(&limited(64)).run();
    run.status(1).said(&["the journal", "cannot be written", "stays usable"]);
    assert!(squares(20_000).starts_with(&run.text()), "what was printed is right: {run:?}");
    let kept = journal.items().len();
    assert!(kept < 20_000 && journal.bytes().len() <= 64 * 1024);
    let again = job().run();
    again.gives(squares(20_000)).did_not_say(&["cut off"]);
    assert_eq!(journal.items().len(), 20_000, "nothing was computed twice");
}

#[test]
fn a_file_of_results_that_cannot_be_written_ends_the_run_and_is_computed_again() {
    let (journal, out) = (JournalFile::new(), tempfile::tempdir().unwrap());
    let path = |name: &str| format!("{}\n", out.path().join(name).display());
    let job = || {
        let run =
            PandoCommand::f("(bytes, cb) => cb(null, Buffer.alloc(Number(bytes) * 1024))").local();
        let run = run.with_file("small", "1").with_file("large", "100");
        journal
            .of(run)
            .args(["--cores", "1", "--files", "--output-dir"])
            .args([out.path()])
            .stdin("small\nlarge\n")
    };
    job().inside(&limited(64)).run().ends(1, path("small")).said(&["large", "cannot be written"]);
    let events = EventsFile::empty();
    job().events(&events).run().gives(path("small") + &path("large"));
    assert_eq!(events.items("result"), [2]);
    assert_eq!(out.path().join("large").metadata().unwrap().len(), 100 * 1024);
}
