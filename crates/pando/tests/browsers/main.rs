//! Tests in every engine and version of a volunteer's browser.

mod assets;
mod barriers;
mod closed;
mod errors;
mod foreign;
mod leaving;
mod matrix;
mod monitoring;
mod open;
mod relayed;
mod values;
mod words;

use pando_testing::{Browser, BrowserEngine, PandoCommand, RunningProgram, TabId};

/// A run for tabs only.
fn tabs_only(function: &str) -> PandoCommand {
    PandoCommand::f(function).args(["--cores", "0"])
}

/// Opens a tab with the name `name` that lends one core.
fn open(browser: &mut Browser, run: &RunningProgram, name: &str) -> TabId {
    browser.open(&format!("{}#device={name};cores=1;", run.url()))
}

#[test]
#[ignore = "shows a page by hand: ENGINE=firefox URL=http://… "]
fn by_hand() {
    let engine = match std::env::var("ENGINE").expect("ENGINE is set").as_str() {
        "chromium" => BrowserEngine::Chromium,
        "firefox" => BrowserEngine::Firefox,
        "webkit" => BrowserEngine::WebKit,
        version => BrowserEngine::OldChromium(
            version.parse().expect("chromium, firefox, webkit, or the version of an old Chromium"),
        ),
    };
    let mut browser = Browser::start(engine).expect("it can be had");
    println!("{}", browser.version());
    let page = browser.open(&std::env::var("URL").expect("URL is set"));
    let (mut shown, mut written) = (None, 0);
    loop {
        let text = browser.eval(&page, "document.body && document.body.innerText").ok();
        if shown != text {
            shown = text;
            println!("--- the page shows: {shown:#?}");
        }
        let console = browser.console(&page);
        console[written..].iter().for_each(|line| println!("--- console: {line}"));
        written = console.len();
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
}
