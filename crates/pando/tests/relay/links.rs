//! Links whose bytes pass through the relay.

use crate::support::{AsyncSocket, Message, OTHER_KEY, RelayProcess, ScriptedMaster};
use futures_util::{SinkExt, StreamExt};
use pando_testing::until;
use serde_json::json;
use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, frame::coding::CloseCode};

#[tokio::test(flavor = "multi_thread")]
async fn text_and_bytes_of_all_lengths_pass_both_ways_in_order() {
    let relay = RelayProcess::start(&[]);
    let mut master = ScriptedMaster::open(&relay, "token").await;
    let (mut from, mut to) = master.link().await;
    let lengths = [0, 1, 125, 126, 127, 1000, 65_535, 65_536, 100_000, 1 << 20];
    let messages = lengths.map(|length: usize| {
        let bytes: Vec<u8> = (0..length).map(|n| (n * 31 + length) as u8).collect();
        [Message::Binary(bytes.into()), Message::Text("ä".repeat(length / 2).into())]
    });
    let messages = messages.concat();
    for _ in 0..2 {
        let sent = messages.clone();
        let sending = tokio::spawn(async move {
            for message in sent {
                from.send(message).await;
            }
            from
        });
        for message in &messages {
            assert!(to.next().await.as_ref() == Some(message), "{} bytes", message.len());
        }
        (from, to) = (to, sending.await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pings_pass_and_are_answered_at_the_other_end() {
    let relay = RelayProcess::start(&[]);
    let mut master = ScriptedMaster::open(&relay, "token").await;
    let (mut device, mut seat) = master.link().await;
    device.send(Message::Ping(b"here?"[..].into())).await;
    device.text(&json!("after")).await;
    assert_eq!(seat.json().await, "after");
    seat.0.flush().await.unwrap();
    assert_eq!(device.0.next().await.unwrap().unwrap(), Message::Pong(b"here?"[..].into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_close_passes_with_its_code_and_reason() {
    let relay = RelayProcess::start(&[]);
    let mut master = ScriptedMaster::open(&relay, "token").await;
    for from_device in [true, false] {
        let (device, seat) = master.link().await;
        let (mut from, mut to) = if from_device { (device, seat) } else { (seat, device) };
        from.text(&json!("last words")).await;
        let frame = CloseFrame { code: CloseCode::Library(4001), reason: "done".into() };
        from.send(Message::Close(Some(frame.clone()))).await;
        assert_eq!(to.json().await, "last words");
        assert_eq!(to.next().await, Some(Message::Close(Some(frame))));
        assert_eq!(to.next().await, None);
        assert_eq!(from.closed().await, Some(4001), "the answer comes back");
        assert_eq!(from.next().await, None);
    }
    until("both links are over", || (relay.health()["links"] == 0).then_some(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn when_one_side_vanishes_the_other_is_closed() {
    let relay = RelayProcess::start(&[]);
    let mut master = ScriptedMaster::open(&relay, "token").await;
    for device_vanishes in [true, false] {
        let (device, seat) = master.link().await;
        let (vanishing, mut left) = if device_vanishes { (device, seat) } else { (seat, device) };
        vanishing.vanish();
        assert_eq!(left.closed().await, Some(1001));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn last_words_arrive_although_the_device_is_still_sending() {
    let relay = RelayProcess::start(&[]);
    let mut master = ScriptedMaster::open(&relay, "token").await;
    for _ in 0..20 {
        let (device, mut seat) = master.link().await;
        let (mut sink, stream) = device.0.split();
        let sending = tokio::spawn(async move {
            while sink.send(Message::Binary(vec![1; 10_000].into())).await.is_ok() {}
        });
        seat.next().await;
        seat.text(&json!("bye")).await;
        seat.send(Message::Close(None)).await;
        seat.vanish();
        let heard: Vec<Message> = stream
            .take_while(|message| std::future::ready(message.is_ok()))
            .map(Result::unwrap)
            .collect()
            .await;
        assert_eq!(heard.first(), Some(&Message::Text("\"bye\"".into())));
        sending.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_for_the_room_s_master() {
    let relay = RelayProcess::start(&[]);
    let mut master = ScriptedMaster::open(&relay, "room-1").await;
    let stranger =
        ScriptedMaster::try_open(&relay, crate::support::opening("room-2").key(OTHER_KEY))
            .await
            .unwrap();
    let mut volunteer = AsyncSocket::open(&master.url("socket"), &[]).await.unwrap();
    let link = master.hears("link").await["id"].as_str().unwrap().to_owned();
    assert_eq!(stranger.come(&link, OTHER_KEY).await.unwrap_err(), 404);
    assert_eq!(master.come(&link, OTHER_KEY).await.unwrap_err(), 401);
    assert_eq!(master.come("another", crate::support::KEY).await.unwrap_err(), 404);
    let mut seat = master.come(&link, crate::support::KEY).await.unwrap();
    assert_eq!(master.come(&link, crate::support::KEY).await.unwrap_err(), 404, "only once");
    seat.text(&json!(1)).await;
    assert_eq!(volunteer.json().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_volunteer_whose_master_does_not_come_is_turned_away() {
    let relay = RelayProcess::start(&[]);
    let mut master = ScriptedMaster::open(&relay, "token").await;
    let mut volunteer = AsyncSocket::open(&master.url("socket"), &[]).await.unwrap();
    let link = master.hears("link").await["id"].as_str().unwrap().to_owned();
    assert_eq!(volunteer.closed().await, Some(1013));
    assert_eq!(master.come(&link, crate::support::KEY).await.unwrap_err(), 404);
    assert_eq!(relay.health()["links"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_that_break_the_protocol_close_the_link() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let relay = RelayProcess::start(&[]);
    let mut master = ScriptedMaster::open(&relay, "token").await;
    for (bytes, code) in
        [(&b"\x81\x01a"[..], 1002_u16), (&[0x82, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0], 1009)]
    {
        let (device, mut seat) = master.link().await;
        let mut raw = device.0.into_inner();
        raw.write_all(bytes).await.unwrap();
        let mut answer = [0; 4];
        raw.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer, [0x88, 2, code.to_be_bytes()[0], code.to_be_bytes()[1]]);
        assert_eq!(seat.closed().await, Some(1001));
    }
}

/// The resident memory of a process, in bytes.
fn memory(pid: u32) -> usize {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_ascii_whitespace().nth(1).unwrap().parse::<usize>().unwrap() << 10
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_read_holds_the_sender_back_and_costs_no_memory() {
    const MESSAGES: usize = 2000;
    let relay = RelayProcess::start(&["--room-rate", "1G"]);
    let mut master = ScriptedMaster::open(&relay, "token").await;
    let (device, mut seat) = master.link().await;
    let before = memory(relay.run.pid());
    let sent = Arc::new(AtomicUsize::new(0));
    let counting = sent.clone();
    let sending = tokio::spawn(async move {
        let (mut sink, _stream) = device.0.split();
        for n in 0..MESSAGES {
            sink.send(Message::Binary(vec![n as u8; 64 << 10].into())).await.unwrap();
            counting.store(n + 1, Ordering::SeqCst);
        }
        _stream
    });
    let mut last = (0, Instant::now());
    until("the sender is held back", || {
        let now = sent.load(Ordering::SeqCst);
        if now != last.0 {
            last = (now, Instant::now());
        }
        (now > 0 && last.1.elapsed() > Duration::from_secs(2)).then_some(())
    });
    let held = last.0;
    assert!(held < MESSAGES / 2, "{held} messages were taken although nobody reads");
    let grown = memory(relay.run.pid()).saturating_sub(before);
    assert!(grown < 8 << 20, "the relay holds {grown} bytes");
    for n in 0..MESSAGES {
        let Some(Message::Binary(bytes)) = seat.next().await else { panic!("message {n} is lost") };
        assert!(bytes.len() == 64 << 10 && bytes[0] == n as u8, "message {n}");
    }
    drop(sending.await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_in_one_room_does_not_stop_another() {
    let relay = RelayProcess::start(&["--room-rate", "1M"]);
    let (mut loud, mut quiet) = (
        ScriptedMaster::open(&relay, "room-1").await,
        ScriptedMaster::open(&relay, "room-2").await,
    );
    let (mut device, mut seat) = loud.link().await;
    let flood = tokio::spawn(async move {
        // At one megabyte per second this takes longer than any test.
        for _ in 0..10_000 {
            device.bytes(vec![0; 64 << 10]).await;
        }
    });
    let drain = tokio::spawn(async move { while seat.next().await.is_some() {} });
    let (mut device, mut seat) = quiet.link().await;
    for n in 0..500 {
        device.text(&json!(n)).await;
        assert_eq!(seat.json().await, n);
        seat.text(&json!(n)).await;
        assert_eq!(device.json().await, n);
    }
    assert!(!flood.is_finished());
    flood.abort();
    drain.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn many_links_at_once_keep_their_bytes_apart() {
    let relay = RelayProcess::start(&[]);
    let mut master = ScriptedMaster::open(&relay, "token").await;
    let mut echoes = Vec::new();
    for id in 0..40_u32 {
        let (mut device, mut seat) = master.link().await;
        echoes.push(tokio::spawn(async move {
            while let Some(message @ Message::Binary(_)) = seat.next().await {
                seat.send(message).await
            }
        }));
        echoes.push(tokio::spawn(async move {
            for n in 0..50_u32 {
                let bytes: Vec<u8> =
                    [id, n].map(u32::to_le_bytes).concat().repeat((n * n) as usize + 1);
                device.bytes(bytes.clone()).await;
                assert!(
                    device.next().await == Some(Message::Binary(bytes.into())),
                    "link {id}, message {n}"
                );
            }
            device.0.close(None).await.unwrap();
            device.closed().await;
        }));
    }
    for echo in echoes {
        echo.await.unwrap();
    }
    // The relay ends a link once both of its sides are closed.
    until("all links have ended", || (relay.health()["links"] == 0).then_some(()));
}
