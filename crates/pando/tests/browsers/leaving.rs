//! Tabs that are closed, reloaded, or left open while the master ends; and tabs that lack a
//! feature of the job.

use crate::{matrix::scenarios, open, tabs_only};
use pando_testing::{
    Browser, EventsFile, FunctionGate, PandoCommand, RelayProcess, RunningProgram, TabId, lines,
    numbers, until,
};
use std::fs;
use tempfile::TempDir;

scenarios! {
    what_a_closed_tab_had_goes_to_others_at_once
    a_tab_that_is_loaded_again_keeps_what_it_was
    a_tab_that_is_loaded_again_keeps_what_it_was_at_a_relay
    a_tab_that_was_left_open_goes_on_with_the_journal
    what_an_engine_lacks_costs_no_item
    a_browser_that_is_too_old_says_so
    no_more_cores_are_lent_than_there_are
}

/// Messages about failures of a device. None of them may be printed when a tab leaves on purpose.
const NOT_LEFT: [&str; 3] = ["went to sleep", "silent", "failed"];

fn what_a_closed_tab_had_goes_to_others_at_once(browser: &mut Browser) {
    let (gate, events) = (FunctionGate::closed(), EventsFile::empty());
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

fn a_tab_that_is_loaded_again_keeps_what_it_was(browser: &mut Browser) {
    let events = EventsFile::empty();
    let run = tabs_only(ITSELF).events(&events).stdin_open().start();
    let page = browser.open(&format!("{}#device=Ann;cores=3;", run.url()));
    keeps_what_it_was(browser, run, &page, &events);
}

fn a_tab_that_is_loaded_again_keeps_what_it_was_at_a_relay(browser: &mut Browser) {
    let (relay, events) = (RelayProcess::start(&[]), EventsFile::empty());
    let run = relay.used_by(tabs_only(ITSELF)).events(&events).stdin_open().start();
    let page = browser.open(&format!("{}#device=Ann;cores=3;", run.room()));
    keeps_what_it_was(browser, run, &page, &events);
}

const ITSELF: &str = "(x, cb) => cb(null, x)";

/// Its name and its cores, as they were set on the page, and its count.
fn keeps_what_it_was(
    browser: &mut Browser,
    mut run: RunningProgram,
    page: &TabId,
    events: &EventsFile,
) {
    run.write(numbers(20));
    for n in 1..=20 {
        assert_eq!(run.line(), Some(n.to_string()));
    }
    browser.until(page, "document.getElementById('done').textContent === '20'");
    let set = |id: &str, value: &str| {
        format!(
            "(field => {{ field.value = '{value}'; field.dispatchEvent(new Event('change')); return true }})(document.getElementById('{id}'))"
        )
    };
    browser.until(page, &set("cores", "2"));
    browser.until(page, &set("name", "Kitchen"));
    run.says("Ann is now called Kitchen");
    browser.reload(page);
    events.wait("left", |event| event["device"] == "Kitchen");
    events.wait("joined", |event| event["device"] == "Kitchen" && event["cores"] == 2);
    let shown = "['name', 'cores'].map(id => document.getElementById(id).value).concat(document.getElementById('done').textContent).join()";
    browser.until(page, &format!("{shown} === 'Kitchen,2,20'"));
    run.write_line("21");
    assert_eq!(run.line().as_deref(), Some("21"));
    browser.until(page, &format!("{shown} === 'Kitchen,2,21'"));
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
    let events = EventsFile::empty();
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
    let mut run = PandoCommand::f(f).args(["--cores", "1"]).stdin_open().start();
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

/// It has nothing but the words that are there before the page's script begins: these come to sight
/// when it never does.
fn a_browser_that_is_too_old_says_so(browser: &mut Browser) {
    let run = tabs_only(ITSELF).stdin_open().start();
    let Some(page) = browser.open_without("TextEncoder", &run.url()) else { return };
    let seen = "Array.from(document.querySelectorAll('#detail span')).filter(span => getComputedStyle(span).visibility === 'visible')";
    let words = browser.until(&page, &format!("{seen}.map(span => span.textContent).join()"));
    assert_eq!(
        words,
        "If this stays, JavaScript is off or this browser is too old: use Chrome 71, Firefox 79, Safari 12.2 or later."
    );
    let page = open(browser, &run, "Ann");
    run.says("Ann joined");
    assert_eq!(browser.until(&page, &format!("[{seen}.length]")), serde_json::json!([0]));
}

/// WebKit says that there are four where there are fewer.
fn no_more_cores_are_lent_than_there_are(browser: &mut Browser) {
    let there =
        fs::read_to_string("/proc/cpuinfo").expect("Linux tells it").matches("processor\t").count()
            as u64;
    let events = EventsFile::empty();
    let run = tabs_only(ITSELF).events(&events).stdin_open().start();
    browser.open(&format!("{}#device=Ann;", run.url()));
    let lent = events.wait("joined", |_| true)["cores"].as_u64();
    assert!(lent.is_some_and(|lent| lent >= 1 && lent < there.max(2)), "{lent:?} of {there}");
}
