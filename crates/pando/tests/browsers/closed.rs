//! `--deny-net`: functions reach only the server of their page. After the run nothing of a
//! function stays in the browser.

use crate::{foreign::Foreign, matrix::scenarios, open, open::WORKERS_MAY_HANG, tabs_only};
use pando_testing::{Browser, PandoCommand, until};

scenarios! {
    deny_net_lets_workers_reach_nobody
    deny_net_lets_pages_reach_nobody
    deny_net_leaves_code_and_workers_of_text
    no_service_worker_stays
}

/// Ways out of a worker: expressions in which `at(name)` is `http://HOST/name`. The test waits for
/// promises.
const OUT_OF_WORKERS: [&str; 9] = [
    "fetch(at('fetch'))",
    "fetch(at('nocors'), { mode: 'no-cors', method: 'POST', body: 'secret', keepalive: true })",
    "ask(new XMLHttpRequest())",
    "new WebSocket(at('websocket').replace('http', 'ws'))",
    "new EventSource(at('events'))",
    "importScripts(at('script'))",
    "(0, eval)('import(' + JSON.stringify(at('import')) + ')')",
    "new Worker(blob('fetch(' + JSON.stringify(at('blob-worker')) + ')'))",
    "new Worker('data:text/javascript,' + encodeURIComponent('fetch(' + JSON.stringify(at('data-worker')) + ')'))",
];

/// Ways out of a page.
const OUT_OF_PAGES: [&str; 30] = [
    "fetch(at('fetch'))",
    "ask(new XMLHttpRequest())",
    "new WebSocket(at('websocket').replace('http', 'ws'))",
    "new EventSource(at('events'))",
    "navigator.sendBeacon(at('beacon'), 'secret')",
    "(0, eval)('import(' + JSON.stringify(at('import')) + ')')",
    "new Worker(blob('fetch(' + JSON.stringify(at('blob-worker')) + ')'))",
    "new Worker('data:text/javascript,' + encodeURIComponent('fetch(' + JSON.stringify(at('data-worker')) + ')'))",
    "new SharedWorker(blob('fetch(' + JSON.stringify(at('blob-shared')) + ')'))",
    "new SharedWorker('data:text/javascript,' + encodeURIComponent('fetch(' + JSON.stringify(at('data-shared')) + ')'))",
    "new Image().src = at('image')",
    "add('<img srcset=\"' + at('srcset') + '\">')",
    "add('<video src=\"' + at('video') + '\" poster=\"' + at('poster') + '\"></video><audio src=\"' + at('audio') + '\" preload=\"auto\">')",
    "add('<iframe src=\"' + at('frame') + '\"></iframe>')",
    "add('<iframe srcdoc=\"<img src=' + at('srcdoc') + '>\"></iframe>')",
    "add('<object data=\"' + at('object') + '\"></object><embed src=\"' + at('embed') + '\">')",
    "add('<svg><image href=\"' + at('svg') + '\" /><use href=\"' + at('use') + '#a\" /></svg>')",
    "add('<p style=\"background: url(' + at('background') + ')\">x</p>')",
    "add('<style>@import url(' + at('css-import') + '); @font-face { font-family: far; src: url(' + at('font') + ') }</style><p style=\"font-family: far\">x</p>')",
    "head('script', { src: at('script') })",
    "link('stylesheet')",
    "link('preconnect')",
    "link('preload', { as: 'image' })",
    "link('prefetch')",
    "link('modulepreload')",
    "link('prerender')",
    "link('manifest')",
    "link('icon')",
    "head('script', { type: 'speculationrules', text: JSON.stringify({ prefetch: [{ source: 'list', urls: [at('speculation')] }] }) })",
    "add('<iframe name=\"sink\"></iframe><form method=\"post\" target=\"sink\" action=\"' + at('form') + '\"></form>').lastChild.submit()",
];

/// A function that tries all ways, and answers after waiting for their requests.
fn takes(ways: &[&str], host: &str) -> String {
    let ways: String = ways.iter().map(|way| format!("() => {way},\n")).collect();
    format!(
        r#"
const at = (name) => 'http://{host}/' + name
const blob = (code) => URL.createObjectURL(new Blob([code], {{ type: 'text/javascript' }}))
const add = (html) => {{
  const holder = document.getElementById('visualization').appendChild(document.createElement('div'))
  holder.innerHTML = html
  return holder
}}
const head = (name, properties) => document.head.appendChild(Object.assign(document.createElement(name), properties))
const link = (rel, more) => head('link', Object.assign({{ rel, href: at(rel) }}, more))
const ask = (request) => {{ request.open('GET', at('request')); request.send() }}
const ways = [{ways}]
module.exports['/pando/1.0.0'] = (x, cb) => {{
  for (const way of ways) try {{ Promise.resolve(way()).catch(() => {{}}) }} catch (e) {{ }}
  setTimeout(cb, 1000, null, 'taken')
}}
"#
    )
}

/// Tries all ways, first without `--deny-net`, where the `certain` ways must work, and then with
/// `--deny-net`, where no way may work.
fn closes(browser: &mut Browser, ways: &[&str], args: &[&str], certain: &[&str]) {
    for closed in [false, true] {
        let foreign = Foreign::start();
        let run = PandoCommand::new(&takes(ways, foreign.host())).args(args);
        let run = run.args(WORKERS_MAY_HANG).stdin_open();
        let mut run = if closed { run.args(["--deny-net"]) } else { run }.start();
        open(browser, &run, "Ann");
        run.write_line("x");
        assert_eq!(run.line().as_deref(), Some("taken"), "{}", run.stderr());
        if closed {
            assert_eq!(foreign.seen(), [].into(), "--deny-net leaves this open");
        } else {
            for way in certain {
                until(&format!("{way} is open without --deny-net"), || {
                    foreign.seen().contains(*way).then_some(())
                });
            }
        }
        browser.close_all();
    }
}

fn deny_net_lets_workers_reach_nobody(browser: &mut Browser) {
    let certain = ["fetch", "nocors", "request", "websocket", "events", "script"];
    closes(browser, &OUT_OF_WORKERS, &["--cores", "0"], &certain);
}

fn deny_net_lets_pages_reach_nobody(browser: &mut Browser) {
    let certain = [
        "fetch",
        "request",
        "websocket",
        "beacon",
        "image",
        "background",
        "script",
        "stylesheet",
        "frame",
        "form",
        "blob-worker",
    ];
    closes(browser, &OUT_OF_PAGES, &["--dom"], &certain);
}

fn deny_net_leaves_code_and_workers_of_text(browser: &mut Browser) {
    let f = "(x, cb) => {
      const w = new Worker(URL.createObjectURL(new Blob(['onmessage = (e) => postMessage(eval(e.data))'])))
      w.onmessage = (e) => { cb(null, [e.data, new Function('return ' + x)()]); w.terminate() }
      w.onerror = (e) => { e.preventDefault(); cb(new Error('worker: ' + e.message)) }
      w.postMessage(x)
    }";
    let run = tabs_only(f).args(["--deny-net"]).args(WORKERS_MAY_HANG).stdin("1 + 1\n").start();
    open(browser, &run, "Ann");
    run.wait().gives("2,2\n");
}

/// A bundle that registers itself as a service worker, which could answer for the page after the
/// run.
const SERVICE_WORKER: &str = "
if (typeof ServiceWorkerGlobalScope !== 'undefined' && self instanceof ServiceWorkerGlobalScope) {
  self.addEventListener('fetch', (e) => e.respondWith(new Response('still here')))
}
module.exports['/pando/1.0.0'] = (script, cb) => {
  const registered = (r) => r.installing || r.active ? 'registered' : 'refused'
  if (!navigator.serviceWorker) return cb(null, 'refused')
  navigator.serviceWorker.register(new URL(script, location.href)).then((r) => cb(null, registered(r)), () => cb(null, 'refused'))
}
";

fn no_service_worker_stays(browser: &mut Browser) {
    for args in [["--dom", "--retries=0"], ["--cores=0", "--retries=0"]] {
        let mut run = PandoCommand::new(SERVICE_WORKER).args(args).stdin_open().start();
        let page = open(browser, &run, "Ann");
        for script in ["function.js", "page.js", ""] {
            run.write_line(script);
            assert_eq!(
                run.line().as_deref(),
                Some("refused"),
                "{script} of {args:?}: {}",
                run.stderr()
            );
        }
        let left = browser
            .eval(&page, "navigator.serviceWorker ? navigator.serviceWorker.getRegistrations().then((all) => all.length) : 0");
        assert_eq!(left, Ok(0.into()));
        run.wait().status(0);
    }
}
