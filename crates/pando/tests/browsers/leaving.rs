//! Tabs that are closed, reloaded, or left open while the master ends; and tabs that lack a
//! feature of the job.

use crate::{
    common::{Browser, Events, Gate, Pando, lines, numbers, until},
    matrix::scenarios,
    open, tabs_only,
};
use std::fs;
use tempfile::TempDir;

scenarios! {
    what_a_closed_tab_had_goes_to_others_at_once
    a_tab_that_is_loaded_again_keeps_its_name_and_its_count
    a_tab_that_was_left_open_goes_on_with_the_journal
    what_an_engine_lacks_costs_no_item
}

/// Messages about failures of a device. None of them may be printed when a tab leaves on purpose.
const NOT_LEFT: [&str; 3] = ["went to sleep", "silent", "failed"];

fn what_a_closed_tab_had_goes_to_others_at_once(browser: &mut Browser) {
    let (gate, events) = (Gate::new(), Events::new());
    let f = format!("(x, cb) => {}.then(() => cb(null, x))", gate.knock("x"));
    let mut run = tabs_only(&f).events(&events).stdin_open().start();
    let ann = open(browser, &run, "Ann");
    run.write("a\nb\n");
    gate.waits_for("a");
    browser.close(&ann);
    events.wait("left", |event| event["device"] == "Ann");
    gate.open_for_all();
    open(browser, &run, "Bob");
    run.wait().gives("a\nb\n").did_not_say(&NOT_LEFT);
}

fn a_tab_that_is_loaded_again_keeps_its_name_and_its_count(browser: &mut Browser) {
    let events = Events::new();
    let mut run = tabs_only("(x, cb) => cb(null, x)").events(&events).stdin_open().start();
    let page = open(browser, &run, "Ann");
    run.write(numbers(20));
    for n in 1..=20 {
        assert_eq!(run.line(), Some(n.to_string()));
    }
    browser.until(&page, "document.getElementById('done').textContent === '20'");
    let rename = "(name => { name.value = 'Kitchen'; name.dispatchEvent(new Event('change')); return true })(document.getElementById('name'))";
    browser.until(&page, rename);
    run.says("Ann is now called Kitchen");
    browser.reload(&page);
    events.wait("left", |event| event["device"] == "Kitchen");
    events.wait("joined", |event| event["device"] == "Kitchen");
    browser.until(
        &page,
        "document.getElementById('name').value === 'Kitchen' && document.getElementById('done').textContent === '20'",
    );
    run.write_line("21");
    assert_eq!(run.line().as_deref(), Some("21"));
    browser.until(&page, "document.getElementById('done').textContent === '21'");
    run.wait().gives(numbers(21)).did_not_say(&NOT_LEFT);
}

fn a_tab_that_was_left_open_goes_on_with_the_journal(browser: &mut Browser) {
    let folder = TempDir::new().expect("the temporary folder can be written");
    let journal = folder.path().join("journal");
    let job = || {
        tabs_only("(x, cb) => cb(null, x * 2)").args(["--journal".as_ref(), journal.as_os_str()])
    };
    let mut run = job().stdin_open().start();
    let url = run.url();
    let page = open(browser, &run, "Ann");
    run.write(numbers(50));
    for n in 1..=50 {
        assert_eq!(run.line(), Some((n * 2).to_string()));
    }
    let kept = || Some(pando::journal::read(&fs::read(&journal).ok()?).ok()?.items.len());
    until("the results are kept", || kept().filter(|kept| *kept == 50));
    run.signal("KILL");
    run.wait();
    browser.until(&page, "document.getElementById('title').textContent === 'Connection lost'");
    let events = Events::new();
    let run = job().events(&events).stdin(numbers(100)).start();
    assert_eq!(run.url(), url);
    run.wait().gives(lines((1..=100).map(|n| n * 2))).said(&["Ann joined"]);
    assert_eq!(
        events.items("result").into_iter().min(),
        Some(51),
        "what was in the journal is not computed again"
    );
    browser.until(&page, "document.getElementById('done').textContent === '100'");
}

/// `Array.prototype.at` came with Chromium 92. If it is missing, this machine's core computes all
/// items, and no item counts as failed.
fn what_an_engine_lacks_costs_no_item(browser: &mut Browser) {
    let f = "(x, cb) => { const end = Date.now() + 20; while (Date.now() < end); cb(null, [x * x].at(-1)) }";
    let lacks = !has_at(browser);
    let mut run = Pando::f(f).args(["--cores", "1"]).stdin_open().start();
    for name in ["Ann", "Bob", "Cid"] {
        open(browser, &run, name);
        run.says(&format!("{name} joined"));
    }
    run.write(numbers(60));
    let run = run.wait();
    run.gives(lines((1..=60).map(|n| n * n)));
    if lacks {
        run.said(&["Ann", "at is not a function"]);
        for name in ["Ann", "Bob", "Cid"] {
            let told = run
                .stderr
                .lines()
                .filter(|line| line.contains(name) && line.contains("at is not a function"))
                .count();
            assert!(told <= 1, "{name} was told {told} times: {}", run.stderr);
        }
    }
}

fn has_at(browser: &mut Browser) -> bool {
    let page = browser.open("about:blank");
    browser.until(&page, "typeof [].at") == "function"
}
