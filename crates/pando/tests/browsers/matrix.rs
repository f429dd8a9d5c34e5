//! Runs a scenario in each engine.

use pando_testing::{Browser, BrowserEngine};
use std::sync::{Mutex, PoisonError};

/// Known failures, still to be fixed. These are skipped with a message, unless `PANDO_FAILING=1`.
const FAILING: &[(&str, &[BrowserEngine])] =
    // `preconnect` opens a connection without sending a request, and no header prevents this in
    // these engines.
    &[("deny_net_lets_pages_reach_nobody", &[BrowserEngine::Firefox, BrowserEngine::WebKit])];

/// Makes a test for each engine from each scenario: `scenario::engine`. A scenario is a function
/// of a browser.
macro_rules! scenarios {
    ($($scenario:ident)*) => {
        $(mod $scenario {
            use $crate::matrix::run;
            use pando_testing::BrowserEngine;

            $crate::matrix::scenarios!(@ $scenario
                chromium_71 BrowserEngine::OldChromium(71),
                chromium_80 BrowserEngine::OldChromium(80),
                chromium_92 BrowserEngine::OldChromium(92),
                chromium_103 BrowserEngine::OldChromium(103),
                chromium BrowserEngine::Chromium,
                firefox BrowserEngine::Firefox,
                webkit BrowserEngine::WebKit
            );
        })*
    };
    (@ $scenario:ident $($engine:ident $value:expr),*) => {
        $(#[test]
        fn $engine() {
            run($value, stringify!($scenario), super::$scenario);
        })*
    };
}
pub(crate) use scenarios;

/// One browser of each engine for all its scenarios, used by one scenario at a time.
static BROWSERS: [(BrowserEngine, Mutex<Option<Browser>>); 7] = [
    (BrowserEngine::OldChromium(71), Mutex::new(None)),
    (BrowserEngine::OldChromium(80), Mutex::new(None)),
    (BrowserEngine::OldChromium(92), Mutex::new(None)),
    (BrowserEngine::OldChromium(103), Mutex::new(None)),
    (BrowserEngine::Chromium, Mutex::new(None)),
    (BrowserEngine::Firefox, Mutex::new(None)),
    (BrowserEngine::WebKit, Mutex::new(None)),
];

/// Runs one scenario in the browser of the previous one, after its pages are closed. A failed
/// scenario ends its browser.
pub(crate) fn run(engine: BrowserEngine, name: &str, scenario: fn(&mut Browser)) {
    let fails =
        FAILING.iter().any(|(failing, engines)| *failing == name && engines.contains(&engine));
    if fails && std::env::var_os("PANDO_FAILING").is_none() {
        eprintln!("skipped: {name} is known to fail in {engine}");
        return;
    }
    let (_, browser) = BROWSERS.iter().find(|(of, _)| *of == engine).expect("each engine is there");
    let mut slot = browser.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(mut browser) = slot.take().or_else(|| Browser::start(engine)) else { return };
    scenario(&mut browser);
    browser.close_all();
    *slot = Some(browser);
}
