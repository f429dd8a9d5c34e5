//! Tabs that stay open while the master is away.

use crate::{
    Journal,
    common::{Events, Pando, Running, Tab, numbers},
    relay::Relay,
};

/// A slow function, so that tabs are computing when the master is killed.
const SLOW: &str = "(x, cb) => setTimeout(cb, 20, null, x)";

/// Kills `job` after some results, and starts it again: the tab reconnects without help, and the
/// output is complete.
fn a_tab_comes_back(journal: &Journal, job: impl Fn() -> Pando, url: impl Fn(&Running) -> String) {
    let run = job().start();
    let first = url(&run);
    let _tab = Tab::open(&first, "device=Ann;cores=2;");
    run.says("Ann joined");
    crate::common::until("something is kept", || (journal.items().len() > 20).then_some(()));
    run.signal("KILL");
    run.wait();
    let events = Events::new();
    let kept: Vec<u64> = journal.items();
    let run = job().events(&events).start();
    assert_eq!(url(&run), first);
    run.says("Ann joined");
    run.wait().gives(numbers(300));
    let again: Vec<u64> =
        events.items("result").into_iter().filter(|item| kept.contains(&(item - 1))).collect();
    assert_eq!(again, [] as [u64; 0], "computed again");
    assert_eq!(journal.items().len(), 300);
}

#[test]
fn a_tab_comes_back_to_the_same_address() {
    let journal = Journal::new();
    let job = || journal.of(Pando::f(SLOW)).args(["--cores", "0"]).stdin(numbers(300));
    a_tab_comes_back(&journal, job, Running::url);
}

#[test]
fn a_tab_comes_back_to_the_same_room_of_a_relay() {
    let (journal, relay) = (Journal::new(), Relay::start(&["--no-udp"]));
    let job =
        || journal.of(relay.used_by(Pando::f(SLOW))).args(["--cores", "0"]).stdin(numbers(300));
    let room = |run: &Running| {
        let line = run.says("Serving volunteer code at ");
        line[line.find("http").expect("a URL")..].trim().to_owned()
    };
    a_tab_comes_back(&journal, job, room);
}

#[test]
fn a_tab_of_an_old_function_loads_itself_again() {
    let journal = Journal::new();
    let job = |f: &str, items| {
        journal.of(Pando::f(f)).args(["--cores", "0", "--journal-keep"]).stdin(numbers(items))
    };
    let run = job(SLOW, 20).start();
    let _tab = Tab::open(&run.url(), "device=Ann;cores=1;");
    crate::common::until("something is kept", || (journal.items().len() > 5).then_some(()));
    run.signal("KILL");
    run.wait();
    let kept = journal.items().len();
    let run = job("(x, cb) => cb(null, -x)", 30).run();
    run.status(0).said(&["Ann joined"]);
    let text = run.text();
    let negative = text.lines().filter(|line| line.starts_with('-')).count();
    assert_eq!((text.lines().count(), negative), (30, 30 - kept), "{text}");
}

#[test]
fn the_certificate_that_tabs_came_to_trust_stays() {
    let journal = Journal::new();
    let print =
        |run: &Running| run.says("SHA-256 fingerprint: ").rsplit(' ').next().unwrap().to_owned();
    let job = || journal.of(Pando::f(SLOW)).args(["--cores", "0", "--tls"]).stdin_open();
    let run = job().start();
    let (first, url) = (print(&run), run.says("Serving volunteer code at https://"));
    run.signal("KILL");
    run.wait();
    let run = job().start();
    assert_eq!((print(&run), run.says("Serving volunteer code at https://")), (first, url));
}
