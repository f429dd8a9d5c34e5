//! The words on the page of a volunteer: what is computed and for whom, in its language.

use crate::{matrix::scenarios, tabs_only};
use pando_testing::{Browser, PandoCommand, RelayProcess};

scenarios! {
    the_page_says_what_it_computes_in_the_language_of_its_address
    so_does_the_page_of_a_relay_without_a_network
    the_person_sees_the_share_and_the_thanks
}

const ITSELF: &str = "(x, cb) => cb(null, x)";

fn titled() -> PandoCommand {
    tabs_only(ITSELF).args(["--title", "<i>Dawn</i>", "--from", "Ann & Bob"])
}

/// Waits for the words in French, then shares the address of the page.
fn speaks_french(browser: &mut Browser, url: &str) {
    let page = browser.open(&format!("{url}#device=Ann;cores=1;lang=fr;"));
    let text = |id: &str| format!("document.getElementById('{id}').textContent");
    browser.until(&page, &format!("{} === 'Prêt'", text("title")));
    browser.until(&page, &format!("{} === '<i>Dawn</i>'", text("what")));
    browser.until(&page, &format!("{} === 'pour Ann & Bob'", text("who")));
    browser.until(&page, "document.documentElement.lang === 'fr'");
    browser.until(&page, "document.getElementById('invite').click() || true");
    browser.until(&page, "!!document.querySelector('#panel svg path')");
    browser.until(
        &page,
        "document.querySelector('#panel input').value === location.href.split('#')[0]",
    );
}

fn the_page_says_what_it_computes_in_the_language_of_its_address(browser: &mut Browser) {
    let run = titled().stdin_open().start();
    speaks_french(browser, &run.url());
}

/// The page has an origin of its own, and reaches nothing but the relay.
fn so_does_the_page_of_a_relay_without_a_network(browser: &mut Browser) {
    let relay = RelayProcess::start(&[]);
    let run = relay.used_by(titled().args(["--deny-net"])).stdin_open().start();
    speaks_french(browser, &run.room());
}

fn the_person_sees_the_share_and_the_thanks(browser: &mut Browser) {
    let mut run = tabs_only(ITSELF).args(["--total", "40"]).stdin_open().start();
    let page = browser.open(&format!("{}#device=Ann;cores=1;lang=en;", run.url()));
    run.says("Ann joined");
    run.write("a\nb\n");
    browser.until(&page, "document.getElementById('share').textContent === '5%'");
    run.wait().gives("a\nb\n");
    browser.until(
        &page,
        "/This device did 2 items in 0:00:\\d\\d\\. That is 100% of all\\./.test(document.getElementById('detail').textContent)",
    );
}
