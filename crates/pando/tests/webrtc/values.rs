//! Values and results over a peer connection.

use crate::{tab, tabs_only};
use pando_testing::{EventsFile, lines, numbers};

#[test]
fn two_thousand_lines_are_mapped_in_order_over_a_direct_connection() {
    let events = EventsFile::empty();
    let run = tabs_only("(x, cb) => cb(null, x * x)").events(&events).stdin(numbers(2000)).start();
    let _tab = tab(&run, "Ann");
    run.says("Ann joined with 1 core, by a direct connection");
    run.wait().gives(lines((1..=2000u64).map(|n| n * n)));
    let joined = events.of("joined");
    assert_eq!(joined.len(), 1, "{joined:#?}");
    assert_eq!(joined[0]["path"], "direct");
}

#[test]
fn values_and_results_of_a_megabyte_arrive_whole() {
    let line = |n: usize| format!("{n}:{}\n", "ä0123456789€".repeat(66_000 + n));
    let input: String = (1..=6).map(line).collect();
    let run = tabs_only("(x, cb) => cb(null, x)").stdin(input.clone()).start();
    let _tab = tab(&run, "Ann");
    run.wait().gives(input);
}

#[test]
fn results_that_are_much_longer_than_their_values_arrive_whole() {
    let run = tabs_only("(x, cb) => cb(null, x.repeat(300000))").stdin(numbers(20)).start();
    let _tab = tab(&run, "Ann");
    run.wait().gives(lines((1..=20).map(|n| n.to_string().repeat(300_000))));
}

#[test]
fn tabs_by_peer_connection_and_by_websocket_work_side_by_side() {
    let events = EventsFile::empty();
    let run = tabs_only("(x, cb) => setTimeout(() => cb(null, x), 5)")
        .events(&events)
        .stdin(numbers(400))
        .start();
    let _tabs = [tab(&run, "Ann"), pando_testing::Tab::open(&run.url(), "device=Bob;cores=1;")];
    run.wait().gives(numbers(400));
    let path = |name: &str| {
        events
            .of("joined")
            .into_iter()
            .find(|event| event["device"] == name)
            .map(|event| event["path"].clone())
    };
    assert_eq!((path("Ann"), path("Bob")), (Some("direct".into()), Some("websocket".into())));
}
