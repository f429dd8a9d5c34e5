//! No page keeps people from using the page, as far as axe-core finds out, in light and in dark
//! colours.

use crate::{matrix::scenarios, monitoring, open, tabs_only};
use pando_testing::{Browser, BrowserEngine, TabId};

scenarios! {
    a_volunteer_finds_no_barriers
}

fn a_volunteer_finds_no_barriers(browser: &mut Browser) {
    if matches!(browser.engine(), BrowserEngine::OldChromium(_)) {
        return;
    }
    let words = ["--title", "Dawn", "--from", "Ann"];
    let f = "(x, cb) => { console.log('at ' + x); cb(null, x); }";
    let mut run = tabs_only(f).args(words).stdin_open().start();
    let page = open(browser, &run, "Ben");
    browser.until(&page, "document.querySelector('#pando.good #title').textContent");
    has_no_barriers(browser, &page);
    run.write("a\n");
    browser.until(&page, "document.getElementById('lines').textContent");
    browser.until(&page, "document.getElementById('invite').click() || true");
    browser.until(&page, "document.querySelector('#panel svg') && true");
    browser.until(&page, "document.querySelector('details').open = true");
    has_no_barriers(browser, &page);
    run.wait().gives("a\n");
    browser.until(&page, "document.getElementById('settings').hidden");
    has_no_barriers(browser, &page);
}

#[test]
fn in_dark_colours_chromium() {
    in_dark_colours(BrowserEngine::Chromium);
}

#[test]
fn in_dark_colours_firefox() {
    in_dark_colours(BrowserEngine::Firefox);
}

#[test]
fn in_dark_colours_webkit() {
    in_dark_colours(BrowserEngine::WebKit);
}

fn in_dark_colours(engine: BrowserEngine) {
    let Some(mut browser) = Browser::start_dark(engine) else { return };
    let page = browser.open_visibly("about:blank");
    browser.until(&page, "matchMedia('(prefers-color-scheme: dark)').matches");
    for pages in [
        a_volunteer_finds_no_barriers,
        monitoring::the_owner_sees_the_run_from_its_start_to_its_end,
        monitoring::the_report_opens_from_the_disk,
    ] {
        pages(&mut browser);
        browser.close_all();
    }
}

/// Checks that axe-core finds nothing that keeps people from using the page, in present browsers.
pub(crate) fn has_no_barriers(browser: &mut Browser, page: &TabId) {
    if matches!(browser.engine(), BrowserEngine::OldChromium(_)) {
        return;
    }
    let file = "../../web/node_modules/axe-core/axe.min.js";
    let axe = std::fs::read_to_string(file).expect("npm ci has been run in web/");
    let found = "axe.run().then(({ violations }) => violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`))";
    let found = browser.eval(page, &format!("(() => {{ {axe}; return {found} }})()"));
    assert_eq!(found, Ok(serde_json::json!([])));
}
