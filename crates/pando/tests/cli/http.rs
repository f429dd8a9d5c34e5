//! Answers of the HTTP server for different clients.

use pando_testing::{PandoCommand, RunningProgram, WebSocket, get, request, visit, with_packages};

fn served() -> RunningProgram {
    PandoCommand::f("(x, cb) => cb(null, 'the function: ' + x)")
        .args(["--cores", "0"])
        .stdin_open()
        .start()
}

/// `host:port` and the token of a URL.
fn place(url: &str) -> (&str, &str) {
    let mut parts = url.split('/').skip(2);
    (parts.next().unwrap(), parts.next().unwrap())
}

#[test]
fn the_page_and_its_parts_lie_under_the_token_with_their_charset() {
    let run = served();
    let url = run.url();
    let page = get(&url);
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(
        page.body.contains("<!doctype html>") || page.body.contains("<!DOCTYPE html>"),
        "{}",
        page.body
    );
    for (name, content) in [
        ("function.js", "the function: "),
        ("page.js", ""),
        ("texts-en.js", "Computing"),
        ("texts-ar.js", "rtl"),
    ] {
        let script = get(&format!("{url}{name}"));
        assert_eq!(
            (script.status, script.header("content-type")),
            (200, Some("text/javascript; charset=utf-8")),
            "{name}"
        );
        assert!(script.body.contains(content) && script.body.len() > 20, "{name}");
    }
}

#[test]
fn all_that_the_page_names_is_there() {
    let run = served();
    let url = run.url();
    let page = get(&url).body;
    for attribute in ["src=\"", "href=\""] {
        for named in page.split(attribute).skip(1).map(|rest| rest.split('"').next().unwrap()) {
            if !named.starts_with("http") && !named.starts_with("data:") && !named.starts_with('#')
            {
                assert_eq!(get(&format!("{url}{named}")).status, 200, "{named}");
            }
        }
    }
}

#[test]
fn the_page_has_the_words_of_the_run_or_the_name_of_the_function_s_file() {
    let served = |command: PandoCommand| {
        let run = command.args(["--cores", "0"]).stdin_open().start();
        get(&run.url()).body
    };
    let words = ["--title", " <b>Dawn</b> over Zürich ", "--from", "Ann & Bob"];
    let page = served(PandoCommand::f("x => x").args(words));
    assert!(
        page.contains(r#""title":"\u003cb>Dawn\u003c/b> over Zürich","from":"Ann & Bob""#),
        "{page}"
    );
    let page =
        served(PandoCommand::f("x => x").env("PANDO_TITLE", "Dusk").env("PANDO_FROM", "Bob"));
    assert!(page.contains(r#""title":"Dusk","from":"Bob""#), "{page}");
    let page = served(PandoCommand::path(with_packages("page.js")));
    assert!(page.contains(r#""title":"page.js","version""#), "{page}");
}

#[test]
fn words_that_a_page_cannot_show_are_refused() {
    for option in ["--title", "--from"] {
        let refused = |text: &str, why: &str| {
            PandoCommand::f("x => x")
                .args([option, text, "1"])
                .run()
                .ends(2, "")
                .said(&[option, why]);
        };
        refused("a\nb", "without control characters");
        refused("\u{1b}[31mred", "without control characters");
        refused(&"é".repeat(201), "201 characters are too many");
        refused("  ", "give some words");
    }
}

#[test]
fn the_page_is_small() {
    let run = served();
    let url = run.url();
    let length: usize =
        ["", "page.js"].iter().map(|name| get(&format!("{url}{name}")).body.len()).sum();
    // At most 20 KB with gzip, which makes the files at most four times smaller.
    assert!(length < 80_000, "{length} bytes");
}

#[test]
fn a_wrong_token_or_none_is_not_found() {
    let run = served();
    let url = run.url();
    let (host, token) = place(&url);
    let upper = token.to_uppercase();
    for path in [
        "",
        "function.js",
        "socket",
        "wrong/",
        "wrong/function.js",
        &upper,
        &format!("{token}x/"),
        &format!("{}/", &token[1..]),
        &format!("wrong/{token}/"),
    ] {
        assert_eq!(get(&format!("http://{host}/{path}")).status, 404, "{path:?}");
    }
}

#[test]
fn people_at_an_address_where_nothing_is_are_told_so_in_the_same_words_everywhere() {
    let run = served();
    let url = run.url();
    let (host, _) = place(&url);
    let late = visit(&format!("http://{host}/k7d2m9qx4t/"));
    assert_eq!((late.status, late.header("content-type")), (404, Some("text/html; charset=utf-8")));
    assert!(
        late.body.contains("This link is not in use any more")
            && late.body.contains("for a new one"),
        "{late:?}"
    );
    assert!(late.body.len() < 1000 && !late.body.contains("<script"), "{late:?}");
    assert!(
        late.header("content-security-policy")
            .is_some_and(|policy| policy.starts_with("default-src 'none';")),
        "{late:?}"
    );
    for (name, value) in [
        ("cache-control", "no-store"),
        ("x-frame-options", "deny"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(late.header(name), Some(value), "{late:?}");
    }
    let same = |other: &str| {
        let other = visit(other);
        let head = |head: &str| {
            head.lines()
                .filter(|line| !line.starts_with("date: "))
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        (other.status, head(&other.head), other.body)
            == (late.status, head(&late.head), late.body.clone())
    };
    for path in ["", "index.html", "wrong", "wrong/page.js"] {
        assert!(same(&format!("http://{host}/{path}")), "{path}");
    }
    assert!(same(&format!("{url}nothing")), "below the token, too");
    // Answers for programs stay short.
    assert_eq!(get(&format!("http://{host}/k7d2m9qx4t/")).body, "");
    assert!(visit(&url).body.contains("page.js"));
}

#[test]
fn unknown_names_under_the_token_are_not_found() {
    let run = served();
    let url = run.url();
    for name in ["nothing", "../function.js", "node.js", "texts-xx.js", "%2e%2e/", "function.js/"] {
        assert_eq!(get(&format!("{url}{name}")).status, 404, "{name}");
    }
}

#[test]
fn the_token_without_slash_redirects_to_the_page() {
    let run = served();
    let url = run.url();
    let response = get(url.trim_end_matches('/'));
    assert!([301, 302, 307, 308].contains(&response.status), "{response:?}");
    let (_, token) = place(&url);
    assert_eq!(response.header("location"), Some(format!("/{token}/").as_str()));
}

#[test]
fn a_foreign_host_is_refused_and_this_machine_s_names_are_not() {
    let run = PandoCommand::f("(x, cb) => cb(null, x)")
        .args(["--cores", "0", "--allow-host", "pando.example.org"])
        .stdin_open()
        .start();
    let url = run.url();
    let (host, token) = place(&url);
    let status = |name: &str| {
        request(
            host,
            &format!("GET /{token}/ HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n"),
        )
        .status
    };
    for foreign in [
        "evil.example",
        "evil.example:5000",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "",
    ] {
        assert!((400..500).contains(&status(foreign)), "{foreign}");
    }
    for own in [
        "localhost:1",
        "127.0.0.1",
        "192.168.1.7:5000",
        "[::1]:5000",
        "phone.local",
        "pando.example.org",
        "PANDO.example.org:80",
    ] {
        assert_eq!(status(own), 200, "{own}");
    }
}

#[test]
fn a_request_without_a_host_is_refused() {
    let run = served();
    let url = run.url();
    let (host, token) = place(&url);
    let response = request(host, &format!("GET /{token}/ HTTP/1.0\r\n\r\n"));
    assert!((400..500).contains(&response.status), "{response:?}");
}

#[test]
fn a_foreign_origin_cannot_open_the_socket() {
    let run = served();
    let url = run.url();
    let (host, _) = place(&url);
    for foreign in ["http://evil.example", "null", "https://127.0.0.1.evil.example"] {
        let (_, head) = WebSocket::upgrade(&url, &format!("Origin: {foreign}\r\n"));
        assert!(head.starts_with("HTTP/1.1 403 "), "{foreign}: {head}");
    }
    let (_, head) = WebSocket::upgrade(&url, &format!("Origin: http://{host}\r\n"));
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
}

#[test]
fn other_methods_are_refused() {
    let run = served();
    let url = run.url();
    let (host, token) = place(&url);
    for method in ["POST", "PUT", "DELETE"] {
        let response = request(
            host,
            &format!(
                "{method} /{token}/ HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            ),
        );
        assert!((400..500).contains(&response.status), "{method}: {response:?}");
    }
    let head = request(
        host,
        &format!("HEAD /{token}/ HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"),
    );
    assert_eq!((head.status, head.body.as_str()), (200, ""));
}

#[test]
fn guessing_tokens_is_slowed_down_and_the_right_one_works_all_the_same() {
    let run = served();
    let url = run.url();
    let (host, _) = place(&url);
    let statuses: Vec<u16> =
        (0..80).map(|n| get(&format!("http://{host}/guess{n}/")).status).collect();
    assert_eq!(statuses[0], 404);
    assert_eq!(statuses[79], 429);
    assert_eq!(get(&url).status, 200);
}
