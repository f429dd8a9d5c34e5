//! Tabs, the relay and the master leave and come back.

use super::{tab, tabs_only};
use pando_testing::{EventsFile, RelayProcess, numbers, until};
use serde_json::json;

/// A slow function, so that the tests have time for their steps.
const SLOW: &str = "(x, cb) => setTimeout(cb, 10, null, x)";

#[test]
fn a_tab_that_is_killed_loses_nothing() {
    let (relay, events) = (RelayProcess::start(&[]), EventsFile::empty());
    let run = tabs_only(SLOW, &relay)
        .events(&events)
        .args(["--heartbeat", "1s"])
        .stdin(numbers(300))
        .start();
    let first = tab(&run, "First");
    events.wait("result", |event| event["index"] == 20);
    first.kill();
    let _second = tab(&run, "Second");
    run.wait().gives(numbers(300));
}

#[test]
fn direct_connections_outlive_the_relay_and_rooms_come_back() {
    let (mut relay, events) = (RelayProcess::start(&[]), EventsFile::empty());
    let mut run =
        tabs_only(SLOW, &relay).events(&events).args(["--heartbeat", "1s"]).stdin_open().start();
    let url = run.room();
    let first = tab(&run, "First");
    let joins = || events.of("joined").iter().filter(|event| event["device"] == "First").count();
    // However late that is on a busy machine.
    events.wait("joined", |event| event["path"] == "direct");
    let joined = joins();
    run.write_line("1");
    assert_eq!(run.line().as_deref(), Some("1"));
    relay.kill();
    run.says("the relay is out of reach");
    run.write_line("2");
    assert_eq!(run.line().as_deref(), Some("2"), "the direct connection goes on");
    relay.restart();
    assert!(run.says("the relay is back").ends_with(&url), "the same URL");
    first.kill();
    let _second = tab(&run, "Second");
    run.write_line("3");
    assert_eq!(run.line().as_deref(), Some("3"));
    run.close_stdin();
    run.wait().ends(0, "1\n2\n3\n");
    assert_eq!(joins(), joined);
}

#[test]
fn volunteers_whose_bytes_the_relay_passes_come_back_by_themselves() {
    let (mut relay, events) = (RelayProcess::start(&[]), EventsFile::empty());
    let mut run =
        tabs_only(SLOW, &relay).events(&events).args(["--heartbeat", "1s"]).stdin_open().start();
    let _tab = super::Tab::open(&run.room(), "device=Far;cores=1;protocol=websocket;");
    run.write_line("1");
    assert_eq!(run.line().as_deref(), Some("1"));
    relay.kill();
    relay.restart();
    run.write_line("2");
    assert_eq!(run.line().as_deref(), Some("2"));
    run.close_stdin();
    run.wait().ends(0, "1\n2\n");
    assert!(events.of("joined").iter().all(|event| event["path"] == json!("relay")));
}

#[test]
fn a_master_that_ends_takes_its_room_with_it() {
    let relay = RelayProcess::start(&[]);
    let run = tabs_only("(x, cb) => cb(null, x)", &relay).stdin("1\n").start();
    let url = run.room();
    let _tab = tab(&run, "Far");
    run.wait().gives("1\n");
    until("the room is gone", || (pando_testing::get(&url).status == 404).then_some(()));
}
