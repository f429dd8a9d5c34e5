//! A journal of another job is refused and stays unchanged.

use crate::{JournalFile, SQUARE, squares};
use pando_testing::{PandoCommand, make_pipe, numbers};
use std::net::TcpListener;

/// A journal with the squares of 1 to 5.
fn of_squares() -> JournalFile {
    let journal = JournalFile::new();
    journal.of(PandoCommand::f(SQUARE)).local().stdin(numbers(5)).run().gives(squares(5));
    journal
}

#[test]
fn another_function_is_refused_and_takes_over_with_journal_keep() {
    let journal = of_squares();
    let cubes =
        || journal.of(PandoCommand::f("(x, cb) => cb(null, x * x * x)")).local().stdin(numbers(6));
    cubes().run().ends(2, "").said(&["for another function", "--journal-keep"]);
    cubes().args(["--journal-keep"]).run().gives("1\n4\n9\n16\n25\n216\n");
    cubes().run().gives("1\n4\n9\n16\n25\n216\n");
    journal.of(PandoCommand::f(SQUARE)).local().stdin(numbers(6)).run().ends(2, "");
}

#[test]
fn what_is_refused_is_left_as_it_is() {
    use std::os::unix::fs::PermissionsExt;
    let journal = of_squares();
    let mut torn = journal.bytes();
    torn.pop();
    for (bytes, said) in
        [(torn, "for another function"), (b"1\n4\n9\n".to_vec(), "is not a journal")]
    {
        std::fs::write(journal.path(), &bytes).unwrap();
        std::fs::set_permissions(journal.path(), std::fs::Permissions::from_mode(0o644)).unwrap();
        journal
            .of(PandoCommand::f("(x, cb) => cb(null, -x)"))
            .local()
            .stdin(numbers(5))
            .run()
            .ends(2, "")
            .said(&[said]);
        assert_eq!(journal.bytes(), bytes);
        assert_eq!(journal.path().metadata().unwrap().permissions().mode() & 0o777, 0o644);
    }
}

#[test]
fn a_file_for_events_besides_is_refused_before_it_is_touched() {
    let journal = of_squares();
    let whole = journal.bytes();
    let path = journal.path().display().to_string();
    for path in [path.clone(), path.replace("/tmp/", "/tmp/./")] {
        let run = journal
            .of(PandoCommand::f(SQUARE))
            .local()
            .args(["--events", &path])
            .stdin(numbers(5))
            .run();
        run.ends(2, "").said(&["--journal and --events name one file"]);
        assert_eq!(journal.bytes(), whole);
    }
    let run = PandoCommand::f(SQUARE)
        .local()
        .args(["--journal", "new", "--events", "./new"])
        .stdin(numbers(5))
        .run();
    run.ends(2, "").said(&["give each its own"]);
}

#[test]
fn a_function_is_what_it_does_wherever_its_modules_lie_and_however_they_are_written() {
    let journal = JournalFile::new();
    let with = |folder: &str, names: [&str; 2], helper: &str| {
        let [name, help] = names;
        let f = format!(
            "const {{ square }} = require('./{help}'); module.exports['/pando/1.0.0'] = (x, cb) => cb(null, square(x))"
        );
        let run = PandoCommand::bare()
            .with_file(&format!("{folder}/{name}.js"), f)
            .with_file(&format!("{folder}/{help}.js"), helper);
        journal.of(run.function(format!("{folder}/{name}.js"))).local().stdin(numbers(3)).run()
    };
    let square = "exports.square = x => x * x";
    with("here", ["f", "helper"], square).gives(squares(3));
    with("there", ["f", "helper"], square).gives(squares(3));
    with("here", ["squares", "in-words"], square).gives(squares(3));
    let commented =
        "/* The square of a number. */\nexports.square = value =>\n  value * value // more\n";
    with("here", ["f", "helper"], commented).gives(squares(3));
    for other in ["exports.square = x => x ** 2", "exports.square = x => x * x + 0"] {
        with("here", ["f", "helper"], other).ends(2, "").said(&["for another function"]);
    }
}

#[test]
fn a_default_export_may_move_to_another_file() {
    let journal = JournalFile::new();
    let with = |name: &str, f: &str| {
        let run = PandoCommand::bare().with_file(name, f).function(name);
        journal.of(run).local().stdin(numbers(3)).run()
    };
    with("f.js", "export default x => x * x").gives(squares(3));
    with("the square.mjs", "// A square.\nexport default (n) => n * n;").gives(squares(3));
    with("f.js", "export default x => x + x").ends(2, "").said(&["for another function"]);
}

#[test]
fn names_that_a_function_can_read_are_part_of_it() {
    let journal = JournalFile::new();
    let with = |name: &str| {
        let f = format!(
            "function {name}(x) {{ return x * x }}\nexport default x => {name}.name + {name}(x)"
        );
        journal.of(PandoCommand::new(&f)).local().stdin("2\n").run()
    };
    with("square").gives("square4\n");
    with("squared").ends(2, "").said(&["for another function"]);
}

#[test]
fn options_that_change_results_are_refused_by_name() {
    let journal = of_squares();
    let with = |args: &[&str]| {
        journal.of(PandoCommand::f(SQUARE)).local().args(args).stdin(numbers(5)).run()
    };
    with(&["--json"]).ends(2, "").said(&["without --json", "--journal-keep"]);
    with(&["-0"]).ends(2, "").said(&["without --null"]);
    with(&["--confirm", "true"]).ends(2, "").said(&["without --confirm true"]);
    with(&["--concurrency", "2", "--timeout", "1m"]).gives(squares(5));
    let run = PandoCommand::bare().args(["--exec", "cat", "--local"]).stdin(numbers(5));
    journal.of(run).run().ends(2, "").said(&["for another function", "without --exec cat"]);
}

#[test]
fn a_result_that_would_be_taken_for_two_with_other_options_is_computed_again() {
    let journal = JournalFile::new();
    let job = || {
        journal.of(PandoCommand::f("(x, cb) => cb(null, x === '2' ? 'two\\nlines' : x)")).local()
    };
    job().args(["-0", "1", "2", "3"]).run().gives("1\0two\nlines\x003\0");
    let run = job().args(["--journal-keep", "--on-error", "skip", "1", "2", "3"]).run();
    run.ends(1, "1\n3\n").said(&["item 2 failed on this machine", "newline"]);
}

#[test]
fn two_runs_with_one_journal_at_once_are_refused() {
    let journal = JournalFile::new();
    let mut first = journal.of(PandoCommand::f(SQUARE)).local().stdin_open().start();
    first.write_line("1");
    first.line();
    journal
        .of(PandoCommand::f(SQUARE))
        .local()
        .stdin("1\n")
        .run()
        .ends(2, "")
        .said(&["another run uses it"]);
    first.wait().gives("1\n");
}

#[test]
fn a_port_that_somebody_else_has_is_an_error_and_another_can_be_chosen() {
    let journal = JournalFile::new();
    let job = |port: &str| journal.of(PandoCommand::f(SQUARE)).args(["--port", port]).stdin("1\n");
    let first = job("0").start();
    let port = first.url().split([':', '/']).nth(4).unwrap().to_owned();
    first.wait().gives("1\n");
    let taken = TcpListener::bind(format!("0.0.0.0:{port}")).unwrap();
    job("0").run().ends(2, "").said(&[&format!("port {port}"), "choose another with --port"]);
    let free = TcpListener::bind("0.0.0.0:0").unwrap().local_addr().unwrap().port().to_string();
    job(&free).run().gives("1\n");
    drop(taken);
    job("0").run().gives("1\n").said(&[&format!(":{free}/")]);
}

#[test]
fn what_is_no_journal_stays_as_it_is() {
    let journal = JournalFile::new();
    std::fs::write(journal.path(), "my results\n").unwrap();
    let job = || journal.of(PandoCommand::f(SQUARE)).local().stdin("1\n");
    job().run().ends(2, "").said(&["not a journal", "name another"]);
    assert_eq!(journal.bytes(), b"my results\n");
    let conflict = journal.of(PandoCommand::f(SQUARE)).args(["--sync-stdio"]).run();
    conflict.ends(2, "").said(&["--journal", "--sync-stdio"]);
    PandoCommand::f(SQUARE)
        .args(["--journal-keep"])
        .stdin("1\n")
        .run()
        .ends(2, "")
        .said(&["--journal"]);
}

#[test]
fn lines_that_are_none_are_left_out_at_every_start_and_the_rest_is_kept() {
    let journal = JournalFile::new();
    let job = |on_error: &str, input: &str| {
        journal
            .of(PandoCommand::f("(x, cb) => cb(null, x)"))
            .local()
            .args(["--json", "--on-error", on_error])
            .stdin(input)
            .run()
    };
    for round in 0..3 {
        let run = job("skip", "1\noops\n3\n\n5\n");
        run.ends(1, "1\n3\n5\n").said(&[
            "item 2 failed: line 2 is not valid JSON",
            "item 4 failed",
            "2 items failed",
        ]);
        let mut items = journal.items();
        items.sort_unstable();
        assert_eq!(items, [0, 2, 4], "round {round}");
    }
    assert_eq!(job("report", "1\noops\n3\n\n5\n").status(1).text().lines().count(), 5);
    job("stop", "1\noops\n3\n\n5\n").ends(1, "1\n").said(&["error: line 2 is not valid JSON"]);
    job("skip", "1\n2\n3\n4\n5\n").gives("1\n2\n3\n4\n5\n");
}

#[test]
fn a_file_of_somebody_else_is_refused_and_one_that_others_could_read_becomes_private() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
    let journal = JournalFile::new();
    let job = || journal.of(PandoCommand::f(SQUARE)).local().stdin("2\n");
    std::fs::write(journal.path(), "").unwrap();
    std::fs::set_permissions(journal.path(), PermissionsExt::from_mode(0o666)).unwrap();
    job()
        .run()
        .gives("4\n")
        .said(&["others could read the journal", "they cannot any more (mode 0600)"]);
    assert_eq!(journal.path().metadata().unwrap().mode() & 0o777, 0o600);
    job().run().gives("4\n").did_not_say(&["others could"]);
    if chown(journal.path(), Some(12_345), None).is_err() {
        eprintln!("only root can give files away: not tried");
        return;
    }
    let whole = journal.bytes();
    job().run().ends(2, "").said(&["this file belongs to another user"]);
    assert_eq!(journal.bytes(), whole);
}

#[test]
fn a_journal_that_is_deleted_meanwhile_is_told() {
    let journal = JournalFile::new();
    let mut run = journal.of(PandoCommand::f(SQUARE)).local().stdin_open().start();
    run.write_line("2");
    assert_eq!(run.line().as_deref(), Some("4"));
    std::fs::remove_file(journal.path()).unwrap();
    run.write_line("3");
    run.says("warning: the journal was deleted during this run");
    run.wait().gives("4\n9\n");
}

#[test]
fn a_pipe_or_a_device_is_no_journal() {
    let journal = JournalFile::new();
    make_pipe(&journal.path());
    journal
        .of(PandoCommand::f(SQUARE))
        .local()
        .stdin("1\n")
        .run()
        .ends(2, "")
        .said(&["this is not a file"]);
    PandoCommand::f(SQUARE)
        .local()
        .args(["--journal", "/dev/zero"])
        .stdin("1\n")
        .run()
        .ends(2, "")
        .said(&["this is not a file"]);
}
