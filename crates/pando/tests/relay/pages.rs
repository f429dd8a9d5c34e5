//! The files of a room.

use crate::support::{FUNCTION, RelayProcess, ScriptedMaster, opening};
use pando_testing::{get, request, visit};

const SANDBOX: &str = "sandbox allow-scripts allow-forms allow-modals allow-popups allow-downloads; \
    default-src * data: blob: ws: wss: 'unsafe-inline' 'unsafe-eval'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

#[tokio::test(flavor = "multi_thread")]
async fn the_page_and_its_parts_are_served_in_a_sandbox() {
    let relay = RelayProcess::start(&[]);
    let master = ScriptedMaster::open(&relay, "k7d2m9qx4t").await;
    assert_eq!(master.opened["url"], relay.at("/k7d2m9qx4t/"));
    let page = get(&master.url(""));
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(
        page.body.contains(r#""relay":true"#) && page.body.contains(r#""function":"hash""#),
        "{}",
        page.body
    );
    for name in ["", "page.js", "texts-fr.js", "function.js"] {
        let file = get(&master.url(name));
        assert_eq!(file.status, 200, "{name}");
        assert_eq!(file.header("content-security-policy"), Some(SANDBOX), "{name}");
        assert_eq!(file.header("access-control-allow-origin"), Some("*"), "{name}");
        assert_eq!(file.header("x-content-type-options"), Some("nosniff"), "{name}");
        assert_eq!(file.header("referrer-policy"), Some("no-referrer"), "{name}");
        assert_eq!(file.header("x-frame-options"), Some("deny"), "{name}");
        assert!(
            file.header("permissions-policy").is_some_and(|policy| policy.contains("camera=()")),
            "{name}"
        );
        assert_eq!(file.header("cache-control"), Some("no-store"), "{name}");
        assert_eq!(
            file.header("content-length"),
            Some(file.body.len().to_string().as_str()),
            "{name}"
        );
        if name.ends_with(".js") {
            assert_eq!(
                file.header("content-type"),
                Some("text/javascript; charset=utf-8"),
                "{name}"
            );
        }
    }
    assert_eq!(get(&master.url("function.js")).body.as_bytes(), FUNCTION);
    for name in ["nothing", "node.js", "texts-xx.js", "index.html", "../function.js", "page.js/"] {
        assert_eq!(get(&master.url(name)).status, 404, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_denies_the_network_lets_its_page_reach_the_relay_alone() {
    let relay = RelayProcess::start(&[]);
    let mut opening = opening("token");
    opening.message["denyNet"] = true.into();
    let master = ScriptedMaster::try_open(&relay, opening).await.unwrap();
    assert_eq!(master.opened["denyNet"], true);
    let page = get(&master.url(""));
    let policy = page.header("content-security-policy").unwrap();
    let host = &relay.host;
    assert!(
        policy.contains(&format!("default-src 'self' http://{host} ws://{host} data: blob: ")),
        "{policy}"
    );
    assert!(policy.starts_with("sandbox "), "{policy}");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_the_page_names_is_there() {
    let relay = RelayProcess::start(&[]);
    let master = ScriptedMaster::open(&relay, "token").await;
    let page = get(&master.url("")).body;
    for attribute in ["src=\"", "href=\""] {
        for named in page.split(attribute).skip(1).map(|rest| rest.split('"').next().unwrap()) {
            if !["http", "data:", "#"].iter().any(|other| named.starts_with(other)) {
                assert_eq!(get(&master.url(named)).status, 200, "{named}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_function_comes_whole() {
    let relay = RelayProcess::start(&[]);
    let function: Vec<u8> = (0..1_000_000_u32).map(|n| b'a' + (n % 23) as u8).collect();
    let master = ScriptedMaster::try_open(&relay, opening("token").function(function.clone()))
        .await
        .unwrap();
    assert!(get(&master.url("function.js")).body.as_bytes() == function);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_without_slash_redirects_to_the_page() {
    let relay = RelayProcess::start(&[]);
    let _master = ScriptedMaster::open(&relay, "token").await;
    let response = relay.get("/token");
    assert_eq!((response.status, response.header("location")), (308, Some("token/")));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_get_and_head_are_answered() {
    let relay = RelayProcess::start(&[]);
    let _master = ScriptedMaster::open(&relay, "token").await;
    let ask = |method: &str| {
        request(
            &relay.host,
            &format!(
                "{method} /token/ HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            ),
        )
    };
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        assert_eq!(ask(method).status, 405, "{method}");
    }
    let head = ask("HEAD");
    assert_eq!((head.status, head.body.as_str()), (200, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_script_of_a_room_becomes_a_service_worker() {
    let relay = RelayProcess::start(&[]);
    let _master = ScriptedMaster::open(&relay, "token").await;
    let ask = |name: &str, header: &str| {
        request(
            &relay.host,
            &format!(
                "GET /token/{name} HTTP/1.1\r\nHost: a\r\n{header}\r\nConnection: close\r\n\r\n"
            ),
        )
    };
    for name in ["", "page.js", "function.js", "x"] {
        assert_eq!(ask(name, "Service-Worker: script").status, 403, "{name}");
    }
    assert_eq!(ask("function.js", "Sec-Fetch-Dest: worker").status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hash_cannot_bring_markup_into_the_page() {
    let relay = RelayProcess::start(&[]);
    let mut evil = opening("token");
    evil.message["function"] = "</script><script>alert(1)".into();
    assert!(ScriptedMaster::try_open(&relay, evil).await.unwrap_err().contains("hash"));
    assert_eq!(relay.get("/token/").status, 404);
}

#[test]
fn what_is_not_there_is_not_found_and_guessing_is_slowed_down() {
    let relay = RelayProcess::start(&[]);
    for path in [
        "/",
        "/nothing",
        "/nothing/",
        "/nothing/page.js",
        "/favicon.ico",
        "/rooms/a",
        "/healthz/",
        "//",
        "/a/b/c",
    ] {
        assert_eq!(relay.get(path).status, 404, "{path}");
    }
    let statuses: Vec<u16> = (0..80).map(|n| relay.get(&format!("/guess{n}/")).status).collect();
    assert_eq!(statuses[79], 429);
    assert_eq!(relay.get("/healthz").status, 200, "what is there is answered all the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn people_who_come_too_late_are_told_so_as_if_nothing_had_been_there() {
    let relay = RelayProcess::start(&[]);
    let master = ScriptedMaster::open(&relay, "k7d2m9qx4t").await;
    let url = master.url("");
    assert_eq!(visit(&url).status, 200);
    master.end().await;
    let (late, never) = (visit(&url), visit(&relay.at("/aaaaaaaaaa/")));
    for page in [&late, &never] {
        assert_eq!(
            (page.status, page.header("content-type")),
            (404, Some("text/html; charset=utf-8"))
        );
        assert!(
            page.header("content-security-policy")
                .is_some_and(|policy| policy.starts_with("default-src 'none';")),
            "{page:?}"
        );
    }
    assert!(late.body.contains("This link is not in use any more"), "{late:?}");
    assert_eq!(late.body, never.body);
    let short = get(&url);
    assert_eq!(
        (short.body.as_str(), short.header("access-control-allow-origin")),
        ("", Some("*")),
        "a room's page sees that it is gone"
    );
}
