//! Pages that a phone freezes.

use crate::tabs_only;
use pando_testing::{DrivenTab, EventsFile, FunctionGate};

/// A freeze is reported at once. Silence would be noticed after fifteen seconds, with another
/// message.
fn hands_back_and_rejoins(protocol: &str) {
    let (gate, events) = (FunctionGate::closed(), EventsFile::empty());
    let f = format!("(x, cb) => {}.then(() => cb(null, x))", gate.knock("x"));
    let mut run = tabs_only(&f).events(&events).stdin_open().start();
    let mut phone = DrivenTab::open(&format!("{}#device=Phone;cores=1;{protocol}", run.url()))
        .expect("a browser");
    run.write("a\nb\n");
    gate.waits_for("a");
    for round in 1..=3 {
        phone.freeze().expect("the browser answers");
        let left = events.wait("left", |_| events.of("left").len() == round);
        let left = events.of("left").pop().unwrap_or(left);
        assert!(left["why"].as_str().is_some_and(|why| why.contains("hidden")), "{left}");
        phone.thaw().expect("the browser answers");
        events.wait("joined", |_| events.of("joined").len() == round + 1);
        // The device computes the value again.
        events.wait("lent", |_| {
            events.items("lent").iter().filter(|index| **index == 1).count() > round
        });
    }
    run.says("Phone went to sleep");
    gate.open_for_all();
    assert_eq!((run.line().as_deref(), run.line().as_deref()), (Some("a"), Some("b")));
    let errors = phone.evaluate("document.getElementById('errors-field').hidden");
    assert_eq!(errors.expect("the page has it"), true);
    run.wait().gives("a\nb\n").did_not_say(&["silent", "failed"]);
}

#[test]
fn a_page_that_is_frozen_hands_back_at_once_and_rejoins_by_itself() {
    hands_back_and_rejoins("");
}

#[test]
fn a_page_with_a_peer_connection_does_so_as_well() {
    hands_back_and_rejoins("protocol=webrtc;");
}
