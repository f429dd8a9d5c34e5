//! Functions that fail in every way, repeatedly or once.

use pando_testing::{
    BOOM, EventsFile, Finished, FunctionGate, PandoCommand, kill, lines, numbers, until,
};

/// The second of three values, `boom`, makes `function` fail.
#[track_caller]
fn second_fails(function: &str, args: &[&str], words: &[&str]) -> Finished {
    let run = PandoCommand::f(function).args(args).stdin("a\nboom\nc\n").run();
    run.ends(1, "a\n")
        .said(&["error: item 2 failed on this machine: ", "its input: boom"])
        .said(words)
        .did_not_say(&["item 1 ", "item 3 "]);
    run
}

#[test]
fn an_error_answered() {
    second_fails(BOOM, &[], &["it went boom"]);
}

#[test]
fn a_text_answered_as_error() {
    second_fails("(x, cb) => x === 'boom' ? cb('just words') : cb(null, x)", &[], &["just words"]);
}

#[test]
fn an_object_answered_as_error() {
    second_fails("(x, cb) => x === 'boom' ? cb({ code: 42 }) : cb(null, x)", &[], &["42"]);
}

#[test]
fn an_error_thrown() {
    second_fails(
        "(x, cb) => { if (x === 'boom') throw new TypeError('thrown'); cb(null, x) }",
        &[],
        &["thrown", "TypeError"],
    );
}

#[test]
fn the_reason_of_an_error() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let f = format!(
        "export default async x => x === 'boom' ? (await fetch('http://{closed}/')).text() : x"
    );
    let run = PandoCommand::new(&f).args(["--retries", "0"]).stdin("a\nboom\nc\n").run();
    run.ends(1, "a\n")
        .said(&[&format!("TypeError: fetch failed (cause: connect ECONNREFUSED {closed})")]);
    let nested = "new Error('outer', { cause: new AggregateError([Object.assign(new RangeError('one'), { code: 'E_ONE' }), 'two'], 'all') })";
    let words = [
        "outer (cause: AggregateError: all (error: RangeError: one (code: E_ONE); error: two))",
        "[cause]: AggregateError: all",
    ];
    second_fails(
        &format!("(x, cb) => {{ if (x === 'boom') throw {nested}; cb(null, x) }}"),
        &["--retries", "0"],
        &words,
    );
    second_fails(
        &format!("(x, cb) => x === 'boom' ? cb({nested}) : cb(null, x)"),
        &["--retries", "0"],
        &words,
    );
    let own = "(x, cb) => { class Refused extends Error {}; if (x === 'boom') throw new Refused('no'); cb(null, x) }";
    second_fails(
        own,
        &["--retries", "0"],
        &["item 2 failed on this machine: Refused: no", "  Refused: no\n"],
    );
}

#[test]
fn something_undefined_thrown() {
    second_fails("(x, cb) => { if (x === 'boom') throw undefined; cb(null, x) }", &[], &[]);
}

#[test]
fn an_error_thrown_in_a_timer() {
    second_fails(
        "(x, cb) => setTimeout(() => { if (x === 'boom') throw new Error('in a timer'); cb(null, x) }, 1)",
        &[],
        &["in a timer"],
    );
}

#[test]
fn a_promise_rejected_that_nobody_awaits() {
    second_fails(
        "(x, cb) => { if (x === 'boom') Promise.reject(new Error('unheard')); else cb(null, x) }",
        &[],
        &["unheard"],
    );
}

#[test]
fn an_async_function_with_a_callback_that_throws() {
    second_fails(
        "async (x, cb) => { if (x === 'boom') throw new Error('async'); cb(null, x) }",
        &[],
        &["async"],
    );
}

#[test]
fn a_default_export_that_rejects() {
    let f = "export default async x => { if (x === 'boom') throw new RangeError('rejected'); return x }";
    PandoCommand::new(f)
        .stdin("a\nboom\nc\n")
        .run()
        .ends(1, "a\n")
        .said(&["error: item 2 failed on this machine: ", "rejected"]);
}

#[test]
fn a_stack_names_functions_and_their_places() {
    let f = "function inner() {\n  throw new Error('deep')\n}\nmodule.exports['/pando/1.0.0'] = (x, cb) => cb(null, inner())";
    PandoCommand::new(f).args(["--retries", "0"]).stdin("a\n").run().ends(1, "").said(&[
        "deep",
        "at inner (f.js:2:9)",
        "f.js:4:54",
    ]);
}

#[test]
fn nothing_answered() {
    second_fails("(x, cb) => x === 'boom' ? cb() : cb(null, x)", &[], &["undefined"]);
    let run = PandoCommand::new("export default x => { if (x !== 'boom') return x }")
        .stdin("a\nboom\n")
        .run();
    run.ends(1, "a\n").said(&["item 2 failed", "undefined"]);
}

#[test]
fn ending_the_process() {
    second_fails("(x, cb) => { if (x === 'boom') process.exit(3); cb(null, x) }", &[], &[]);
}

#[test]
fn exhausting_the_stack() {
    second_fails(
        "(x, cb) => { const f = () => f() + 1; if (x === 'boom') f(); cb(null, x) }",
        &[],
        &["Maximum call stack"],
    );
}

#[test]
fn three_attempts_by_default_and_their_number_is_told() {
    let run = PandoCommand::f(BOOM).stdin("boom\n").run();
    run.ends(1, "")
        .said(&["attempt 1 of 3", "attempt 2 of 3", "attempts: 3"])
        .did_not_say(&["attempt 3 of 3; it will be tried again"]);
}

#[test]
fn what_an_item_throws_after_its_answer_is_no_other_s_failure() {
    let f = "(x, cb) => {
      if (x !== 'bad') return setTimeout(cb, 300, null, x)
      cb(null, x)
      setInterval(() => { throw new Error('from bad') }, 50)
    }";
    let run =
        PandoCommand::f(f).args(["--cores", "1", "--retries", "0"]).stdin("bad\n2\n3\n").run();
    run.gives("bad\n2\n3\n").said(&["late error: Error: from bad"]);
}

#[test]
fn no_retries_stops_at_once() {
    let events = EventsFile::empty();
    let run = PandoCommand::f(BOOM).args(["--retries", "0"]).events(&events).stdin("boom\n").run();
    run.ends(1, "")
        .said(&["error: item 1 failed", "attempts: 1"])
        .did_not_say(&["will be tried again"]);
    assert_eq!(events.items("lent"), [1]);
}

#[test]
fn earlier_values_are_finished_and_printed_before_the_run_ends() {
    let gate = FunctionGate::closed();
    let f = format!(
        "export default async x => {{ if (x === '5') throw new Error('no 5'); if (x === '2') await {}; return x }}",
        gate.knock("x")
    );
    let events = EventsFile::empty();
    let run = PandoCommand::new(&f)
        .args(["--concurrency", "8", "--retries", "0"])
        .events(&events)
        .stdin(numbers(20))
        .start();
    gate.waits_for("2");
    events.wait("failed", |event| event["index"] == 5);
    let said = run.says("item 5 failed on this machine: no 5");
    assert!(said.ends_with("(the run ends once the items before it are finished)"), "{said}");
    gate.open_for_all();
    run.wait().ends(1, "1\n2\n3\n4\n").said(&["error: item 5 failed", "no 5"]);
}

#[test]
fn the_first_of_several_failed_values_ends_the_run() {
    let f = "(x, cb) => x > 3 ? setTimeout(() => cb('no ' + x), 60 - 10 * x) : cb(null, x)";
    let run =
        PandoCommand::f(f).args(["--concurrency", "10", "--retries", "0"]).stdin(numbers(6)).run();
    run.ends(1, "1\n2\n3\n").said(&["error: item 4 failed", "no 4"]);
}

#[test]
fn a_failure_ends_a_run_whose_input_stays_open() {
    let mut run = PandoCommand::f(BOOM).stdin_open().start();
    run.write_line("a");
    assert_eq!(run.line().as_deref(), Some("a"));
    run.write_line("boom");
    run.wait_with_input_open().ends(1, "a\n").said(&["error: item 2 failed"]);
}

#[test]
fn an_item_that_kills_every_core_fails_alone() {
    let gate = FunctionGate::closed();
    let f = format!(
        "export default async x => {{ if (x === '5') await {}; return x }}",
        gate.knock("x")
    );
    let run = PandoCommand::new(&f).args(["--cores", "1"]).stdin(numbers(9)).start();
    let mut deaths = 0;
    until("the end", || {
        let knocked = gate.knocked().len();
        if knocked > deaths {
            deaths = knocked;
            run.children().into_iter().for_each(|child| kill("KILL", child.into()));
        }
        run.stderr().contains("error: ").then_some(())
    });
    let run = run.wait();
    run.ends(1, numbers(4)).said(&["error: item 5 failed on this machine: ", "process"]);
    run.did_not_say(&["item 4 ", "item 6 ", "item 7 "]);
}

#[test]
fn many_values_that_fail_once_all_succeed() {
    let f = "export default (x, { attempt }) => { if (attempt === 1) throw new Error('once'); return x }";
    PandoCommand::new(f).args(["--cores", "2"]).stdin(numbers(500)).run().gives(numbers(500));
}

#[test]
fn a_long_value_is_shortened_in_the_message() {
    let long = "x".repeat(100_000);
    let run =
        PandoCommand::f("(x, cb) => cb('no')").args(["--retries", "0"]).stdin(lines([&long])).run();
    run.ends(1, "").said(&["item 1 failed", "100000 bytes"]);
    assert!(run.stderr.len() < 3000, "{} bytes", run.stderr.len());
}
