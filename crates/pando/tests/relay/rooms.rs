//! Rooms are opened, lost, and opened again.

use crate::support::{
    AsyncSocket, KEY, Message, OTHER_KEY, RelayProcess, SECRET, ScriptedMaster, opening,
};
use pando_testing::{get, until};
use serde_json::json;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_is_refused_after_a_delay_and_many_are_told_to_wait() {
    let relay = RelayProcess::start(&[]);
    let start = Instant::now();
    assert_eq!(ScriptedMaster::connect(&relay, "wrong").await.unwrap_err(), 401);
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert_eq!(
        AsyncSocket::open(&relay.at("/rooms"), &[]).await.unwrap_err(),
        401,
        "none is as wrong"
    );
    let tries = (0..9).map(|n| {
        let relay = &relay;
        async move { ScriptedMaster::connect(relay, &format!("wrong{n}")).await.unwrap_err() }
    });
    futures_util::future::join_all(tries).await;
    assert_eq!(ScriptedMaster::connect(&relay, "wrong").await.unwrap_err(), 429);
    relay.logs("wrong-secret");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_secrets_and_keys_of_an_address_shut_no_right_one_out() {
    let relay = RelayProcess::start(&[]);
    let mut master = ScriptedMaster::open(&relay, "token").await;
    let guesses = (0..40).map(|n| {
        let (relay, master) = (&relay, &master);
        async move {
            match n % 2 {
                0 => ScriptedMaster::connect(relay, &format!("wrong{n}")).await.unwrap_err(),
                _ => master.come("guessed", OTHER_KEY).await.unwrap_err(),
            }
        }
    });
    let answers = futures_util::future::join_all(guesses).await;
    assert_eq!(answers.iter().filter(|status| **status == 401).count(), 10, "{answers:?}");
    assert_eq!(answers.iter().filter(|status| **status == 429).count(), 30, "{answers:?}");
    let start = Instant::now();
    ScriptedMaster::open(&relay, "another").await;
    master.link().await;
    assert!(start.elapsed() < Duration::from_secs(1), "it waited: {:?}", start.elapsed());
    assert_eq!(
        ScriptedMaster::connect(&relay, "wrong").await.unwrap_err(),
        429,
        "guesses are limited all the same"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn any_of_several_secrets_opens_rooms() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "from-the-file\n\nanother-from-the-file\n").unwrap();
    let path = file.path().to_str().unwrap();
    let relay = RelayProcess::start(&[
        "--secret",
        "first,second",
        "--secret",
        "third",
        "--secrets-file",
        path,
    ]);
    for secret in ["first", "second", "third", "from-the-file", "another-from-the-file"] {
        assert!(ScriptedMaster::connect(&relay, secret).await.is_ok(), "{secret}");
    }
    assert_eq!(ScriptedMaster::connect(&relay, "first,second").await.unwrap_err(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_token_is_refused_to_another_key() {
    let relay = RelayProcess::start(&[]);
    let _master = ScriptedMaster::open(&relay, "token").await;
    let refused =
        ScriptedMaster::try_open(&relay, opening("token").key(OTHER_KEY)).await.unwrap_err();
    assert!(refused.starts_with("taken"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_mean_something_else_are_refused() {
    let relay = RelayProcess::start(&[]);
    for token in ["rooms", "healthz", "abc", "a/b/c", "tok en"] {
        let refused = ScriptedMaster::try_open(&relay, opening(token)).await.unwrap_err();
        assert!(refused.contains("token"), "{token}: {refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_that_are_too_large_are_refused() {
    let relay = RelayProcess::start(&["--max-function", "100k", "--max-memory", "150k"]);
    let of = |token: &str, length| {
        ScriptedMaster::try_open(&relay, opening(token).function(vec![b'x'; length]))
    };
    let refused = of("large", 100 * 1024 + 1).await.unwrap_err();
    assert!(refused.contains("102401 bytes") && refused.contains("--max-function"), "{refused}");
    let first = of("first", 100 * 1024).await.unwrap();
    let refused = of("second", 60 * 1024).await.unwrap_err();
    assert!(refused.contains("--max-memory"), "{refused}");
    first.end().await;
    assert!(of("second", 60 * 1024).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_uploads_before_it_listens_hears_why_it_was_refused() {
    let relay = RelayProcess::start(&["--max-function", "1M"]);
    let refused = ScriptedMaster::try_open(&relay, opening("token").function(vec![b'x'; 40 << 20]))
        .await
        .unwrap_err();
    assert!(refused.contains("--max-function"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_bytes_than_announced_are_refused() {
    let relay = RelayProcess::start(&[]);
    let mut asked = opening("token");
    asked.message["size"] = json!(5);
    let refused = ScriptedMaster::try_open(&relay, asked).await.unwrap_err();
    assert!(refused.contains("longer than the 5 bytes"), "{refused}");
    assert_eq!(relay.health()["rooms"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_only_so_many_rooms() {
    let relay = RelayProcess::start(&["--max-rooms", "2"]);
    let one = ScriptedMaster::open(&relay, "room-1").await;
    let _two = ScriptedMaster::open(&relay, "room-2").await;
    let refused = ScriptedMaster::try_open(&relay, opening("room-3")).await.unwrap_err();
    assert!(refused.contains("--max-rooms"), "{refused}");
    one.end().await;
    assert!(ScriptedMaster::try_open(&relay, opening("room-3")).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_version_is_told_in_words() {
    let relay = RelayProcess::start(&[]);
    let mut asked = opening("token");
    asked.message["version"] = json!(2);
    let refused = ScriptedMaster::try_open(&relay, asked).await.unwrap_err();
    assert!(refused.contains("version 1") && refused.contains("not 2"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_master_says_closes_the_control_socket() {
    let relay = RelayProcess::start(&[]);
    for first in ["hello", "{}", r#"{"type":"end"}"#, r#"{"type":"open"}"#] {
        let mut control = ScriptedMaster::connect(&relay, SECRET).await.unwrap();
        control.send(Message::Text(first.into())).await;
        assert_eq!(control.closed().await, Some(1008), "{first}");
    }
    for later in [
        "hello",
        "{}",
        r#"{"type":"open"}"#,
        r#"{"type":"signal","peer":1,"message":{"type":"offer","sdp":""}}"#,
    ] {
        let mut master = ScriptedMaster::open(&relay, "token").await;
        master.control.send(Message::Text(later.into())).await;
        assert_eq!(master.control.closed().await, Some(1008), "{later}");
    }
    let mut control = ScriptedMaster::connect(&relay, SECRET).await.unwrap();
    control.bytes(vec![1]).await;
    assert_eq!(control.closed().await, Some(1003));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_run_is_the_end_of_the_room() {
    let relay = RelayProcess::start(&[]);
    let master = ScriptedMaster::open(&relay, "token").await;
    let page = master.url("");
    let (mut volunteer, _) = master.volunteer().await;
    master.end().await;
    assert_eq!(volunteer.closed().await, Some(1000));
    assert_eq!(get(&page).status, 404);
    assert_eq!(relay.health()["rooms"], 0);
    assert_eq!(relay.logs("room-ended")["visits"], 1);
    assert!(
        ScriptedMaster::try_open(&relay, opening("token").key(OTHER_KEY)).await.is_ok(),
        "the token is free"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_survives_the_loss_of_its_control_socket_and_is_for_the_same_key_only() {
    let relay = RelayProcess::start(&[]);
    let mut master = ScriptedMaster::open(&relay, "token").await;
    let (mut volunteer, _) = master.volunteer().await;
    let (mut device, mut seat) = master.link().await;
    let (page, signal, socket) = (master.url(""), master.url("signal"), master.url("socket"));
    master.control.vanish();
    assert!(volunteer.closed().await.is_some(), "who signals starts again");
    relay.logs("master-lost");
    assert_eq!(get(&page).status, 200, "the page stays");
    assert_eq!(AsyncSocket::open(&signal, &[]).await.unwrap_err(), 503);
    assert_eq!(AsyncSocket::open(&socket, &[]).await.unwrap_err(), 503);
    device.text(&json!("up")).await;
    assert_eq!(seat.json().await, "up");
    let refused =
        ScriptedMaster::try_open(&relay, opening("token").key(OTHER_KEY)).await.unwrap_err();
    assert!(refused.starts_with("taken"), "{refused}");
    let mut again =
        ScriptedMaster::try_open(&relay, opening("token").function("// new")).await.unwrap();
    assert_eq!(again.opened["url"], page);
    assert_eq!(get(&again.url("function.js")).body, "// new");
    seat.text(&json!("down")).await;
    assert_eq!(device.json().await, "down", "links live through it");
    again.link().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_socket_of_the_same_master_replaces_the_older() {
    let relay = RelayProcess::start(&[]);
    let mut old = ScriptedMaster::open(&relay, "token").await;
    let (mut volunteer, _) = old.volunteer().await;
    let mut new = ScriptedMaster::open(&relay, "token").await;
    assert_eq!(old.control.closed().await, Some(1000));
    assert!(volunteer.closed().await.is_some());
    new.link().await;
    assert_eq!(relay.health()["rooms"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_whose_master_stays_away_expires() {
    let relay = RelayProcess::start(&["--keep", "1s"]);
    let master = ScriptedMaster::open(&relay, "token").await;
    let page = master.url("");
    master.control.vanish();
    relay.logs("room-expired");
    assert_eq!(get(&page).status, 404);
    assert!(ScriptedMaster::try_open(&relay, opening("token").key(OTHER_KEY)).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_master_that_is_silent_is_lost() {
    let relay = RelayProcess::start(&[]);
    let master = ScriptedMaster::open(&relay, "token").await;
    // The test does not read the socket, so the master does not answer pings.
    let lost = tokio::task::spawn_blocking(move || relay.logs("master-lost")).await.unwrap();
    assert!(lost["room"].is_string());
    drop(master);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_relay_serves_the_same_url_again() {
    let relay = RelayProcess::start(&[]);
    let port = relay.port().to_string();
    let mut master = ScriptedMaster::open(&relay, "token").await;
    let page = master.opened["url"].clone();
    drop(relay);
    assert_eq!(master.control.closed().await, None);
    let relay = RelayProcess::start(&["--port", &port]);
    assert_eq!(relay.get("/token/").status, 404, "it does not know the room yet");
    let master = ScriptedMaster::open(&relay, "token").await;
    assert_eq!(master.opened["url"], page);
    assert_eq!(relay.get("/token/").status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_breaks_off_leaves_nothing() {
    let relay = RelayProcess::start(&[]);
    let mut control = ScriptedMaster::connect(&relay, SECRET).await.unwrap();
    control.text(&opening("token").function(vec![0; 1000]).message).await;
    control.bytes(vec![0; 500]).await;
    until("the room is being opened", || (relay.health()["rooms"] == 1).then_some(()));
    assert_eq!(relay.get("/token/").status, 404);
    control.vanish();
    until("the room is gone", || (relay.health()["rooms"] == 0).then_some(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_control_socket_that_says_nothing_is_closed() {
    let relay = RelayProcess::start(&[]);
    let mut control = ScriptedMaster::connect(&relay, SECRET).await.unwrap();
    assert_eq!(control.closed().await, Some(1008));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_json_and_names_no_token_key_or_secret() {
    let relay = RelayProcess::start(&[]);
    let mut master = ScriptedMaster::open(&relay, "k7d2m9qx4t").await;
    let id = relay.logs("room-opened")["room"].as_str().unwrap().to_owned();
    master.volunteer().await;
    master.link().await;
    ScriptedMaster::connect(&relay, "a-wrong-secret").await.unwrap_err();
    ScriptedMaster::try_open(&relay, opening("k7d2m9qx4t").key(OTHER_KEY)).await.unwrap_err();
    master.end().await;
    let ended = relay.logs("room-ended");
    assert_eq!(ended["room"], id.as_str());
    for line in relay.log() {
        assert!(["time", "level", "event"].iter().all(|name| line[name].is_string()), "{line}");
    }
    for secret in ["k7d2m9qx4t", KEY, OTHER_KEY, SECRET, "a-wrong-secret"] {
        assert!(!relay.run.stderr().contains(secret), "{secret}");
    }
}
