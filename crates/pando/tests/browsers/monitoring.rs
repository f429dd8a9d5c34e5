//! The monitoring page and the report in the owner's browser.

use crate::{barriers::has_no_barriers, matrix::scenarios, tabs_only};
use pando_testing::{
    Browser, BrowserEngine, PandoCommand, WebSocket,
    volunteer::{answer, serve},
};
use std::thread;

scenarios! {
    the_owner_sees_the_run_from_its_start_to_its_end
    the_report_opens_from_the_disk
}

/// The oldest supported browser of volunteers is older than that of owners.
const TOO_OLD: BrowserEngine = BrowserEngine::OldChromium(71);

pub(crate) fn the_owner_sees_the_run_from_its_start_to_its_end(browser: &mut Browser) {
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
    has_no_barriers(browser, &page);
    run.wait().gives("a\nb\n");
    browser.until(&page, &shows("Finished"));
    assert_eq!(browser.console(&page), Vec::<String>::new());
}

pub(crate) fn the_report_opens_from_the_disk(browser: &mut Browser) {
    if browser.engine() == TOO_OLD {
        return;
    }
    let folder = tempfile::tempdir().expect("the temporary folder can be written");
    let file = folder.path().join("report.html");
    let f = "(x, cb) => x === '2' ? cb(new Error('no <i>way</i>')) : cb(null, x)";
    let words = ["--cores", "1", "--retries", "0", "--on-error", "skip", "--title", "<i>Dawn</i>"];
    let command = PandoCommand::f(f).local().args(words).args(["--report"]).args([&file]);
    command.args(["1", "2", "3"]).run().ends(1, "1\n3\n");
    let page = browser.open_visibly(&format!("file://{}", file.display()));
    browser.until(&page, "document.readyState === 'complete' && document.querySelector('h1')");
    let shown = browser.eval(&page, "document.body.innerText.replace(/\\s/g, ' ')").expect("text");
    let shown = shown.as_str().expect("text");
    for words in ["<i>Dawn</i>", "3 of 3 (100 %)", "no <i>way</i>", "1 item failed", "this machine"]
    {
        assert!(shown.contains(words), "{words} in {shown}");
    }
    has_no_barriers(browser, &page);
    assert_eq!(browser.console(&page), Vec::<String>::new());
}
