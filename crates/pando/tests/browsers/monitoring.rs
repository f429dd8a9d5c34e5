//! The monitoring page in the owner's browser.

use crate::{matrix::scenarios, tabs_only};
use pando_testing::{
    Browser, BrowserEngine, WebSocket,
    volunteer::{answer, serve},
};
use std::thread;

scenarios! {
    the_owner_sees_the_run_from_its_start_to_its_end
}

/// The oldest supported browser of volunteers is older than that of owners.
const TOO_OLD: BrowserEngine = BrowserEngine::OldChromium(71);

fn the_owner_sees_the_run_from_its_start_to_its_end(browser: &mut Browser) {
    if browser.engine() == TOO_OLD {
        return;
    }
    let args = ["--title", "<i>Dawn</i>", "--total", "4"];
    let mut run = tabs_only("(x, cb) => cb(null, x)").args(args).stdin_open().start();
    let said = run.says("Serving monitoring page at ");
    let url = said.split_whitespace().last().expect("a URL is said");
    // A page in the background draws nothing.
    let page = browser.open_visibly(url);
    // The page keeps a number and its unit together by spaces that do not break.
    let shows = |text: &str| {
        format!("document.body && document.body.innerText.replace(/\\s/g, ' ').includes({text:?})")
    };
    browser.until(&page, &shows("<i>Dawn</i>"));
    browser.until(&page, &shows("0 of 4 (0 %)"));
    let mut ann = WebSocket::join(&run.url(), "Ann", 1);
    run.write("a\nb\n");
    thread::spawn(move || serve(&mut ann, answer));
    browser.until(&page, &shows("2 of 4 (50 %)"));
    browser.until(&page, &shows("Ann"));
    run.wait().gives("a\nb\n");
    browser.until(&page, &shows("Finished"));
    assert_eq!(browser.console(&page), Vec::<String>::new());
}
