//! `--on-error skip` and `report`: failed items do not end the run.

use pando_testing::{BOOM, PandoCommand};

fn run(args: &[&str], input: &str) -> pando_testing::Finished {
    PandoCommand::f(BOOM).local().args(["--retries", "1"]).args(args).stdin(input).run()
}

#[test]
fn skip_leaves_it_out_and_says_so() {
    run(&["--on-error", "skip"], "a\nboom\nc\nboom\n").ends(1, "a\nc\n").said(&[
        "item 2 failed on this machine",
        "its input: boom",
        "2 items failed and were left out",
    ]);
}

#[test]
fn report_puts_it_in_its_place() {
    let run = run(&["--on-error", "report", "--json"], "\"a\"\n\"boom\"\n\"c\"\n");
    run.ends(
        1,
        "\"a\"\n{\"error\":{\"index\":2,\"message\":\"it went boom\",\"input\":\"boom\"}}\n\"c\"\n",
    );
}

#[test]
fn report_needs_json() {
    run(&["--on-error", "report"], "a\n").ends(2, "").said(&["--json"]);
}

#[test]
fn nothing_failed() {
    run(&["--on-error", "skip"], "a\nb\n").gives("a\nb\n");
}

const SHOW: &str = "(x, cb) => cb(null, x)";

#[test]
fn lines_that_are_not_json_are_failures_of_their_own() {
    let input = "{\"a\":1}\n{\"a\":\n3\n\n5\n";
    let run = |on_error: &str| {
        PandoCommand::f(SHOW).local().args(["--json", "--on-error", on_error]).stdin(input).run()
    };
    let skipped = run("skip");
    skipped.ends(1, "{\"a\":1}\n3\n5\n");
    skipped.said(&[
        "item 2 failed: line 2 is not valid JSON",
        "item 4 failed: line 4 ",
        "2 items failed and were left out",
    ]);
    let reported = run("report");
    reported.ends(
        1,
        "{\"a\":1}\n{\"error\":{\"index\":2,\"message\":\"line 2 is not valid JSON: EOF while parsing a value at column 5\",\"input\":\"{\\\"a\\\":\",\"unusable\":true}}\n3\n\
         {\"error\":{\"index\":4,\"message\":\"line 4 is not valid JSON: it is empty\",\"input\":\"\",\"unusable\":true}}\n5\n",
    );
    reported.said(&["2 items failed"]).did_not_say(&["left out"]);
    run("stop").ends(1, "{\"a\":1}\n").said(&["error: line 2 is not valid JSON"]);
}

#[test]
fn items_that_are_not_json_are_too() {
    let run = |on_error: &str| {
        PandoCommand::f(SHOW)
            .local()
            .args(["--json", "--on-error", on_error, "1", "oops", "3"])
            .run()
    };
    run("skip")
        .ends(1, "1\n3\n")
        .said(&["item 2 is not valid JSON", "1 item failed and was left out"]);
    run("report").status(1).said(&["item 2 is not valid JSON"]);
    run("stop").ends(2, "").said(&["error: item 2 is not valid JSON"]);
}

#[test]
fn lines_that_are_not_utf8_are_too_wherever_they_are() {
    let run = |args: &[&str], input: &[u8]| {
        PandoCommand::f(SHOW).local().args(["--on-error", "skip"]).args(args).stdin(input).run()
    };
    run(&[], b"\xff\na\nb\xc3\nc\n\xe9").ends(1, "a\nc\n").said(&[
        "line 1 is not",
        "line 3 is not",
        "line 5 is not",
        "3 items",
    ]);
    run(&["-0"], b"a\0\xff\0c\0")
        .ends(1, "a\0c\0")
        .said(&["item 2 is not valid UTF-8", "1 item failed"]);
    run(&["--json"], b"1\n\"\xff\"\n3\n").ends(1, "1\n3\n").said(&["line 2 is not valid UTF-8"]);
    run(&["--json", "--on-error", "report"], b"\xff\n")
        .status(1)
        .said(&["line 1 is not valid UTF-8"]);
}

#[test]
fn nothing_but_bad_lines_ends_by_itself_with_nobody_there() {
    let run = PandoCommand::f(SHOW)
        .args(["--cores", "0", "--json", "--on-error", "report"])
        .stdin("a\nb\n")
        .run();
    run.status(1).said(&["2 items failed"]);
    assert_eq!(run.text().lines().count(), 2, "{run:?}");
}

#[test]
fn bad_lines_keep_their_places_among_many() {
    let bad = |n: u64| n.is_multiple_of(7) || (500..700).contains(&n);
    let input: String =
        (1..=3000).map(|n| if bad(n) { "{oops\n".to_owned() } else { format!("{n}\n") }).collect();
    let run = PandoCommand::f(SHOW)
        .local()
        .args(["--cores", "2", "--json", "--on-error", "report"])
        .stdin(input)
        .run();
    run.status(1);
    let text = run.text();
    assert_eq!(text.lines().count(), 3000);
    for (n, line) in (1..).zip(text.lines()) {
        let expected = if bad(n) { format!("{{\"error\":{{\"index\":{n},") } else { n.to_string() };
        assert!(line.starts_with(&expected), "{n}: {line}");
    }
}
