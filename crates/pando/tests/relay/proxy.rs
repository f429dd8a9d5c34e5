//! The relay behind a proxy, and without one.

use crate::support::{AsyncSocket, RelayProcess, SECRET, ScriptedMaster, opening};
use pando_testing::request;

const FORWARDED: [(&str, &str); 3] = [
    ("x-forwarded-proto", "https"),
    ("x-forwarded-host", "relay.example.org"),
    ("x-forwarded-for", "6.6.6.6, 8.8.8.8"),
];

async fn opened(relay: &RelayProcess) -> serde_json::Value {
    let secret = format!("Bearer {SECRET}");
    let headers = [&[("authorization", secret.as_str())][..], &FORWARDED].concat();
    let mut control = AsyncSocket::open(&relay.at("/rooms"), &headers).await.unwrap();
    ScriptedMaster::ask(&mut control, &opening("token")).await;
    control.json().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_proxy_says_counts_only_behind_one() {
    let relay = RelayProcess::start(&[]);
    assert_eq!(opened(&relay).await["url"], relay.at("/token/"));
    assert_eq!(relay.logs("room-opened")["address"], "127.0.0.1");
    let relay = RelayProcess::start(&["--behind-proxy"]);
    assert_eq!(opened(&relay).await["url"], "https://relay.example.org/token/");
    assert_eq!(relay.logs("room-opened")["address"], "8.8.8.8");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_given_url_is_what_masters_are_told() {
    let (relay, udp) = RelayProcess::with_udp(&["--url", "https://pando.example.org/below/"]);
    let opened = opened(&relay).await;
    assert_eq!(opened["url"], "https://pando.example.org/below/token/");
    assert_eq!(opened["stun"], serde_json::json!([format!("pando.example.org:{udp}")]));
}

#[test]
fn behind_a_proxy_each_client_has_its_own_share() {
    let relay = RelayProcess::start(&["--behind-proxy"]);
    let miss = |client: &str| {
        request(
            &relay.host,
            &format!("GET /wrong/ HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {client}\r\nConnection: close\r\n\r\n"),
        )
        .status
    };
    let statuses: Vec<u16> = (0..80).map(|_| miss("1.1.1.1")).collect();
    assert_eq!((statuses[0], statuses[79]), (404, 429));
    assert_eq!(miss("2.2.2.2"), 404);
    assert_eq!(miss("2.2.2.2, 1.1.1.1"), 429, "only the proxy's own word counts");
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_proxy_sockets_are_counted_by_client() {
    let relay = RelayProcess::start(&["--behind-proxy", "--max-connections-per-address", "2"]);
    let master = ScriptedMaster::open(&relay, "token").await;
    let open = |client: &'static str| {
        let url = master.url("signal");
        async move { AsyncSocket::open(&url, &[("x-forwarded-for", client)]).await }
    };
    let _held = (open("1.1.1.1").await.unwrap(), open("1.1.1.1").await.unwrap());
    assert_eq!(open("1.1.1.1").await.unwrap_err(), 429);
    assert!(open("2.2.2.2").await.is_ok());
}
