//! How failures are told: one line for each item, the stack once for each kind of failure; and
//! `--max-failures`, which ends a hopeless run.

use pando_testing::{EventsFile, Finished, PandoCommand, numbers};

fn run(f: &str, args: &[&str], count: u64) -> Finished {
    PandoCommand::new(f).local().args(["--cores", "1"]).args(args).stdin(numbers(count)).run()
}

/// How many lines of standard error contain `text`.
fn lines_with(run: &Finished, text: &str) -> usize {
    run.stderr.lines().filter(|line| line.contains(text)).count()
}

const FAIL_13: &str =
    "export default x => { if (x % 7 === 0) throw new RangeError('bad number ' + x); return x }";

#[test]
fn each_failed_item_is_one_line_and_the_stack_comes_once() {
    let run = run(FAIL_13, &["--on-error", "skip"], 95);
    run.status(1).said(&["13 items failed and were left out"]);
    for n in (7..=91).step_by(7) {
        let line = format!(
            "item {n} failed on this machine: RangeError: bad number {n} (its input: {n}; attempts: 3)"
        );
        assert_eq!(lines_with(&run, &line), 1, "{line}");
    }
    assert_eq!(lines_with(&run, "    at "), 1, "the stack has one frame, told once");
    assert_eq!(lines_with(&run, "it will be tried again"), 3);
    assert!(run.stderr.lines().count() < 25, "{}", run.stderr);
}

#[test]
fn with_v_all_are_told_with_their_stacks() {
    let run = run(FAIL_13, &["--on-error", "skip", "-v"], 95);
    assert_eq!(lines_with(&run, "    at "), 13);
    assert_eq!(lines_with(&run, "it will be tried again"), 26);
}

#[test]
fn many_failures_of_a_kind_are_counted() {
    let f = "export default x => { throw new Error('no ' + x) }";
    let run = run(f, &["--on-error", "skip", "--retries", "0"], 1234);
    run.ends(1, "").said(&[
        "50 items have failed like item 1 (no 1), the newest is item ",
        "1000 items have failed like item 1 (no 1)",
        "1234 items have failed like item 1 (no 1) in all",
        "1234 items failed and were left out",
    ]);
    assert_eq!(lines_with(&run, "failed on this machine"), 20);
}

#[test]
fn each_kind_of_failure_has_its_own_stack() {
    let f = "export default x => {
      if (x === '1') throw new Error('first')
      if (x === '2') throw new Error('second')
      return JSON.parse('{' + x)
    }";
    let run = run(f, &["--on-error", "skip", "--retries", "0"], 4);
    run.ends(1, "").said(&["Error: first", "Error: second", "SyntaxError"]);
    assert_eq!(lines_with(&run, "f.js:2:"), 1);
    assert_eq!(lines_with(&run, "f.js:3:"), 1);
    assert_eq!(lines_with(&run, "f.js:4:"), 1, "items 3 and 4 fail at one place");
}

#[test]
fn a_message_and_an_input_of_several_lines_take_one_line() {
    let f = "export default x => { throw 'one\\ntwo' }";
    let run = PandoCommand::new(f)
        .local()
        .args(["-0", "--on-error", "skip", "--retries", "0"])
        .stdin("a\nb\0")
        .run();
    run.ends(1, "")
        .said(&["item 1 failed on this machine: one… (its input: a b; attempts: 1)", "two"]);
}

#[test]
fn too_many_failures_end_the_run() {
    let args = ["--on-error", "skip", "--retries", "0", "--max-failures"];
    let many = |most: &str, count: u64| run(FAIL_13, &[&args[..], &[most]].concat(), count);
    many("13", 95).status(1).said(&["13 items failed and were left out"]);
    let stopped = many("2", 95);
    stopped.said(&[
        "more than --max-failures 2 allows",
        "item 21 failed on this machine: RangeError: bad number 21",
    ]);
    let expected: String = (1..21).filter(|n| n % 7 != 0).map(|n| format!("{n}\n")).collect();
    stopped.ends(1, expected);
    many("0", 95).ends(1, numbers(6)).said(&["--max-failures 0"]);
    // A seventh fails, and that is judged from 100 finished items on.
    many("10%", 95).status(1).said(&["13 items failed and were left out"]);
    many("15%", 500).status(1).said(&["71 items failed and were left out"]);
    let stopped = many("10%", 500);
    stopped
        .status(1)
        .said(&["finished ones failed, more than --max-failures 10% allows", "item 105 "]);
    assert_eq!(stopped.text().lines().last(), Some("104"));
}

#[test]
fn items_before_the_last_failure_are_finished() {
    let f = "export default async x => { if (x > 3) throw 'no'; await new Promise(go => setTimeout(go, 300)); return x }";
    let events = EventsFile::empty();
    let run = PandoCommand::new(f)
        .local()
        .args(["--cores", "1", "--concurrency", "10", "--retries", "0"])
        .args(["--on-error", "report", "--json", "--max-failures", "1"])
        .events(&events)
        .stdin(numbers(100))
        .run();
    run.status(1).said(&["more than --max-failures 1 allows"]);
    let text = run.text();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[..3], ["1", "2", "3"]);
    assert_eq!(lines[3], "{\"error\":{\"index\":4,\"message\":\"no\",\"input\":4}}");
    assert_eq!(lines.len(), 4, "{text}");
}

#[test]
fn lines_that_are_no_values_count_as_well() {
    let run = PandoCommand::new("export default x => x")
        .local()
        .args(["--json", "--on-error", "skip", "--max-failures", "2"])
        .stdin("1\n{\n[\n4\n}\n6\n")
        .run();
    run.ends(1, "1\n4\n")
        .said(&["3 items failed, more than --max-failures 2 allows", "line 5 is not valid JSON"]);
}

#[test]
fn a_limit_needs_failures_that_do_not_end_the_run() {
    let run =
        |args: &[&str]| PandoCommand::new("export default x => x").args(args).args(["1"]).run();
    run(&["--max-failures", "2"]).ends(2, "").said(&["--on-error"]);
    run(&["--max-failures", "2", "--on-error", "stop"]).ends(2, "").said(&["--on-error skip"]);
    run(&["--max-failures", "many", "--on-error", "skip"]).ends(2, "").said(&["0% to 100%"]);
}

#[test]
fn an_error_outside_the_function_s_files_shows_no_frames_of_pando() {
    let made = "const make = () => class A {}\nmodule.exports = make()";
    let run = run(made, &["--on-error", "skip", "--retries", "0"], 1);
    run.ends(1, "").said(&["TypeError: Class constructor A cannot be invoked without 'new'"]);
    assert_eq!((lines_with(&run, "    at "), lines_with(&run, "TypeError")), (0, 1));
}
