//! Errors: their type, their message, and their place in the user's files.

use crate::{matrix::scenarios, open, relayed};
use pando_testing::{Browser, PandoCommand, RelayProcess};

scenarios! {
    an_error_has_its_type_message_and_place
    an_error_has_its_type_message_and_place_at_a_relay
    an_error_in_the_page_has_its_type_message_and_place
    a_late_error_has_its_type_and_place
    a_late_error_has_its_type_and_place_at_a_relay
    what_is_printed_is_shown
}

/// A module that throws the errors, so that they come from another file than the function.
const DEEP: &str = "exports.deep = function deep (n) {
  if (n > 0) return deep(n - 1)
  throw new RangeError('three is bad')
}
exports.broken = function broken (x) {

  return x.no.property
}
";

const THROWS: &str = "const { broken, deep } = require('./lib/deep.js')

module.exports['/pando/1.0.0'] = function square (x, cb) {
  if (x === '3') deep(2)
  if (x === '4') broken({})
  cb(null, x * x)
}
";

fn throws(args: &[&str]) -> PandoCommand {
    PandoCommand::new(THROWS)
        .with_file("lib/deep.js", DEEP)
        .args(["--retries", "0", "--on-error", "skip"])
        .args(args)
        .stdin("2\n3\n4\n5\n")
}

/// Names that no message may contain, because they are not the user's files.
const OURS: [&str; 4] = ["blob:", "http", "function.js", "page.js"];

fn places(run: pando_testing::Finished) {
    run.ends(1, "4\n25\n");
    run.said(&[
        "item 2 failed on Ann: ",
        "RangeError: three is bad",
        "item 3 failed on Ann: ",
        "TypeError: ",
    ]);
    run.said(&["lib/deep.js:3:", "lib/deep.js:2:", "lib/deep.js:7:", "f.js:4:", "f.js:5:"]);
    // The lines with the URLs of the run are no errors.
    let errors: String = run.stderr.lines().filter(|line| !line.starts_with("Serving ")).collect();
    let ours: Vec<_> = OURS.iter().filter(|name| errors.contains(**name)).collect();
    assert!(ours.is_empty(), "{ours:?} are in {}", run.stderr);
}

fn an_error_has_its_type_message_and_place(browser: &mut Browser) {
    let run = throws(&["--cores", "0"]).start();
    open(browser, &run, "Ann");
    places(run.wait());
}

fn an_error_has_its_type_message_and_place_at_a_relay(browser: &mut Browser) {
    let relay = RelayProcess::start(&[]);
    let run = relay.used_by(throws(&["--cores", "0"])).start();
    relayed::open(browser, &run, "Ann");
    places(run.wait());
}

fn an_error_in_the_page_has_its_type_message_and_place(browser: &mut Browser) {
    let run = throws(&["--dom"]).start();
    open(browser, &run, "Ann");
    places(run.wait());
}

/// Item 2 is answered before its timer throws.
const LATE: &str = "module.exports['/pando/1.0.0'] = (x, cb) => {
  cb(null, x)
  if (x === '2') {
    setTimeout(function later () {
      undefined.property
    }, 30)
  }
}
";

fn late(
    browser: &mut Browser,
    pando: impl Fn(PandoCommand) -> PandoCommand,
    open: impl Fn(&mut Browser, &pando_testing::RunningProgram),
) {
    let mut run = pando(PandoCommand::new(LATE).args(["--cores", "0"])).stdin_open().start();
    open(browser, &run);
    for item in ["1", "2", "3"] {
        run.write_line(item);
        assert_eq!(run.line().as_deref(), Some(item));
    }
    let line = run.says("TypeError: ");
    assert!(line.contains("Ann"), "{line}");
    run.says("f.js:5:");
    run.wait().gives("1\n2\n3\n");
}

fn a_late_error_has_its_type_and_place(browser: &mut Browser) {
    late(browser, |pando| pando, |browser, run| drop(open(browser, run, "Ann")));
}

fn a_late_error_has_its_type_and_place_at_a_relay(browser: &mut Browser) {
    let relay = RelayProcess::start(&[]);
    late(
        browser,
        |pando| relay.used_by(pando),
        |browser, run| drop(relayed::open(browser, run, "Ann")),
    );
}

fn what_is_printed_is_shown(browser: &mut Browser) {
    let f = "(x, cb) => { console.log('at', x, [1, 'ä'], new RangeError('shown')); cb(null, x) }";
    let run = PandoCommand::f(f).args(["--cores", "0"]).stdin("7\n").start();
    open(browser, &run, "Ann");
    run.wait().gives("7\n").said(&["Ann, item 1: at 7 [", "ä", "RangeError: shown", "f.js:1:"]);
}
