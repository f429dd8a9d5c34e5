//! Volunteers elsewhere that connect through a relay.

use crate::{matrix::scenarios, open::WORKERS_MAY_HANG};
use pando_testing::{
    Browser, BrowserProgram, EventsFile, Internet, PandoCommand, RelayProcess, Router,
    RunningProgram, TabId, lines, numbers,
};

scenarios! {
    every_direct_connection_is_kept
    a_relay_passes_values_on_where_nothing_else_does
    a_volunteer_behind_a_hard_router_comes_by_turn
    functions_do_at_a_relay_what_they_do_elsewhere
}

/// Opens a tab with the name `name` in the relay's room.
pub(crate) fn open(browser: &mut Browser, run: &RunningProgram, name: &str) -> TabId {
    browser.open(&format!("{}#device={name};cores=1;", run.room()))
}

fn every_direct_connection_is_kept(browser: &mut Browser) {
    let (relay, events) = (RelayProcess::start(&[]), EventsFile::empty());
    let run = relay
        .used_by(PandoCommand::f("(x, cb) => cb(null, x * 2)"))
        .args(["--cores", "0"])
        .events(&events)
        .stdin_open();
    let mut run = run.start();
    let expected = if browser.engine().has_webrtc() { "direct" } else { "relay" };
    for name in ["Ann", "Bob", "Cid", "Dan", "Eve"] {
        open(browser, &run, name);
        // On a busy machine it may have joined otherwise before.
        events.wait("joined", |event| event["device"] == name && event["path"] == expected);
    }
    run.write(numbers(500));
    run.wait().gives(lines((1..=500).map(|n| n * 2)));
}

fn a_relay_passes_values_on_where_nothing_else_does(browser: &mut Browser) {
    let (relay, events) = (RelayProcess::start(&[]), EventsFile::empty());
    let long = "x".repeat(300_000);
    let input = format!("{long}\n{}", numbers(500));
    let run = relay
        .used_by(PandoCommand::f("(x, cb) => cb(null, x)"))
        .args(["--cores", "0"])
        .events(&events)
        .stdin(input.clone())
        .start();
    browser.open(&format!("{}#device=Ann;cores=1;protocol=websocket;", run.room()));
    run.wait().gives(&input);
    assert_eq!(events.wait("joined", |_| true)["path"], "relay");
}

/// Master, relay and browser are in separate networks. No test controls this browser.
fn a_volunteer_behind_a_hard_router_comes_by_turn(browser: &mut Browser) {
    if !browser.engine().has_webrtc() {
        return;
    }
    let Some(internet) = Internet::of_routers(Router::Cone, Router::Symmetric) else { return };
    let relay = internet.relay(&["--turn-private"]);
    let events = EventsFile::empty();
    let run = relay
        .used_by(internet.master(PandoCommand::f("(x, cb) => cb(null, x * 2)")))
        .args(["--cores", "0"])
        .events(&events)
        .stdin(numbers(500))
        .start();
    let url = format!("{}#device=Far;cores=1;protocol=webrtc;", run.room());
    let _program = BrowserProgram::open(&internet.inside("bro"), browser.engine(), &url);
    run.wait().gives(lines((1..=500).map(|n| n * 2)));
    assert_eq!(events.wait("joined", |_| true)["path"], "turn");
}

fn functions_do_at_a_relay_what_they_do_elsewhere(browser: &mut Browser) {
    let f = "(x, cb) => {
      const w = new Worker(URL.createObjectURL(new Blob(['onmessage = (e) => postMessage(eval(e.data))'])))
      w.onmessage = (e) => { cb(null, [e.data, new Function('return ' + x)(), require('zlib').gunzipSync(require('zlib').gzipSync(x))]); w.terminate() }
      w.onerror = (e) => { e.preventDefault(); cb(new Error('worker: ' + e.message)) }
      w.postMessage(x)
    }";
    let dom = "(x, cb) => { document.getElementById('visualization').textContent = x; cb(null, [eval(document.getElementById('visualization').textContent), 2, x]) }";
    for (f, args) in [(f, ["--cores=0"]), (dom, ["--dom"])] {
        let relay = RelayProcess::start(&[]);
        let run = relay
            .used_by(PandoCommand::f(f))
            .args(args)
            .args(WORKERS_MAY_HANG)
            .stdin("1 + 1\n")
            .start();
        open(browser, &run, "Ann");
        run.wait().gives("2,2,1 + 1\n");
    }
}
