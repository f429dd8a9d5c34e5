//! Figure 4 of the Pando paper, step by step.

use crate::{tab, tabs_only};
use pando_testing::{EventsFile, until};

/// A function that never answers x2 on the device that has computed x1.
const F: &str = "(function () {
  var before
  return function (x, cb) {
    if (x === 'x2' && before === 'x1') return
    before = x
    cb(null, 'f(' + x + ')')
  }
})()";

#[test]
fn a_value_held_by_a_device_that_dies_is_computed_by_another_and_order_is_kept() {
    let events = EventsFile::empty();
    let mut run = tabs_only(F).args(["--batch-size", "1"]).events(&events).stdin_open().start();
    let tablet = tab(&run, "Tablet");
    run.says("Tablet joined");
    run.write_line("x1");
    assert_eq!(run.line().as_deref(), Some("f(x1)"));
    run.write_line("x2");
    events.wait_item("lent", 2, "Tablet");
    let _phone = tab(&run, "Phone");
    run.says("Phone joined");
    run.write_line("x3");
    events.wait_item("result", 3, "Phone");
    assert!(!events.has("lent", 2, "Phone"), "x2 is with one device at a time");
    tablet.kill();
    run.says("Tablet is gone");
    events.wait_item("lent", 2, "Phone");
    assert_eq!(run.line().as_deref(), Some("f(x2)"));
    assert_eq!(run.line().as_deref(), Some("f(x3)"));
    run.close_stdin();
    until("everything is told", || events.has("result", 2, "Phone").then_some(()));
    run.wait().gives("f(x1)\nf(x2)\nf(x3)\n");
}
