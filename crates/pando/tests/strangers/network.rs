//! Network access of functions in a tab of a real Chromium, with and without `--deny-net`.

use pando_testing::{FunctionGate, PandoCommand, RelayProcess, SECRET, Tab, lines};

/// Ways of a worker's function to the network. Each one completes in any case.
const WORKER: &str = r"
const over = (start) => new Promise((resolve) => { try { start(resolve) } catch (error) { resolve() } })
const ways = {
  fetch: (url) => over((done) => fetch(url).then(done, done)),
  'no-cors': (url) => over((done) => fetch(url, { mode: 'no-cors', method: 'POST', body: 'x' }).then(done, done)),
  xhr: (url) => over((done) => { const x = new XMLHttpRequest(); x.onloadend = done; x.open('GET', url); x.send() }),
  websocket: (url) => over((done) => { const s = new WebSocket(url.replace('http', 'ws')); s.onopen = s.onclose = s.onerror = done }),
  events: (url) => over((done) => { const s = new EventSource(url); s.onerror = s.onopen = () => { s.close(); done() } }),
  script: (url) => over((done) => { importScripts(url); done() }),
  module: (url) => over((done) => new Function('url', 'return import(url)')(url).then(done, done)),
  worker: (url) => over((done) => {
    const code = `fetch('${url}').then(() => postMessage(0), () => postMessage(0))`
    const worker = new Worker(URL.createObjectURL(new Blob([code])))
    worker.onmessage = worker.onerror = done
  })
}
";

/// Ways of a page's function to the network.
const PAGE: &str = r"
const over = (start) => new Promise((resolve) => { try { start(resolve) } catch (error) { resolve() } })
const element = (name, set) => over((done) => {
  const element = document.createElement(name)
  element.onload = element.onerror = done
  set(element)
  document.body.appendChild(element)
})
const ways = {
  fetch: (url) => over((done) => fetch(url).then(done, done)),
  image: (url) => element('img', (image) => { image.src = url }),
  script: (url) => element('script', (script) => { window.pass = 'what the gate answers'; script.src = url }),
  style: (url) => element('link', (link) => { link.rel = 'stylesheet'; link.href = url }),
  prefetch: (url) => element('link', (link) => { link.rel = 'prefetch'; link.href = url }),
  frame: (url) => element('iframe', (frame) => { frame.src = url }),
  media: (url) => over((done) => { const audio = new Audio(url); audio.onerror = done; audio.load() }),
  websocket: (url) => over((done) => { const s = new WebSocket(url.replace('http', 'ws')); s.onopen = s.onclose = s.onerror = done }),
  beacon: (url) => over((done) => { navigator.sendBeacon(url, 'x'); done() }),
  form: (url) => over((done) => {
    const form = document.createElement('form')
    const frame = document.createElement('iframe')
    frame.name = form.target = 'form-target'
    form.action = url
    form.method = 'post'
    document.body.append(frame, form)
    form.submit()
    setTimeout(done)
  })
}
";

/// Features that functions need besides the network.
const NEEDS: &str = r"
const needs = {
  eval: () => eval('1 + 1'),
  Function: () => new Function('return 2')(),
  wasm: () => WebAssembly.instantiate(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)).then(() => 2),
  blob: () => fetch(URL.createObjectURL(new Blob(['2']))).then((response) => response.text()),
  data: () => fetch('data:,2').then((response) => response.text()),
  'blob-worker': () => new Promise((resolve, reject) => {
    const worker = new Worker(URL.createObjectURL(new Blob(['postMessage(eval(`2`))'])))
    worker.onmessage = ({ data }) => resolve(data)
    worker.onerror = reject
  })
}
";

/// More features that functions need in the page.
const PAGE_NEEDS: &str = r"
needs.handler = () => new Promise((resolve) => {
  const stage = document.getElementById('visualization')
  window.clicked = resolve
  stage.innerHTML = '<button style=color:red onclick=clicked(2)>ok</button>'
  stage.firstChild.click()
})
needs.image = () => new Promise((resolve, reject) => {
  const image = new Image()
  image.onload = () => resolve(2)
  image.onerror = reject
  image.src = document.createElement('canvas').toDataURL()
})
";

const WORKER_WAYS: [&str; 8] =
    ["fetch", "no-cors", "xhr", "websocket", "events", "script", "module", "worker"];
const PAGE_WAYS: [&str; 10] = [
    "fetch",
    "image",
    "script",
    "style",
    "prefetch",
    "frame",
    "media",
    "websocket",
    "beacon",
    "form",
];
/// Ways out of a page that no content security policy closes, or that need several of its rules.
const PAGE_HINTS: &str = r"
const link = (rel) => (url) => { element('link', (link) => { link.rel = rel; if (rel === 'preload') link.as = 'script'; link.href = url }) }
const rules = (rules) => { element('script', (script) => { script.type = 'speculationrules'; script.textContent = JSON.stringify(rules) }) }
const anchor = (set) => { const a = document.createElement('a'); set(a); document.body.append(a); a.click() }
const frame = () => document.body.appendChild(document.createElement('iframe'))
const knocks = (url) => `onconnect = () => fetch('${url}'); fetch('${url}')`
const turn = (url) => {
  const urls = `turn:${new URL(url).host}?transport=tcp`
  const peer = new RTCPeerConnection({ iceServers: [{ urls, username: 'x', credential: 'y' }] })
  peer.createDataChannel('x')
  peer.createOffer().then((offer) => peer.setLocalDescription(offer))
}
for (const rel of ['preconnect', 'dns-prefetch', 'prefetch', 'preload', 'modulepreload', 'prerender', 'icon', 'manifest']) ways[rel] = link(rel)
Object.assign(ways, {
  speculation: (url) => rules({ prefetch: [{ urls: [url.replace('http', 'https'), url] }], prerender: [{ urls: [url] }] }),
  ping: (url) => anchor((a) => { a.href = '#here'; a.ping = url }),
  window: (url) => { open(url) },
  target: (url) => anchor((a) => { a.href = url; a.target = '_blank' }),
  download: (url) => anchor((a) => { a.href = url; a.download = 'x' }),
  anchor: (url) => anchor((a) => { a.href = url }),
  location: (url) => { location = url },
  self: (url) => { open(url, '_self') },
  top: (url) => { frame().contentWindow.open(url, '_top') },
  parent: (url) => { frame().contentWindow.eval(`parent.location = '${url}'`) },
  refresh: (url) => { document.head.appendChild(Object.assign(document.createElement('meta'), { httpEquiv: 'refresh', content: '0;url=' + url })) },
  'blank-frame': (url) => { frame().contentDocument.body.innerHTML = `<img src='${url}'><link rel=preconnect href='${url}'>` },
  'shared-data': (url) => { new SharedWorker('data:text/javascript,' + encodeURIComponent(knocks(url))) },
  'shared-blob': (url) => { new SharedWorker(URL.createObjectURL(new Blob([knocks(url)]))) },
  'frame-shared': (url) => { new (frame().contentWindow.SharedWorker)('data:text/javascript,' + encodeURIComponent(knocks(url))) },
  turn,
  socket: (url) => { new WebSocketStream(url.replace('http', 'ws')) },
  later: (url) => { fetchLater(url, { activateAfter: 0 }) },
  // What was begun has its time.
  time: () => new Promise((resolve) => setTimeout(resolve, 1500))
})
";

const PAGE_HINTS_WAYS: [&str; 26] = [
    "preconnect",
    "dns-prefetch",
    "prefetch",
    "preload",
    "modulepreload",
    "prerender",
    "icon",
    "manifest",
    "speculation",
    "ping",
    "window",
    "target",
    "download",
    "anchor",
    "location",
    "self",
    "top",
    "parent",
    "refresh",
    "blank-frame",
    "shared-data",
    "shared-blob",
    "frame-shared",
    "turn",
    "socket",
    "later",
];

const NEEDED: [&str; 6] = ["eval", "Function", "wasm", "blob", "data", "blob-worker"];
const NEEDED_IN_PAGES: [&str; 2] = ["handler", "image"];

/// Tries everything in a tab. Returns the gate with the names that knocked.
fn tried(source: &str, ways: &[&str], needed: &[&str], args: &[&str]) -> FunctionGate {
    let gate = FunctionGate::closed();
    gate.open_for_all();
    let call = format!(
        "export default async (x) => {{ const [, kind, name] = /(\\w+) (.*)/.exec(x)\n\
         if (kind === 'need') return `${{x}}: ${{await needs[name]()}}`\n\
         await ways[name]('{}' + name); return x }}",
        gate.url()
    );
    let source =
        format!("{source}{NEEDS}{}{call}", if args.contains(&"--dom") { PAGE_NEEDS } else { "" });
    let input = ways
        .iter()
        .map(|way| format!("way {way}"))
        .chain(needed.iter().map(|need| format!("need {need}")));
    let output = ways
        .iter()
        .map(|way| format!("way {way}"))
        .chain(needed.iter().map(|need| format!("need {need}: 2")));
    let run = PandoCommand::bare()
        .with_file("f.mjs", source)
        .function("f.mjs")
        .args(["--cores", "0", "--timeout", "20s"])
        .args(args);
    let run = run.stdin(lines(input)).start();
    let url = if args.contains(&"--host") { run.room() } else { run.url() };
    let _tab = Tab::open(&url, "device=Ann;cores=1;");
    run.wait().gives(lines(output));
    gate
}

#[test]
fn functions_reach_the_network_and_run_what_packages_need() {
    let gate = tried(WORKER, &WORKER_WAYS, &NEEDED, &[]);
    WORKER_WAYS.iter().for_each(|way| gate.waits_for(way));
}

#[test]
fn a_denied_network_is_closed_to_workers_and_what_packages_need_still_runs() {
    let gate = tried(WORKER, &WORKER_WAYS, &NEEDED, &["--deny-net"]);
    assert_eq!(gate.knocked(), [""; 0]);
}

#[test]
fn functions_in_the_page_reach_the_network_too() {
    let needed = [&NEEDED[..], &NEEDED_IN_PAGES].concat();
    let gate = tried(PAGE, &PAGE_WAYS, &needed, &["--dom"]);
    PAGE_WAYS.iter().for_each(|way| gate.waits_for(way));
}

#[test]
fn a_denied_network_is_closed_to_the_page_and_inline_handlers_still_run() {
    let needed = [&NEEDED[..], &NEEDED_IN_PAGES].concat();
    let gate = tried(PAGE, &PAGE_WAYS, &needed, &["--dom", "--deny-net"]);
    assert_eq!(gate.knocked(), [""; 0]);
}

/// Tries all ways one after the other in one page. None of them may end the page.
#[test]
fn a_denied_network_is_closed_to_hints_windows_navigation_and_peer_connections_too() {
    let ways: Vec<&str> = PAGE_HINTS_WAYS.into_iter().chain(["time"]).collect();
    let safe = format!(
        "{PAGE}{PAGE_HINTS}for (const way in ways) {{ const go = ways[way]; ways[way] = async (url) => {{ try {{ await go(url) }} catch (error) {{ }} }} }}\n"
    );
    let gate = tried(&safe, &ways, &[], &["--dom", "--deny-net"]);
    assert_eq!((gate.knocked(), gate.connections()), (vec![], 0));
}

#[test]
fn hints_shared_workers_and_pings_of_a_page_go_out_where_the_network_is_open() {
    let ways = ["preload", "ping", "shared-data", "shared-blob", "time"];
    let gate = tried(&format!("{PAGE}{PAGE_HINTS}"), &ways, &[], &["--dom"]);
    ways[..4].iter().for_each(|way| gate.waits_for(way));
}

#[test]
fn a_denied_network_is_closed_at_a_relay_too() {
    let relay = RelayProcess::start(&[]);
    for denied in [true, false] {
        let mut args = vec!["--host", relay.url(), "--secret", SECRET];
        args.extend(denied.then_some("--deny-net"));
        // Each worker of a room's page is created from a blob.
        let gate =
            tried(WORKER, &["fetch", "xhr", "websocket", "script", "worker"], &NEEDED, &args);
        assert_eq!(gate.knocked().is_empty(), denied, "{:?}", gate.knocked());
    }
}

#[test]
fn on_this_machine_s_cores_it_is_said_that_the_network_stays_open() {
    let run = PandoCommand::f("(x, cb) => cb(null, x)")
        .args(["--deny-net", "--cores", "1"])
        .stdin("1\n")
        .run();
    run.gives("1\n")
        .said(&["--deny-net closes the network to the function in tabs; on this machine's cores it stays open (--cores 0"]);
    let local = PandoCommand::f("(x, cb) => cb(null, x)")
        .args(["--deny-net", "--local"])
        .stdin("1\n")
        .run();
    local.ends(2, "").said(&["--deny-net", "--local"]);
}
