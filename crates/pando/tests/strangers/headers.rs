//! HTTP headers for browsers, and attempts of foreign pages.

use crate::{host, served};
use pando_testing::{PandoCommand, Response, Tab, WebSocket, get, request};

fn policy(response: &Response) -> &str {
    response.header("content-security-policy").expect("there is one")
}

#[test]
fn every_answer_has_the_usual_headers() {
    let run = served(&[]);
    let url = run.url();
    let foreign =
        request(host(&url), "GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
    let bare = url.trim_end_matches('/');
    let names = [
        &url,
        &format!("{url}page.js"),
        &format!("{url}function.js"),
        bare,
        &format!("{bare}x/"),
        &format!("{url}no"),
    ];
    for response in names.map(get).iter().chain([&foreign]) {
        assert_eq!(response.header("x-content-type-options"), Some("nosniff"), "{response:?}");
        assert_eq!(response.header("referrer-policy"), Some("no-referrer"), "{response:?}");
        assert_eq!(response.header("x-frame-options"), Some("deny"), "{response:?}");
        assert_eq!(response.header("cache-control"), Some("no-store"), "{response:?}");
        assert_eq!(response.header("server"), None, "{response:?}");
    }
    for name in ["page.js", "function.js"] {
        assert_eq!(
            get(&format!("{url}{name}")).header("cross-origin-resource-policy"),
            Some("same-origin"),
            "{name}"
        );
    }
    // The header must also be the same for a wrong token, so that a page cannot distinguish
    // tokens.
    assert_eq!(get(&format!("{url}x")).header("cross-origin-resource-policy"), Some("same-origin"));
}

#[test]
fn a_page_without_a_function_may_do_what_it_needs_and_no_more() {
    let run = served(&[]);
    let url = run.url();
    let page = get(&url);
    let own = format!("'self' http://{0} ws://{0}", host(&url));
    let strict = policy(&page);
    for rule in [
        "default-src 'none'",
        &format!("script-src {own}"),
        &format!("connect-src {own}"),
        &format!("worker-src {own}"),
        "style-src 'sha256-",
        "form-action 'none'",
        "base-uri 'none'",
        "object-src 'none'",
        "frame-ancestors 'none'",
    ] {
        assert!(strict.split("; ").any(|other| other.starts_with(rule)), "{rule}: {strict}");
    }
    assert!(!strict.contains("unsafe") && !strict.contains('*'), "{strict}");
    assert!(
        page.header("permissions-policy")
            .is_some_and(|policy| policy.contains("camera=(), microphone=(), geolocation=()"))
    );
}

#[test]
fn where_the_function_runs_the_network_is_open_unless_it_is_denied() {
    for (args, open) in [
        (&["--dom"][..], true),
        (&["--dom", "--deny-net"], false),
        (&[], true),
        (&["--deny-net"], false),
    ] {
        let run = served(args);
        let url = run.url();
        // With --dom the function runs in the page. Otherwise it runs in workers, for which the
        // headers of their script apply.
        let place = if args.contains(&"--dom") { url.clone() } else { format!("{url}page.js") };
        let response = get(&place);
        let rules = policy(&response);
        assert!(
            rules.contains("'unsafe-inline' 'unsafe-eval'")
                && rules.contains("frame-ancestors 'none'"),
            "{rules}"
        );
        let sources = rules.split("; ").find_map(|rule| rule.strip_prefix("default-src ")).unwrap();
        assert_eq!(sources.split(' ').any(|source| source == "*"), open, "{args:?}: {rules}");
        let own = format!("'self' http://{0} ws://{0} data: blob:", host(&url));
        assert_eq!(sources.starts_with(&own), !open, "{args:?}: {rules}");
        assert_eq!(response.header("x-dns-prefetch-control"), (!open).then_some("off"), "{args:?}");
        let peers = if args.contains(&"--dom") {
            "(response-origin)"
        } else {
            "(response-origin);webrtc=allow"
        };
        assert_eq!(response.header("connection-allowlist"), (!open).then_some(peers), "{args:?}");
        // New windows and downloads can reach other servers, so code in the page must not open
        // them.
        let sandboxed =
            rules.starts_with("sandbox allow-scripts allow-forms allow-modals allow-same-origin; ");
        assert_eq!(sandboxed, args.contains(&"--dom") && !open, "{args:?}: {rules}");
    }
}

/// A request for a file with an additional header.
fn ask(url: &str, name: &str, header: &str) -> Response {
    let path = url.split_once(host(url)).unwrap().1;
    request(
        host(url),
        &format!(
            "GET {path}{name} HTTP/1.1\r\nHost: {}\r\n{header}\r\nConnection: close\r\n\r\n",
            host(url)
        ),
    )
}

#[test]
fn an_old_chrome_whose_workers_have_their_page_s_policy_gets_a_page_with_that_of_the_function() {
    let run = served(&[]);
    let url = run.url();
    let of = |agent: &str| ask(&url, "", &format!("User-Agent: {agent}"));
    let agent = |version: &str| {
        format!(
            "Mozilla/5.0 (Linux; Android 9) AppleWebKit/537.36 Chrome/{version} Mobile Safari/537.36"
        )
    };
    for old in ["71.0.3578.99", "80.0.3987.0", "92.0.4512.0", "102.0.0.0"] {
        assert_eq!(policy(&of(&agent(old))), policy(&get(&format!("{url}function.js"))), "{old}");
    }
    for new in ["103.0.5058.0", "156.0.0.0"] {
        assert!(policy(&of(&agent(new))).starts_with("default-src 'none'; "), "{new}");
    }
}

#[test]
fn no_script_becomes_a_service_worker() {
    let run = served(&[]);
    let url = run.url();
    for name in ["", "page.js", "function.js", "x"] {
        assert_eq!(ask(&url, name, "Service-Worker: script").status, 403, "{name}");
    }
    assert_eq!(ask(&url, "function.js", "Sec-Fetch-Dest: worker").status, 200);
}

#[test]
fn a_host_s_name_brings_nothing_into_the_policy() {
    let run = served(&["--deny-net"]);
    let url = run.url();
    let path = url.split_once(host(&url)).unwrap().1;
    let ask = |name: &str| {
        request(
            host(&url),
            &format!("GET {path}page.js HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n"),
        )
    };
    for odd in ["x; script-src * 'unsafe-inline'.local", "a,b.local", "*.local"] {
        let response = ask(odd);
        assert!(
            response.status >= 400 || policy(&response).starts_with("default-src 'self' data:"),
            "{odd}: {response:?}"
        );
    }
}

#[test]
fn another_site_s_page_opens_no_socket_under_any_name() {
    let run = served(&[]);
    let url = run.url();
    for name in ["socket", "signal"] {
        for foreign in ["http://evil.example", "null", "http://127.0.0.1", "http://127.0.0.1:1"] {
            let (_, head) =
                WebSocket::upgrade_at(&format!("{url}{name}"), &format!("Origin: {foreign}\r\n"));
            assert!(head.starts_with("HTTP/1.1 403 "), "{name} {foreign}: {head}");
        }
        // DNS rebinding: the browser believes that this machine is the attacker's server.
        let path = url.split_once(host(&url)).unwrap().1;
        let rebound = format!(
            "GET {path}{name} HTTP/1.1\r\nHost: evil.example\r\nOrigin: http://evil.example\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        assert_eq!(request(host(&url), &rebound).status, 421, "{name}");
    }
}

#[test]
fn another_site_s_page_reads_nothing() {
    let run = served(&[]);
    let url = run.url();
    let path = url.split_once(host(&url)).unwrap().1;
    let status = |name: &str, origin: &str| {
        let host = host(&url);
        request(host, &format!("GET {path}{name} HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\nConnection: close\r\n\r\n"))
            .status
    };
    for name in ["", "function.js", "page.js"] {
        for foreign in ["http://evil.example", "null", "http://127.0.0.1:1"] {
            assert_eq!(status(name, foreign), 403, "{name} {foreign}");
        }
        assert_eq!(status(name, &format!("http://{}", host(&url))), 200, "{name}");
    }
}

#[test]
fn no_stranger_gets_in_by_the_token_of_a_run_that_has_another() {
    let run = PandoCommand::f("(x, cb) => cb(null, x)")
        .args(["--cores", "0", "--token", "sesame-open"])
        .stdin_open()
        .start();
    let url = run.url();
    for guess in ["sesame", "sesame-opem", "sesame-open-", "SESAME-OPEN", "%73esame-open"] {
        assert_eq!(get(&url.replace("sesame-open", guess)).status, 404, "{guess}");
        assert!(
            WebSocket::upgrade_at(&url.replace("sesame-open/", &format!("{guess}/socket")), "")
                .1
                .starts_with("HTTP/1.1 404")
        );
    }
}

/// The attempts of a page on a run of somebody else.
const INTRUDER: &str = r"
const read = (url, options) => fetch(url, options).then((answer) => answer.type, () => 'refused')
const socket = (url) => new Promise((resolve) => {
  const socket = new WebSocket(url.replace('http', 'ws'))
  socket.onopen = () => resolve('open')
  socket.onerror = socket.onclose = () => resolve('refused')
})
const element = (name, url) => new Promise((resolve) => {
  const element = document.createElement(name)
  element.onload = () => resolve('loaded')
  element.onerror = () => resolve('refused')
  element.src = url
  document.body.append(element)
})
export default async (url) => [
  await read(url),
  await read(url, { mode: 'no-cors' }),
  await read(url + 'function.js', { mode: 'no-cors' }),
  await read(new URL('/aaaaaaaaaa/', url).href, { mode: 'no-cors' }),
  await read(url + 'socket', { mode: 'no-cors', method: 'POST', body: 'x' }),
  await socket(url + 'socket'),
  await socket(url + 'signal'),
  await element('script', url + 'function.js'),
  await element('script', url + 'page.js')
].join(' ')
";

#[test]
fn another_site_s_page_in_a_real_browser_reads_opens_and_learns_nothing() {
    let victim = served(&[]);
    let run = PandoCommand::bare()
        .with_file("f.mjs", INTRUDER)
        .function("f.mjs")
        .args(["--dom"])
        .stdin(victim.url())
        .start();
    let _tab = Tab::open(&run.url(), "device=Eve;");
    run.wait().gives(["refused"; 9].join(" ") + "\n");
    victim.wait().did_not_say(&["joined", "Eve"]);
}
