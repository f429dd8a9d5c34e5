//! The output equals the input.

use super::{tab, tabs_only};
use pando_testing::{EventsFile, RelayProcess, Tab, get, lines, numbers};
use serde_json::json;

/// Waits until the device has a direct connection: on a busy machine that may be later than it
/// joins.
fn goes_direct(events: &EventsFile) {
    events.wait("joined", |event| event["path"] == "direct");
}

#[test]
fn two_thousand_values_over_a_direct_connection() {
    let (relay, events) = (RelayProcess::start(&[]), EventsFile::empty());
    let mut run =
        tabs_only("(x, cb) => cb(null, x * 2)", &relay).events(&events).stdin_open().start();
    let _tab = tab(&run, "Far");
    goes_direct(&events);
    run.write(numbers(2000));
    run.wait().gives(lines((1..=2000).map(|n| n * 2)));
}

#[test]
fn the_room_is_the_first_url_that_is_said() {
    let relay = RelayProcess::start(&[]);
    let run = tabs_only("(x, cb) => cb(null, x)", &relay).stdin_open().start();
    let url = run.room();
    assert!(url.starts_with(relay.url()) && url.len() > relay.url().len() + 10, "{url}");
}

#[test]
fn the_page_of_the_run_itself_names_the_room_unless_it_has_no_network() {
    let relay = RelayProcess::start(&[]);
    for deny_net in [false, true] {
        let more: &[&str] = if deny_net { &["--deny-net"] } else { &[] };
        let run = tabs_only("(x, cb) => cb(null, x)", &relay).args(more).stdin_open().start();
        let room = run.room();
        run.says("Serving monitoring page at ");
        let said = run.stderr();
        let urls = said.lines().filter_map(|line| line.strip_prefix("Serving volunteer code at "));
        let own = urls.map(str::trim).find(|url| url.starts_with("http://127") && *url != room);
        let page = get(own.expect("the run has a page of its own")).body;
        let named = format!("\"relayUrl\":\"{room}\"");
        assert_eq!(page.contains(&named), !deny_net, "{page}");
        assert!(!get(&room).body.contains("relayUrl\":"), "the page at the relay names no other");
    }
}

#[test]
fn large_values_are_intact() {
    let (relay, events) = (RelayProcess::start(&[]), EventsFile::empty());
    let line = "0123456789abcdef".repeat(65_536);
    let input = format!("{line}a\n{line}b\n{line}c\n");
    let mut run = tabs_only("(x, cb) => cb(null, x)", &relay).events(&events).stdin_open().start();
    let _tab = tab(&run, "Far");
    goes_direct(&events);
    run.write(&input);
    run.wait().gives(&input);
}

#[test]
fn bytes_pass_through_the_relay_where_the_page_is_told_so() {
    let (relay, events) = (RelayProcess::start(&[]), EventsFile::empty());
    let line = "x".repeat(300_000);
    let input = format!("{line}\n{}", numbers(3000));
    let run =
        tabs_only("(x, cb) => cb(null, x)", &relay).events(&events).stdin(input.clone()).start();
    let _tab = Tab::open(&run.room(), "device=Far;cores=1;protocol=websocket;");
    run.wait().gives(&input);
    assert_eq!(events.wait("joined", |_| true)["path"], json!("relay"));
}

#[test]
fn devices_here_and_elsewhere_work_in_one_run() {
    let (relay, events) = (RelayProcess::start(&[]), EventsFile::empty());
    let run = tabs_only("(x, cb) => setTimeout(cb, 5, null, x)", &relay)
        .args(["--batch-size", "1"])
        .events(&events)
        .stdin(numbers(1500))
        .start();
    let _far = tab(&run, "Far");
    let _near = Tab::open(&run.url(), "device=Near;cores=1;");
    let run = run.wait();
    run.gives(numbers(1500));
    for name in ["Far", "Near"] {
        assert!(
            events.of("result").iter().any(|event| event["device"] == name),
            "{name} computed nothing"
        );
    }
}
