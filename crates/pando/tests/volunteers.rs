//! What volunteers may do to a run that no browser does on purpose: hand-written ones.

mod common;

use common::{Events, Pando, Received, WebSocket, numbers, until};
use pando::protocol::{Answer, Binary, Failure, Form, encode_results};
use serde_json::json;
use std::thread;

/// A run that computes nothing itself, of values `1` to `count`.
fn idle(count: u64) -> Pando {
    Pando::f("(x, cb) => cb(null, x)").args(["--cores", "0"]).stdin(numbers(count))
}

/// The next values that come, by id.
fn values(socket: &mut WebSocket) -> Vec<(u64, bytes::Bytes)> {
    loop {
        match socket.receive() {
            Received::Binary(frame) => match Binary::decode(frame.into()).expect("well formed") {
                Binary::Values(values) => return values.into_iter().map(|(id, value)| (id, value.bytes)).collect(),
                other => panic!("values are expected: {other:?}"),
            },
            Received::Text(_) => {}
            Received::Closed => panic!("closed"),
        }
    }
}

fn answer(socket: &mut WebSocket, id: u64, text: &str) {
    let result = Ok((Form::Text, bytes::Bytes::from(text.to_owned())));
    socket.binary(&encode_results([&Answer { id, micros: 1, result }]));
}

/// Answers values with themselves until the job is done.
fn echo(socket: &mut WebSocket) {
    loop {
        match socket.receive() {
            Received::Text(text) if text.contains("\"ping\"") => socket.text(&text.replace("ping", "pong")),
            Received::Binary(frame) => {
                if let Binary::Values(values) = Binary::decode(frame.into()).expect("well formed") {
                    for (id, value) in values {
                        answer(socket, id, std::str::from_utf8(&value.bytes).expect("text"));
                    }
                }
            }
            Received::Text(text) if text.contains("\"bye\"") => return assert!(text.contains("\"done\""), "{text}"),
            Received::Text(_) => {}
            Received::Closed => panic!("closed without a goodbye"),
        }
    }
}

#[test]
fn results_that_are_late_doubled_or_forged_change_nothing() {
    let run = idle(4).start();
    let url = run.url();
    let (mut liar, mut honest) = (WebSocket::open(&url), WebSocket::open(&url));
    liar.hello(&url, "liar", 1);
    let held: Vec<u64> = values(&mut liar).iter().map(|(id, _)| *id).collect();
    assert_eq!(held, [0, 1]);
    honest.hello(&url, "honest", 1);
    let others: Vec<u64> = values(&mut honest).iter().map(|(id, _)| *id).collect();
    assert_eq!(others, [2, 3]);
    for forged in [2, 3, 4, 1 << 40] {
        answer(&mut liar, forged, "forged");
    }
    answer(&mut liar, 0, "1");
    answer(&mut liar, 0, "doubled");
    liar.text(&json!({"type": "returned", "ids": [1, 2, 99]}).to_string());
    answer(&mut liar, 1, "late");
    // It is asked for again: that one came back.
    assert_eq!(values(&mut liar), [(1, "2".into())]);
    answer(&mut liar, 1, "2");
    answer(&mut honest, 3, "4");
    answer(&mut honest, 2, "3");
    echo(&mut honest);
    run.wait().gives(numbers(4));
}

#[test]
fn a_device_that_comes_back_takes_up_what_nobody_else_has() {
    let run = idle(4).start();
    let url = run.url();
    let mut first = WebSocket::open(&url);
    let welcome = first.hello(&url, "phone", 2);
    assert_eq!(values(&mut first).len(), 4);
    drop(first);
    run.says("phone is gone; its 4 values go to other devices");
    let mut other = WebSocket::open(&url);
    other.hello(&url, "other", 1);
    assert_eq!(values(&mut other).iter().map(|(id, _)| *id).collect::<Vec<_>>(), [0, 1]);
    let mut again = WebSocket::open(&url);
    let kept = again.introduce(&url, "phone", json!({"cores": 2, "job": welcome["job"], "holds": [0, 2, 3, 77]}));
    assert_eq!(kept["keep"], json!([2, 3]));
    answer(&mut again, 2, "3");
    answer(&mut again, 3, "4");
    answer(&mut other, 0, "1");
    answer(&mut other, 1, "2");
    run.wait().gives(numbers(4));
}

#[test]
fn what_a_slow_device_has_not_started_goes_to_an_idle_one() {
    let run = idle(8).args(["--batch-size", "6"]).start();
    let url = run.url();
    let (mut slow, mut fast) = (WebSocket::open(&url), WebSocket::open(&url));
    slow.hello(&url, "slow", 1);
    assert_eq!(values(&mut slow).len(), 6);
    fast.hello(&url, "fast", 1);
    for (id, value) in values(&mut fast) {
        answer(&mut fast, id, std::str::from_utf8(&value).expect("text"));
    }
    slow.text(&json!({"type": "started", "items": [{"id": 0, "ms": 3000}]}).to_string());
    let asked: Vec<u64> = serde_json::from_value(slow.message("recall")["ids"].clone()).expect("ids");
    assert!(!asked.is_empty() && asked.iter().all(|id| (1..6).contains(id)), "{asked:?}");
    // One of them has been started in the meantime.
    slow.text(&json!({"type": "returned", "ids": asked[1..]}).to_string());
    assert_eq!(values(&mut fast).iter().map(|(id, _)| *id).collect::<Vec<_>>(), asked[1..]);
    asked[1..].iter().for_each(|id| answer(&mut fast, *id, &(id + 1).to_string()));
    (0..6).filter(|id| !asked[1..].contains(id)).for_each(|id| answer(&mut slow, id, &(id + 1).to_string()));
    echo(&mut fast);
    run.wait().gives(numbers(8));
}

#[test]
fn the_oldest_value_is_lent_a_second_time_to_an_idle_device_and_the_first_result_counts() {
    let run = idle(6).args(["--speculate", "--batch-size", "1", "--window", "2"]).start();
    let url = run.url();
    let (mut slow, mut fast) = (WebSocket::open(&url), WebSocket::open(&url));
    slow.hello(&url, "slow", 1);
    assert_eq!(values(&mut slow), [(0, "1".into())]);
    fast.hello(&url, "fast", 1);
    assert_eq!(values(&mut fast), [(1, "2".into())]);
    answer(&mut fast, 1, "2");
    slow.text(&json!({"type": "started", "items": [{"id": 0, "ms": 3000}]}).to_string());
    assert_eq!(values(&mut fast), [(0, "1".into())], "the window is full because of it");
    answer(&mut fast, 0, "1");
    assert_eq!(values(&mut fast), [(2, "3".into())]);
    answer(&mut slow, 0, "too late");
    assert_eq!(values(&mut slow), [(3, "4".into())], "it goes on");
    // Now who had it first is faster.
    answer(&mut fast, 2, "3");
    assert_eq!(values(&mut fast), [(4, "5".into())]);
    answer(&mut fast, 4, "5");
    slow.text(&json!({"type": "started", "items": [{"id": 3, "ms": 3000}]}).to_string());
    assert_eq!(values(&mut fast), [(3, "4".into())]);
    answer(&mut slow, 3, "4");
    assert_eq!(values(&mut slow), [(5, "6".into())]);
    answer(&mut fast, 3, "too late");
    answer(&mut slow, 5, "6");
    run.wait().gives(numbers(6));
}

#[test]
fn a_copy_that_fails_blames_nobody_and_one_whose_first_holder_leaves_is_not_sent_again() {
    let run = idle(2).args(["--speculate", "--batch-size", "1", "--retries", "0"]).start();
    let url = run.url();
    let (mut slow, mut fast) = (WebSocket::open(&url), WebSocket::open(&url));
    slow.hello(&url, "slow", 1);
    assert_eq!(values(&mut slow), [(0, "1".into())]);
    fast.hello(&url, "fast", 1);
    assert_eq!(values(&mut fast), [(1, "2".into())]);
    answer(&mut fast, 1, "2");
    slow.text(&json!({"type": "started", "items": [{"id": 0, "ms": 3000}]}).to_string());
    assert_eq!(values(&mut fast), [(0, "1".into())]);
    let failure = Failure { message: "no".into(), stack: None, kind: "throw".into() };
    fast.binary(&encode_results([&Answer { id: 0, micros: 1, result: Err(failure) }]));
    let mut third = WebSocket::open(&url);
    third.hello(&url, "third", 1);
    drop(slow);
    run.says("slow is gone; its value goes to another device");
    // Either of the two has it now; a copy that failed is no attempt.
    drop(fast);
    assert_eq!(values(&mut third), [(0, "1".into())]);
    answer(&mut third, 0, "1");
    echo(&mut third);
    run.wait().gives(numbers(2));
}

#[test]
fn an_item_that_five_devices_vanish_over_is_lent_alone() {
    let run = idle(6).start();
    let url = run.url();
    for number in 0..5 {
        let mut victim = WebSocket::open(&url);
        victim.hello(&url, &format!("victim {number}"), 1);
        assert_eq!(values(&mut victim)[0].0, 0);
        drop(victim);
        run.says(&format!("victim {number} is gone"));
    }
    run.says("item 1 was being computed on 5 devices that all vanished: it is lent alone now");
    let mut last = WebSocket::open(&url);
    last.hello(&url, "last", 4);
    assert_eq!(values(&mut last), [(0, "1".into())]);
    answer(&mut last, 0, "1");
    echo(&mut last);
    run.wait().gives(numbers(6));
}

#[test]
fn a_device_whose_link_breaks_again_and_again_vanishes_over_nothing() {
    let run = idle(1).start();
    let url = run.url();
    let mut phone = WebSocket::open(&url);
    let welcome = phone.hello(&url, "phone", 1);
    values(&mut phone);
    for _ in 0..8 {
        drop(phone);
        run.says("phone is gone; its value goes to another device");
        phone = WebSocket::open(&url);
        let kept = phone.introduce(&url, "phone", json!({"job": welcome["job"], "holds": [0]}));
        assert_eq!(kept["keep"], json!([0]));
    }
    answer(&mut phone, 0, "1");
    echo(&mut phone);
    run.wait().gives(numbers(1)).did_not_say(&["vanished", "lent alone"]);
}

#[test]
fn nobody_takes_the_place_of_this_machine_s_own_cores() {
    let mut run = Pando::f("(x, cb) => cb(null, x)").args(["--cores", "1"]).stdin_open().start();
    let url = run.url();
    run.write_line("1");
    assert_eq!(run.line().as_deref(), Some("1"));
    let mut stranger = WebSocket::open(&url);
    stranger.hello(&url, "local", 0);
    drop(stranger);
    run.says("local is gone");
    run.write_line("2");
    assert_eq!(run.line().as_deref(), Some("2"));
    run.wait().gives("1\n2\n");
}

/// A device says that it computes beyond the time limit, and does something else besides: others get its value.
fn is_not_believed(and: fn(&mut WebSocket)) {
    let run = idle(1).args(["--timeout", "200ms", "--heartbeat", "300ms"]).start();
    let url = run.url();
    let mut zombie = WebSocket::open(&url);
    zombie.hello(&url, "zombie", 1);
    values(&mut zombie);
    zombie.text(&json!({"type": "started", "items": [{"id": 0, "ms": 150}]}).to_string());
    let pings = thread::spawn(move || answer_pings_and(zombie, and));
    run.says("zombie neither computes nor gives back what it has: its link is closed; its value goes to another device");
    pings.join().expect("it was closed");
    let mut other = WebSocket::open(&url);
    other.hello(&url, "other", 1);
    echo(&mut other);
    run.wait().gives(numbers(1));
}

#[test]
fn a_device_that_says_it_computes_beyond_the_time_limit_is_not_believed() {
    is_not_believed(|_| {});
}

#[test]
fn a_device_s_name_looks_like_no_word_of_the_master() {
    let run = idle(1).start();
    let url = run.url();
    let mut sly = WebSocket::open(&url);
    sly.hello(&url, "Serving volunteer code at http://evil.example/abc/", 1);
    run.says("Serving volunteer code at http evil.example/abc/ joined with 1 core");
    let mut slier = WebSocket::open(&url);
    slier.hello(&url, "Error", 1);
    run.says("A device joined with 1 core");
    drop(slier);
    for (name, seen) in [("err\u{200d}or", "A device"), ("error\u{200b}", "error\\u{200b}"), ("\u{feff}", "\\u{feff}")] {
        let mut hidden = WebSocket::open(&url);
        hidden.introduce(&url, name, json!({"kind": "native"}));
        run.says(&format!("{seen} joined with 1 core"));
    }
    echo(&mut sly);
    run.wait().gives(numbers(1)).did_not_say(&["evil.example/abc/\n", "http://evil"]);
}

#[test]
fn an_item_that_devices_vanish_over_although_it_is_alone_fails() {
    let run = idle(3).args(["--retries", "1", "--on-error", "skip"]).start();
    let url = run.url();
    for number in 0..7 {
        let mut victim = WebSocket::open(&url);
        victim.hello(&url, &format!("victim {number}"), 1);
        assert_eq!(values(&mut victim)[0].0, 0);
        drop(victim);
        run.says(&format!("victim {number} is gone"));
    }
    let mut last = WebSocket::open(&url);
    last.hello(&url, "last", 1);
    echo(&mut last);
    run.wait().ends(1, "2\n3\n").said(&[
        "item 1 failed on victim 5: it vanished while it was computing this item and no other (attempt 1 of 2",
        "item 1 failed on victim 6: it vanished",
    ]);
}

/// Answers pings and does nothing else, until its link is closed.
fn answer_pings(socket: WebSocket) {
    answer_pings_and(socket, |_| {});
}

/// The same, and something else each time.
fn answer_pings_and(mut socket: WebSocket, and: impl Fn(&mut WebSocket)) {
    loop {
        match socket.receive() {
            Received::Text(text) if text.contains("\"ping\"") => {
                socket.text(&text.replace("ping", "pong"));
                and(&mut socket);
            }
            Received::Closed => return,
            _ => {}
        }
    }
}

#[test]
fn a_device_that_answers_pings_and_nothing_else_is_told_and_loses_what_it_has() {
    let run = idle(8).args(["--heartbeat", "300ms", "--batch-size", "2"]).start();
    let url = run.url();
    let mut zombie = WebSocket::open(&url);
    zombie.hello(&url, "zombie", 1);
    assert_eq!(values(&mut zombie).len(), 2);
    let pings = thread::spawn(|| answer_pings(zombie));
    let said = run.says("zombie answers pings, but has neither begun nor answered any of its 2 items, item 1 first");
    assert!(said.contains("load its page again"), "{said}");
    let mut other = WebSocket::open(&url);
    other.hello(&url, "other", 1);
    let other = thread::spawn(move || echo(&mut other));
    run.says("zombie neither computes nor gives back what it has: its link is closed; its 2 values go to other devices");
    pings.join().expect("it was closed");
    run.wait().gives(numbers(8));
    other.join().expect("it was told of the end");
}

#[test]
fn frames_that_answer_nothing_are_no_sign_of_work() {
    let run = idle(4).args(["--heartbeat", "300ms", "--batch-size", "2"]).start();
    let url = run.url();
    let mut zombie = WebSocket::open(&url);
    zombie.hello(&url, "zombie", 1);
    values(&mut zombie);
    let pings = thread::spawn(|| {
        answer_pings_and(zombie, |zombie| {
            answer(zombie, 99, "forged");
            zombie.binary(&encode_results([]));
        })
    });
    let mut other = WebSocket::open(&url);
    other.hello(&url, "other", 1);
    let other = thread::spawn(move || echo(&mut other));
    run.says("zombie answers pings, but has neither begun nor answered any of its 2 items, item 1 first");
    run.says("zombie neither computes nor gives back what it has: its link is closed");
    pings.join().expect("it was closed");
    run.wait().gives(numbers(4));
    other.join().expect("it was told of the end");
}

/// The part of a result that is a gigabyte long.
fn part(bytes: usize) -> Vec<u8> {
    let mut frame = vec![3, 0x80, 0x80, 0x80, 0x80, 4];
    frame.resize(frame.len() + bytes, 2);
    frame
}

#[test]
fn a_result_that_does_not_get_on_is_waited_for_no_longer_than_a_call() {
    is_not_believed(|zombie| zombie.binary(&part(1)));
}

#[test]
fn parts_of_a_result_that_nobody_waits_for_take_no_room_from_others() {
    let events = Events::new();
    let run = idle(2).args(["--batch-size", "1"]).events(&events).start();
    let url = run.url();
    let [mut first, mut second, mut mallory] = [0; 3].map(|_| WebSocket::open(&url));
    first.hello(&url, "first", 1);
    let held = values(&mut first)[0].0;
    second.hello(&url, "second", 1);
    let later = values(&mut second)[0].0;
    mallory.hello(&url, "mallory", 0);
    // More than all results may take.
    (0..4600).for_each(|_| mallory.binary(&part(60_000)));
    mallory.text(&json!({"type": "ping", "t": 7}).to_string());
    mallory.message("pong");
    answer(&mut second, later, "2");
    events.wait("result", |event| event["device"] == "second");
    answer(&mut first, held, "1");
    echo(&mut first);
    run.wait().gives(numbers(2));
}

#[test]
fn a_frame_of_more_answers_than_there_can_be_is_refused_before_it_is_understood() {
    let run = idle(1).start();
    let url = run.url();
    let mut mallory = WebSocket::open(&url);
    mallory.hello(&url, "mallory", 1);
    values(&mut mallory);
    let many = [&[2][..], &[9, 0, 0, 0].repeat((1 << 16) + 1)].concat();
    for part in many.chunks(60_000) {
        let mut total = many.len();
        let mut frame = vec![3];
        while total >= 0x80 {
            frame.push(total as u8 | 0x80);
            total >>= 7;
        }
        frame.push(total as u8);
        mallory.binary(&[&frame[..], part].concat());
    }
    run.says("mallory was sent away: malformed frame: too many entries");
    let mut other = WebSocket::open(&url);
    other.hello(&url, "other", 1);
    echo(&mut other);
    run.wait().gives(numbers(1));
}

#[test]
fn numbers_that_cannot_be_harm_nobody() {
    let run = idle(4000).args(["--batch-size", "3000"]).start();
    let url = run.url();
    let (mut slow, mut fast) = (WebSocket::open(&url), WebSocket::open(&url));
    slow.hello(&url, "slow", 1);
    values(&mut slow);
    fast.hello(&url, "fast", 1);
    let fast = thread::spawn(move || echo(&mut fast));
    let started = json!({"type": "started", "items": [{"id": 0, "ms": u64::MAX}], "loading": u64::MAX});
    slow.text(&started.to_string());
    slow.binary(&encode_results([&Answer { id: 1, micros: (1 << 53) - 1, result: Ok((Form::Text, "2".into())) }]));
    slow.message("recall");
    drop(slow);
    fast.join().expect("it was told of the end");
    run.wait().gives(numbers(4000));
}

#[test]
fn an_id_that_is_too_long_is_refused() {
    let run = idle(1).start();
    let url = run.url();
    let mut stranger = WebSocket::open(&url);
    let token = url.trim_end_matches('/').rsplit('/').next().expect("a token");
    let hello =
        json!({"type": "hello", "version": 1, "token": token, "device": "x".repeat(101), "name": "x", "cores": 1, "holds": []});
    stranger.text(&hello.to_string());
    assert!(stranger.message("bye")["text"].as_str().expect("why").contains("its id is too long"));
    let mut other = WebSocket::open(&url);
    other.hello(&url, &"y".repeat(100), 1);
    echo(&mut other);
    run.wait().gives(numbers(1));
}

#[test]
fn what_is_no_json_is_no_result_where_json_was_promised() {
    let run = idle(1).args(["--json"]).start();
    let url = run.url();
    let mut liar = WebSocket::open(&url);
    liar.hello(&url, "liar", 1);
    for forged in [&b"this is {not json"[..], b"\"\xff\"", b"1 2"] {
        values(&mut liar);
        let result = Ok((Form::Bytes, bytes::Bytes::from_static(forged)));
        liar.binary(&encode_results([&Answer { id: 0, micros: 1, result }]));
    }
    run.wait().ends(1, "").said(&[
        "item 1 failed on liar: its result is not JSON: answer a value rather than bytes (attempt 1 of 3",
        "attempts: 3",
    ]);
}

#[test]
fn what_one_device_failed_does_not_wait_for_ever_for_another_that_is_busy() {
    let run = idle(2).args(["--batch-size", "1", "--heartbeat", "20s"]).start();
    let url = run.url();
    let (mut busy, mut free) = (WebSocket::open(&url), WebSocket::open(&url));
    busy.hello(&url, "busy", 1);
    assert_eq!(values(&mut busy), [(0, "1".into())]);
    free.hello(&url, "free", 1);
    assert_eq!(values(&mut free), [(1, "2".into())]);
    let failure = Failure { message: "no".into(), stack: None, kind: "throw".into() };
    free.binary(&encode_results([&Answer { id: 1, micros: 1, result: Err(failure) }]));
    run.says("item 2 failed on free");
    assert_eq!(values(&mut free), [(1, "2".into())], "nobody else comes for it");
    answer(&mut free, 1, "2");
    answer(&mut busy, 0, "1");
    run.wait().gives(numbers(2));
}

#[test]
fn a_device_that_joins_again_replaces_its_old_connection() {
    let run = idle(2).start();
    let url = run.url();
    let (mut old, mut new) = (WebSocket::open(&url), WebSocket::open(&url));
    old.hello(&url, "phone", 1);
    values(&mut old);
    new.hello(&url, "phone", 1);
    assert_eq!(old.message("bye")["reason"], "replaced");
    echo(&mut new);
    run.wait().gives(numbers(2)).did_not_say(&["phone 2"]);
}

#[test]
fn a_paused_device_gets_no_more_until_it_goes_on() {
    let mut run = Pando::f("(x, cb) => cb(null, x)").args(["--cores", "0", "--events", "events.jsonl"]).stdin_open().start();
    let url = run.url();
    let mut device = WebSocket::open(&url);
    device.hello(&url, "phone", 1);
    run.write_line("1");
    let (id, _) = values(&mut device)[0];
    device.text(&json!({"type": "update", "cores": 0}).to_string());
    device.text(&json!({"type": "returned", "ids": [id]}).to_string());
    device.text(&json!({"type": "update", "name": "my phone"}).to_string());
    run.says("phone is now called my phone");
    device.text(&json!({"type": "update", "cores": 1}).to_string());
    assert_eq!(values(&mut device)[0].0, id);
    answer(&mut device, id, "1");
    run.close_stdin();
    echo(&mut device);
    let events = run.folder().join("events.jsonl");
    until("the end is told", || std::fs::read_to_string(&events).ok().filter(|text| text.contains("\"left\"")));
    run.wait().gives("1\n");
}

#[test]
fn a_value_that_failed_does_not_wait_for_devices_that_lend_no_core() {
    let run = idle(1).start();
    let url = run.url();
    let [mut idle, mut paused, mut phone] = [0; 3].map(|_| WebSocket::open(&url));
    idle.hello(&url, "idle", 0);
    phone.hello(&url, "phone", 1);
    values(&mut phone);
    paused.hello(&url, "paused", 1);
    let failed = Failure { message: "not yet".into(), stack: None, kind: "error".into() };
    let failed = encode_results([&Answer { id: 0, micros: 1, result: Err(failed) }]);
    phone.binary(&failed);
    assert_eq!(values(&mut paused)[0].0, 0, "it goes to who has not failed it");
    paused.text(&json!({"type": "update", "cores": 0}).to_string());
    paused.binary(&failed);
    assert_eq!(values(&mut phone)[0].0, 0, "nobody else lends a core");
    answer(&mut phone, 0, "1");
    echo(&mut phone);
    run.wait().gives(numbers(1));
}
