//! Tabs that stay open while the master is away.

use crate::JournalFile;
use pando_testing::{EventsFile, PandoCommand, RelayProcess, RunningProgram, Tab, numbers};

/// A slow function, so that tabs are computing when the master is killed.
const SLOW: &str = "(x, cb) => setTimeout(cb, 20, null, x)";

/// Kills `job` after some results, and starts it again: the tab reconnects without help, and the
/// output is complete.
fn a_tab_comes_back(
    journal: &JournalFile,
    job: impl Fn() -> PandoCommand,
    url: impl Fn(&RunningProgram) -> String,
) {
    let run = job().start();
    let first = url(&run);
    let _tab = Tab::open(&first, "device=Ann;cores=2;");
    run.says("Ann joined");
    pando_testing::until("something is kept", || (journal.items().len() > 20).then_some(()));
    run.signal("KILL");
    run.wait();
    let events = EventsFile::empty();
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
    let journal = JournalFile::new();
    let job = || journal.of(PandoCommand::f(SLOW)).args(["--cores", "0"]).stdin(numbers(300));
    a_tab_comes_back(&journal, job, RunningProgram::url);
}

#[test]
fn a_tab_comes_back_to_the_same_room_of_a_relay() {
    let (journal, relay) = (JournalFile::new(), RelayProcess::start(&[]));
    let job = || {
        journal.of(relay.used_by(PandoCommand::f(SLOW))).args(["--cores", "0"]).stdin(numbers(300))
    };
    a_tab_comes_back(&journal, job, RunningProgram::room);
}

#[test]
fn a_tab_of_an_old_function_loads_itself_again() {
    let journal = JournalFile::new();
    let job = |f: &str, items| {
        journal
            .of(PandoCommand::f(f))
            .args(["--cores", "0", "--journal-keep"])
            .stdin(numbers(items))
    };
    let run = job(SLOW, 20).start();
    let _tab = Tab::open(&run.url(), "device=Ann;cores=1;");
    pando_testing::until("something is kept", || (journal.items().len() > 5).then_some(()));
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
    let journal = JournalFile::new();
    let print = |run: &RunningProgram| {
        run.says("SHA-256 fingerprint: ").rsplit(' ').next().unwrap().to_owned()
    };
    let job = || journal.of(PandoCommand::f(SLOW)).args(["--cores", "0", "--tls"]).stdin_open();
    let run = job().start();
    let (first, url) = (print(&run), run.says("Serving volunteer code at https://"));
    run.signal("KILL");
    run.wait();
    let run = job().start();
    assert_eq!((print(&run), run.says("Serving volunteer code at https://")), (first, url));
}
