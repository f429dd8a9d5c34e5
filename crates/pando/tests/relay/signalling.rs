//! Signalling between volunteers and their master.

use crate::support::{Message, RelayProcess, ScriptedMaster};
use futures_util::SinkExt;
use serde_json::{Value, json};

fn offer() -> Value {
    json!({"type": "offer", "sdp": "v=0"})
}

fn candidate(n: u32) -> Value {
    json!({"type": "candidate", "candidate": format!("candidate:{n} 1 udp 1 10.0.0.1 5000 typ host")})
}

#[tokio::test(flavor = "multi_thread")]
async fn signalling_passes_both_ways_in_order() {
    let relay = RelayProcess::start(&[]);
    let mut master = ScriptedMaster::open(&relay, "token").await;
    let (mut volunteer, _) = master.volunteer().await;
    volunteer.text(&offer()).await;
    for n in 0..20 {
        volunteer.text(&candidate(n)).await;
    }
    let first = master.hears("signal").await;
    assert_eq!(first["message"], offer());
    let peer = &first["peer"];
    for n in 0..20 {
        assert_eq!(
            master.hears("signal").await,
            json!({"type": "signal", "peer": peer, "message": candidate(n)})
        );
    }
    let answers = [
        json!({"type": "answer", "sdp": "v=0"}),
        candidate(1),
        json!({"type": "failed", "text": "why"}),
    ];
    for answer in &answers {
        master.control.text(&json!({"type": "signal", "peer": peer, "message": answer})).await;
    }
    for answer in &answers {
        assert_eq!(&volunteer.json().await, answer);
    }
    volunteer.0.close(None).await.unwrap();
    assert_eq!(master.hears("left").await, json!({"type": "left", "peer": peer}));
}

#[tokio::test(flavor = "multi_thread")]
async fn volunteers_are_told_apart_and_rooms_too() {
    let relay = RelayProcess::start(&[]);
    let (mut one, mut other) = (
        ScriptedMaster::open(&relay, "room-1").await,
        ScriptedMaster::open(&relay, "room-2").await,
    );
    let (mut first, _) = one.volunteer().await;
    let (mut second, _) = one.volunteer().await;
    let (mut third, _) = other.volunteer().await;
    first.text(&offer()).await;
    let first_peer = one.hears("signal").await["peer"].clone();
    second.text(&offer()).await;
    let second_peer = one.hears("signal").await["peer"].clone();
    third.text(&offer()).await;
    let third_peer = other.hears("signal").await["peer"].clone();
    assert!(first_peer != second_peer && third_peer != first_peer);
    // A message from a master to a volunteer of another room is ignored.
    let answer = |peer: &Value, text: &str| json!({"type": "signal", "peer": peer, "message": {"type": "answer", "sdp": text}});
    one.control.text(&answer(&third_peer, "stolen")).await;
    one.control.text(&json!({"type": "left", "peer": third_peer})).await;
    one.control.text(&answer(&second_peer, "to the second")).await;
    assert_eq!(second.json().await["sdp"], "to the second");
    other.control.text(&answer(&third_peer, "to the third")).await;
    assert_eq!(third.json().await["sdp"], "to the third");
    one.control.text(&answer(&first_peer, "to the first")).await;
    assert_eq!(first.json().await["sdp"], "to the first");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_master_ends_a_volunteer_s_signalling() {
    let relay = RelayProcess::start(&[]);
    let mut master = ScriptedMaster::open(&relay, "token").await;
    let (mut volunteer, _) = master.volunteer().await;
    volunteer.text(&offer()).await;
    let peer = master.hears("signal").await["peer"].clone();
    master.control.text(&json!({"type": "left", "peer": peer})).await;
    assert_eq!(volunteer.closed().await, Some(1000));
    let (mut next, _) = master.volunteer().await;
    next.text(&offer()).await;
    assert_ne!(master.hears("signal").await["peer"], peer, "and it does not hear of it again");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_signalling_closes_that_socket_only() {
    let relay = RelayProcess::start(&[]);
    let mut master = ScriptedMaster::open(&relay, "token").await;
    let (mut good, _) = master.volunteer().await;
    good.text(&offer()).await;
    master.hears("signal").await;
    for wrong in [
        "x",
        "{}",
        r#"{"type":"answer","sdp":""}"#,
        r#"{"type":"offer","sdp":5}"#,
        r#"{"type":"end"}"#,
        "[]",
    ] {
        let (mut volunteer, _) = master.volunteer().await;
        volunteer.send(Message::Text(wrong.into())).await;
        assert_eq!(volunteer.closed().await, Some(1008), "{wrong}");
    }
    let (mut volunteer, _) = master.volunteer().await;
    volunteer.bytes(vec![1]).await;
    assert_eq!(volunteer.closed().await, Some(1003));
    let (mut volunteer, _) = master.volunteer().await;
    volunteer.text(&json!({"type": "offer", "sdp": "x".repeat(20_000)})).await;
    assert_ne!(volunteer.closed().await, Some(1000), "too long");
    good.text(&candidate(1)).await;
    assert_eq!(
        master.hears("signal").await["message"],
        candidate(1),
        "of the others the master has heard nothing"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_volunteer_that_says_too_much_or_nothing_is_closed() {
    let relay = RelayProcess::start(&[]);
    let mut master = ScriptedMaster::open(&relay, "token").await;
    let (mut silent, _) = master.volunteer().await;
    let (mut loud, _) = master.volunteer().await;
    let reading = tokio::spawn(async move {
        let mut heard = 0;
        while master.control.json().await["type"] == "signal" {
            heard += 1;
        }
        (heard, master)
    });
    for n in 0..200 {
        let text = candidate(n).to_string().into();
        if loud.0.send(Message::Text(text)).await.is_err() {
            break;
        }
    }
    assert_eq!(loud.closed().await, Some(1008));
    let (heard, _master) = reading.await.unwrap();
    assert!((100..150).contains(&heard), "{heard}");
    assert_eq!(silent.closed().await, Some(1008));
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_rooms_are_not_found() {
    let relay = RelayProcess::start(&[]);
    for path in ["/nowhere/signal", "/nowhere/socket", "/rooms/nowhere/links/x"] {
        assert_eq!(
            crate::support::AsyncSocket::open(&relay.at(path), &[]).await.unwrap_err(),
            404,
            "{path}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_udp_public_stun_servers_are_named() {
    let relay = RelayProcess::start(&[]);
    let master = ScriptedMaster::open(&relay, "token").await;
    let list = json!([{"urls": ["stun:stun.l.google.com:19302"]}, {"urls": ["stun:stun.cloudflare.com:3478"]}]);
    assert_eq!(
        master.opened["stun"],
        json!(["stun.l.google.com:19302", "stun.cloudflare.com:3478"])
    );
    assert_eq!(master.volunteer().await.1, list);
    let relay = RelayProcess::start(&["--stun", "stun.example.org:3478"]);
    let master = ScriptedMaster::open(&relay, "token").await;
    assert_eq!(master.volunteer().await.1, json!([{"urls": ["stun:stun.example.org:3478"]}]));
}
