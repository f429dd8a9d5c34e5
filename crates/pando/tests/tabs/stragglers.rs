//! Values wait for a slow tab while this machine is idle.

use crate::tab;
use pando_testing::{EventsFile, FunctionGate, PandoCommand, numbers, until};

/// A function that waits until the gate opens: in a tab for `tab` and the item, on this machine
/// for `here`.
fn f(gate: &FunctionGate) -> String {
    let (tab, here) = (gate.knock("'tab' + x"), gate.knock("'here'"));
    format!(
        "(x, cb) => (typeof XMLHttpRequest === 'function' ? {tab} : {here}).then(() => cb(null, x))"
    )
}

#[test]
fn what_a_slow_tab_has_not_started_is_computed_here_once_the_input_has_ended() {
    let (gate, events) = (FunctionGate::closed(), EventsFile::empty());
    let mut run = PandoCommand::f(&f(&gate))
        .args(["--cores", "1", "--batch-size", "6"])
        .events(&events)
        .stdin_open()
        .start();
    let _tab = tab(&run, "Slow");
    run.says("Slow joined");
    run.write(numbers(12));
    let lent =
        |device: &str| events.of("lent").iter().filter(|event| event["device"] == device).count();
    until("each has six", || (lent("Slow") == 6 && lent("this machine") == 6).then_some(()));
    run.close_stdin();
    gate.open("here");
    until("this machine has five more", || (lent("this machine") == 11).then_some(()));
    let slow: Vec<String> =
        gate.knocked().into_iter().filter(|name| name.starts_with("tab")).collect();
    assert_eq!(slow.len(), 1, "it had begun one: {slow:?}");
    gate.open_for_all();
    run.wait().gives(numbers(12));
}

#[test]
fn the_oldest_value_of_a_slow_tab_is_computed_a_second_time_and_the_late_result_is_ignored() {
    let (gate, events) = (FunctionGate::closed(), EventsFile::empty());
    gate.open("here");
    let args = ["--cores", "1", "--batch-size", "1", "--speculate", "--window", "2"];
    let mut run = PandoCommand::f(&f(&gate)).args(args).events(&events).stdin_open().start();
    let _tab = tab(&run, "Slow");
    run.says("Slow joined");
    let mut written = 0;
    let mut next = || {
        written += 1;
        written
    };
    let on = |kind: &str, index: u64| {
        events.wait(kind, |event| event["index"] == index)["device"].clone()
    };
    let slow = loop {
        let index = next();
        run.write_line(&index.to_string());
        if on("lent", index) == "Slow" {
            break index;
        }
        assert_eq!(run.line(), Some(index.to_string()));
    };
    // The window is full because of the slow tab's value.
    let other = next();
    run.write_line(&other.to_string());
    assert_eq!((run.line(), run.line()), (Some(slow.to_string()), Some(other.to_string())));
    assert_eq!(on("result", slow), "this machine");
    gate.open_for_all();
    loop {
        let index = next();
        run.write_line(&index.to_string());
        assert_eq!(run.line(), Some(index.to_string()));
        if on("result", index) == "Slow" {
            break;
        }
    }
    run.wait().gives(numbers(written)).did_not_say(&["failed", "twice", "sent away"]);
    assert!(events.of("failed").is_empty());
    assert_eq!(
        events.items("result").iter().filter(|index| **index == slow).count(),
        1,
        "the late one does not count"
    );
}
