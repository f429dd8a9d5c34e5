//! Browsers that ask a person before a public page may reach devices on the local network.

use super::tabs_only;
use pando_testing::{Browser, BrowserEngine, EventsFile, RelayProcess, numbers};

#[test]
fn a_browser_that_holds_direct_connections_back_computes_through_the_relay_and_says_why_to_allow() {
    let (relay, events) = (RelayProcess::start(&[]), EventsFile::empty());
    // The relay counts as a public server; the master has an address of this machine only.
    let server = relay.url().trim_start_matches("http://").to_owned();
    let public = format!("--ip-address-space-overrides={server}=public");
    let options =
        ["--enable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebRTC", &public];
    let mut run = tabs_only("(x, cb) => cb(null, x)", &relay)
        .args(["--bind", "127.0.0.1"])
        .events(&events)
        .stdin_open()
        .start();
    let Some(mut browser) = Browser::start_with(BrowserEngine::Chromium, &options) else { return };
    let tab = browser.open(&format!("{}#device=Far;cores=1;", run.room()));
    events.wait("joined", |event| event["path"] == "relay");
    run.write(numbers(200));
    browser.until(
        &tab,
        "document.getElementById('note').textContent.includes('with Allow, the connection is direct')",
    );
    run.wait().gives(numbers(200));
}
