//! Functions that take their second argument as a context, as a callback, or as both.

use pando_testing::{PandoCommand, lines};

#[test]
fn a_plain_function_may_call_back_at_once_or_later() {
    for f in [
        "module.exports = function (x, cb) { cb(null, { got: x }) }",
        "module.exports = function (x, cb) { setTimeout(function () { cb(null, { got: x }) }, 5) }",
        "export default (x, done) => setImmediate(done, null, { got: x })",
        "module.exports = async function (x, cb) { setTimeout(() => cb(null, { got: x }), 5) }",
        "module.exports = (x, done) => setTimeout(() => done(null, { got: x }), 5)",
        "module.exports = (x, cb) => Promise.resolve(5).then(() => cb(null, { got: x }))",
        "module.exports = (...args) => args.pop()(null, { got: args[0] })",
        "module.exports = function () { arguments[1].call(this, null, { got: arguments[0] }) }",
        "const wrap = f => (x, cb) => f(x, cb)\nmodule.exports = wrap((x, cb) => cb(null, { got: x }))",
    ] {
        let run = PandoCommand::new(f).stdin("a\nb\n").run();
        run.gives("{\"got\":\"a\"}\n{\"got\":\"b\"}\n");
    }
}

#[test]
fn the_callback_is_the_context_as_well() {
    let f = "module.exports = (x, context) => {
      context.log('at', x)
      context.report({ nbItems: 1 })
      context(null, [context.index, context.attempt, context.signal.aborted, typeof context.bind].join())
    }";
    let run = PandoCommand::new(f).stdin("a\nb\n").run();
    run.gives("1,1,false,function\n2,1,false,function\n")
        .said(&["this machine, item 1: at a", "this machine, item 2: at b"]);
}

#[test]
fn an_error_for_the_callback_fails_the_item() {
    let f = "module.exports = (x, cb) => { setTimeout(cb, 1, x === 'b' && new RangeError('bad ' + x), x) }";
    let args = ["--retries", "0", "--on-error", "skip"];
    let run = PandoCommand::new(f).args(args).stdin("a\nb\nc\n").run();
    run.ends(1, "a\nc\n").said(&["item 2 failed on this machine: RangeError: bad b", "f.js:1:"]);
    let f = "module.exports = (x, cb) => cb('no reason but ' + x)";
    let run = PandoCommand::new(f).args(["--retries", "0"]).stdin("a\n").run();
    run.ends(1, "").said(&["item 1 failed on this machine: no reason but a"]);
}

#[test]
fn the_first_answer_counts_and_the_second_is_a_warning() {
    let f = "module.exports = (x, cb) => {
      if (x === 'returns') { setTimeout(cb, 1, null, 'late'); return x }
      cb(null, x)
      if (x === 'twice') cb(null, 'again')
      if (x === 'both') return 'returned'
      if (x === 'promise') return Promise.resolve('promised')
    }";
    let input = "returns\ntwice\nboth\npromise\nnone\n";
    let mut run = PandoCommand::new(f).args(["--cores", "1"]).stdin_open().start();
    run.write(input);
    for item in 1..=4 {
        run.says(&format!("item {item}: warning: the function answered twice"));
    }
    let run = run.wait();
    run.gives(input).did_not_say(&["item 5: warning"]);
}

#[test]
fn a_function_that_returns_nothing_and_cannot_call_back_has_failed() {
    for f in [
        "export default x => { x.length }",
        "export default (x, context) => { context.log(x) }",
        "export default async (x, { index }) => { index + x }",
        "export default (x, ...rest) => { rest.length }",
    ] {
        let run = PandoCommand::new(f).args(["--retries", "0"]).stdin("a\n").run();
        run.ends(1, "").said(&["f answered undefined"]);
    }
}

#[test]
fn calls_of_a_callback_overlap_and_end_by_their_timeout() {
    let f = "let open = 0
      module.exports = (x, cb) => {
        open++
        if (x === '3') return
        setTimeout(() => cb(null, x), 40 - 10 * x)
      }";
    let args = ["--concurrency", "4", "--cores", "1", "--timeout", "300ms", "--retries", "0"];
    let run =
        PandoCommand::new(f).args(args).args(["--on-error", "skip"]).stdin(lines(1..=4)).run();
    run.ends(1, lines([1, 2, 4])).said(&["item 3 failed on this machine: no answer within 300 ms"]);
}

#[test]
fn an_error_after_the_answer_is_shown_and_changes_nothing() {
    let f =
        "module.exports = (x, cb) => { cb(null, x); if (x === 'b') throw new Error('too late') }";
    let mut run = PandoCommand::new(f).stdin_open().start();
    run.write("a\nb\n");
    run.says("this machine, item 2: late error: Error: too late");
    run.wait().gives("a\nb\n");
}
