//! Two kinds of devices that are alive but make no progress, and their messages.

use crate::{tab, tabs_only};
use pando_testing::{EventsFile, FunctionGate, PandoCommand, lines, numbers};

#[test]
fn a_tab_that_does_not_load_the_function_is_told_and_its_items_go_to_others() {
    let (gate, events) = (FunctionGate::closed(), EventsFile::empty());
    let source = format!(
        "if (typeof XMLHttpRequest === 'function') {{
          const request = new XMLHttpRequest()
          request.open('GET', '{}load', false)
          request.send()
        }}
        module.exports['/pando/1.0.0'] = (x, cb) => setTimeout(cb, 20, null, x)",
        gate.url()
    );
    let args = ["--cores", "1", "--heartbeat", "500ms", "--batch-size", "2"];
    let mut run = PandoCommand::new(&source).args(args).events(&events).stdin_open().start();
    let _tab = tab(&run, "Loading");
    run.says("Loading joined");
    gate.waits_for("load");
    run.write(numbers(10));
    // The window has room and no device stays idle, so stragglers are not recalled: only the check
    // for stalled devices frees these values.
    let said = run.says("Loading has not begun ");
    assert!(said.contains("it has been loading the function for "), "{said}");
    for n in 1..=10 {
        assert_eq!(run.line(), Some(n.to_string()));
    }
    assert!(events.of("result").iter().all(|event| event["device"] == "this machine"));
    gate.open_for_all();
    let mut written = 10;
    let worked =
        |events: &EventsFile| events.of("result").iter().any(|event| event["device"] == "Loading");
    while !worked(&events) {
        run.write(lines(written + 1..=written + 10));
        for n in written + 1..=written + 10 {
            assert_eq!(run.line(), Some(n.to_string()));
        }
        written += 10;
    }
    run.wait().gives(numbers(written)).did_not_say(&["answers pings", "gone", "cannot run"]);
}

#[test]
fn a_long_call_is_told_with_item_device_time_and_how_unusual_that_is() {
    let gate = FunctionGate::closed();
    let f = format!(
        "(x, cb) => x === '6' ? {}.then(() => cb(null, x)) : setTimeout(cb, 10, null, x)",
        gate.knock("x")
    );
    let run = tabs_only(&f).stdin(numbers(7)).start();
    let _tab = tab(&run, "Ann");
    let said = run.says("item 6 has been computing on Ann for 1");
    assert!(said.contains(" times the usual (--timeout would end it)"), "{said}");
    gate.open_for_all();
    run.wait().gives(numbers(7)).did_not_say(&["has not begun", "answers pings"]);
}
