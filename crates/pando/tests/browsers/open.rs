//! Things that functions may do without restrictions.

use crate::{foreign::Foreign, matrix::scenarios, open, tabs_only};
use pando_testing::{
    ANOTHER_NAME, Browser, BrowserEngine, PandoCommand, lines, numbers, with_packages,
};

scenarios! {
    text_becomes_code
    a_package_makes_functions_of_text
    other_servers_can_be_asked
    a_worker_is_made_of_text
    a_page_that_is_not_https_has_what_it_can_have
}

fn text_becomes_code(browser: &mut Browser) {
    let f = "(x, cb) => cb(null, [eval(x), new Function('return ' + x)(), (0, eval)(x)])";
    let run = tabs_only(f).args(["--retries", "0"]).stdin("1 + 1\n'a'.repeat(3)\n").start();
    open(browser, &run, "Ann");
    run.wait().gives("2,2,2\naaa,aaa,aaa\n");
}

fn a_package_makes_functions_of_text(browser: &mut Browser) {
    let run = PandoCommand::path(with_packages("template.js"))
        .args(["--cores", "0", "--retries", "0"])
        .stdin("a\n<\n")
        .start();
    open(browser, &run, "Ann");
    run.wait().gives("a!\n&lt;!\n");
}

fn other_servers_can_be_asked(browser: &mut Browser) {
    let foreign = Foreign::start();
    let host = foreign.host();
    let f = format!(
        "(x, cb) => {{
          const fail = (e) => cb(new Error(String(e.message || e.type)))
          if (x === 'fetch') return fetch('http://{host}/fetch').then((r) => r.text()).then((t) => cb(null, t), fail)
          if (x === 'script') {{ try {{ importScripts('data:text/javascript,self.loaded=7') }} catch (e) {{ return fail(e) }} return cb(null, loaded) }}
          const request = new XMLHttpRequest()
          request.onload = () => cb(null, request.responseText)
          request.onerror = fail
          request.open('GET', 'http://{host}/request')
          request.send()
        }}"
    );
    let run = tabs_only(&f).args(["--retries", "0"]).stdin("fetch\nrequest\nscript\n").start();
    open(browser, &run, "Ann");
    run.wait().gives("7\n7\n7\n");
    assert_eq!(foreign.seen(), ["(connection)", "fetch", "request"].map(str::to_owned).into());
}

/// In Firefox about one in thirty workers that a worker creates never answers, even without Pando.
pub(crate) const WORKERS_MAY_HANG: [&str; 4] = ["--timeout", "10s", "--retries", "3"];

fn a_worker_is_made_of_text(browser: &mut Browser) {
    let f = "(x, cb) => {
      const w = new Worker(URL.createObjectURL(new Blob(['onmessage = (e) => postMessage(e.data * 2)'])))
      w.onmessage = (e) => { cb(null, e.data); w.terminate() }
      w.onerror = (e) => { e.preventDefault(); cb(new Error('worker: ' + e.message)) }
      w.postMessage(x)
    }";
    let run = tabs_only(f).args(WORKERS_MAY_HANG).stdin(numbers(3)).start();
    open(browser, &run, "Ann");
    run.wait().gives(lines([2, 4, 6]));
}

/// WebKit has no option for the name of a host.
fn a_page_that_is_not_https_has_what_it_can_have(browser: &mut Browser) {
    if browser.engine() == BrowserEngine::WebKit {
        return;
    }
    let f = "(x, cb) => {
      const bytes = crypto.getRandomValues(new Uint8Array(4)).length
      const hash = require('crypto').createHash('md5').update(x).digest('hex').slice(0, 8)
      cb(null, [isSecureContext, bytes, hash, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(crypto.randomUUID())].join(' '))
    }";
    let run =
        tabs_only(f).args(["--retries", "0", "--allow-host", ANOTHER_NAME]).stdin("a\n").start();
    browser.open(&format!("{}#device=Ann;cores=1;", run.url().replace("127.0.0.1", ANOTHER_NAME)));
    run.wait().gives("false 4 0cc175b9 true\n");
}
