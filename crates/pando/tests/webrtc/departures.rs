//! Connections that end on either side and at any time.

use crate::{place, tab, tabs_only};
use pando_testing::{EventsFile, numbers, until};

const SOME_MILLISECONDS: &str = "(x, cb) => setTimeout(() => cb(null, x), 2 + Number(x) % 7)";

#[test]
fn a_tab_killed_mid_run_is_noticed_and_its_values_go_to_another() {
    let mut run =
        tabs_only(SOME_MILLISECONDS).args(["--heartbeat", "500ms"]).stdin(numbers(600)).start();
    let (ann, _bob) = (tab(&run, "Ann"), tab(&run, "Bob"));
    run.says("Ann joined");
    run.says("Bob joined");
    for _ in 0..50 {
        run.line();
    }
    ann.kill();
    run.says_any(&["Ann is gone", "Ann has been silent"]);
    run.wait().gives(numbers(600));
}

#[test]
fn a_connection_closed_by_the_page_is_made_again() {
    // A function in the page can only reach connections made after it was loaded. So the page
    // simulates a departure and a return, which opens a second connection.
    let function = "(function () {
      let connection
      const { createDataChannel } = RTCPeerConnection.prototype
      RTCPeerConnection.prototype.createDataChannel = function (...args) { connection = this; return createDataChannel.apply(this, args) }
      const done = {}
      return function (x, cb) {
        if (!done[x] && x === '50') {
          dispatchEvent(new PageTransitionEvent('pagehide'))
          dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))
        }
        if (!done[x] && x === '100') connection.close()
        done[x] = true
        setTimeout(() => cb(null, x), 5)
      }
    })()";
    let events = EventsFile::empty();
    let run = tabs_only(function)
        .args(["--dom", "--heartbeat", "500ms"])
        .events(&events)
        .stdin(numbers(200))
        .start();
    let _tab = tab(&run, "Ann");
    run.wait().gives(numbers(200));
    let paths: Vec<_> = events.of("joined").iter().map(|event| event["path"].clone()).collect();
    assert_eq!(paths, ["direct"; 3]);
}

#[test]
fn a_tab_is_told_that_the_job_is_done_and_does_not_come_back() {
    let mut run =
        tabs_only("(x, cb) => cb(null, x)").args(["--token", "sesame"]).stdin_open().start();
    let url = run.url();
    let _told = tab(&run, "Told");
    run.says("Told joined");
    run.write(numbers(10));
    run.wait().gives(numbers(10));
    // A tab that had only lost its master would join long before these three seconds are over.
    let port = place(&url).1.to_string();
    let next = tabs_only("(x, cb) => setTimeout(() => cb(null, x), 15)");
    let next = next.args(["--token", "sesame", "--port", &port]).stdin(numbers(200)).start();
    let _witness = tab(&next, "Witness");
    next.wait().gives(numbers(200)).did_not_say(&["Told"]);
}

#[test]
fn a_tab_whose_master_was_killed_joins_the_next_one_by_itself() {
    let start =
        || tabs_only("(x, cb) => cb(null, x)").args(["--token", "sesame", "--heartbeat", "500ms"]);
    let first = start().stdin_open().start();
    let port = place(&first.url()).1.to_string();
    let _tab = tab(&first, "Faithful");
    first.says("Faithful joined");
    first.signal("KILL");
    drop(first);
    let second = start().args(["--port", &port]).stdin(numbers(5)).start();
    second.says("Faithful joined with 1 core, by a direct connection");
    second.wait().gives(numbers(5));
}

#[test]
fn a_master_that_is_stopped_closes_its_connections() {
    let events = EventsFile::empty();
    let run = tabs_only("(x, cb) => setTimeout(() => cb(null, x), 1e6)")
        .events(&events)
        .stdin(numbers(3))
        .start();
    let _tab = tab(&run, "Ann");
    until("a value is lent", || events.of("lent").first().cloned());
    run.signal("INT");
    run.says("finishing");
    run.signal("INT");
    run.wait_with_input_open().status(1).said(&["stopped: "]);
}

#[test]
fn a_device_that_falls_asleep_comes_back_by_itself() {
    let mut run = tabs_only(SOME_MILLISECONDS).args(["--heartbeat", "500ms"]).stdin_open().start();
    let sleeper = tab(&run, "Sleeper");
    run.says("Sleeper joined");
    run.write_line("1");
    assert_eq!(run.line().as_deref(), Some("1"));
    sleeper.signal("STOP");
    run.says("Sleeper has been silent for 1.5s");
    run.write_line("2");
    sleeper.signal("CONT");
    assert_eq!(run.line().as_deref(), Some("2"));
    run.wait().gives("1\n2\n");
}
