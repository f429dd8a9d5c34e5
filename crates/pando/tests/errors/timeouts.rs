//! `--timeout` for calls that hang in every way.

use pando_testing::{Finished, PandoCommand, kill, numbers};

/// A time long enough for calls that answer at once, even on a busy machine.
const TIME: &str = "4s";

fn with_timeout(source: &str, input: String, args: &[&str]) -> Finished {
    PandoCommand::new(source).args(["--timeout", TIME]).args(args).stdin(input).run()
}

#[test]
fn a_callback_never_called() {
    let f = "module.exports['/pando/1.0.0'] = (x, cb) => { if (x !== '3') cb(null, x) }";
    let run = with_timeout(f, numbers(5), &["--retries", "0"]);
    run.ends(1, numbers(2))
        .said(&["error: item 3 failed on this machine: no answer within 4"])
        .did_not_say(&["item 2 ", "item 4 "]);
}

#[test]
fn a_promise_never_settled() {
    let run = with_timeout(
        "export default x => x === '3' ? new Promise(() => {}) : x",
        numbers(5),
        &["--retries", "0"],
    );
    run.ends(1, numbers(2)).said(&["error: item 3 failed on this machine: no answer within 4"]);
}

#[test]
fn an_endless_loop() {
    let run = with_timeout(
        "export default x => { if (x === '3') for (;;); return x }",
        numbers(5),
        &["--retries", "0"],
    );
    run.ends(1, numbers(2))
        .said(&["error: item 3 failed on this machine: no answer within 4"])
        .did_not_say(&["item 2 ", "item 4 "]);
}

#[test]
fn an_endless_loop_within_a_fast_batch_only_the_guilty_is_named() {
    let f = "export default (x, { attempt }) => { if (x === '700' && attempt === 1) for (;;); return x + ' ' + attempt }";
    let run = with_timeout(f, numbers(2000), &["--cores", "1"]);
    let expected: String =
        (1..=2000).map(|n| format!("{n} {}\n", if n == 700 { 2 } else { 1 })).collect();
    run.gives(expected);
    let failed: Vec<&str> = run.stderr.lines().filter(|line| line.contains("failed")).collect();
    assert!(
        failed.len() == 1
            && failed[0].starts_with("item 700 failed on this machine: no answer within 4"),
        "{failed:#?}"
    );
}

#[test]
fn an_endless_loop_among_overlapping_calls_only_the_guilty_is_named() {
    let f = "export default async (x, { attempt }) => {
  await new Promise(done => setTimeout(done, 5))
  if (x === '15' && attempt === 1) for (;;);
  return x
}";
    let run = with_timeout(f, numbers(40), &["--concurrency", "8", "--cores", "1"]);
    run.gives(numbers(40));
    let failed: Vec<&str> = run.stderr.lines().filter(|line| line.contains("failed")).collect();
    assert!(failed.len() == 1 && failed[0].starts_with("item 15 failed"), "{failed:#?}");
}

#[test]
fn a_signal_tells_the_function_that_its_time_is_up() {
    let f = "export default (x, { signal, attempt, log }) => attempt > 1 ? x : new Promise(() => signal.addEventListener('abort', () => log('given up')))";
    let run = PandoCommand::new(f).args(["--timeout", "300ms"]).stdin("a\n").run();
    run.gives("a\n").said(&["this machine, item 1: given up", "no answer within 300"]);
}

#[test]
fn a_core_that_is_stopped_before_it_begins_is_replaced_and_its_item_is_not_blamed() {
    let mut run = PandoCommand::new("export default x => x")
        .args(["--cores", "1", "--timeout", "1s"])
        .stdin_open()
        .start();
    run.write_line("1");
    assert_eq!(run.line().as_deref(), Some("1"));
    run.children().into_iter().for_each(|child| kill("STOP", child.into()));
    run.write_line("2");
    assert_eq!(run.line().as_deref(), Some("2"));
    run.wait().gives("1\n2\n").did_not_say(&["failed"]);
}

#[test]
fn an_answer_after_the_time_is_ignored_without_a_word() {
    let f = "let first = true
export default async x => {
  if (!first) return 'second'
  first = false
  await new Promise(done => setTimeout(done, 600))
  return 'late'
}";
    let run = PandoCommand::new(f).args(["--timeout", "300ms"]).stdin("a\n").run();
    run.gives("second\n").did_not_say(&["twice"]);
}

#[test]
fn the_time_starts_with_the_call_not_with_the_waiting() {
    // Ten calls of half a second each run one at a time. Each one is within its time limit.
    let f =
        "export default async x => { await new Promise(done => setTimeout(done, 500)); return x }";
    let run = with_timeout(f, numbers(10), &["--cores", "1"]);
    run.gives(numbers(10)).did_not_say(&["failed"]);
}

#[test]
fn slow_synchronous_calls_within_the_time_are_left_alone() {
    let f =
        "export default x => { const end = Date.now() + 300; while (Date.now() < end); return x }";
    let run = with_timeout(f, numbers(16), &["--cores", "1"]);
    run.gives(numbers(16)).did_not_say(&["failed"]);
}
