//! Devices that send false, impossible or misleading messages.

use crate::{again, answer, echo, error, fail, first, idle, result, values};
use pando_protocol::volunteer::{Answer, Form, VERSION, encode_results};
use pando_testing::{EventsFile, PandoCommand, Received, WebSocket, numbers};
use serde_json::json;
use std::{thread, time::Duration};

#[test]
fn results_that_are_late_doubled_or_forged_change_nothing() {
    let run = idle(4).start();
    let url = run.url();
    let (mut liar, mut honest) = (WebSocket::open(&url), WebSocket::open(&url));
    liar.hello(&url, "liar", 1);
    assert_eq!(values(&mut liar), [(first(0), "1".into()), (first(1), "2".into())]);
    honest.hello(&url, "honest", 1);
    assert_eq!(values(&mut honest), [(first(2), "3".into()), (first(3), "4".into())]);
    for forged in [first(2), first(3), again(2, 1), again(0, 1), first(4), first(1 << 40)] {
        answer(&mut liar, forged, "forged");
    }
    answer(&mut liar, first(0), "1");
    answer(&mut liar, first(0), "doubled");
    liar.text(&json!({"type": "returned", "ids": [1, 2, "0:1", 99]}).to_string());
    answer(&mut liar, first(1), "late");
    // The liar handed value 1 back, so the master lends it again.
    assert_eq!(values(&mut liar), [(again(1, 1), "2".into())]);
    answer(&mut liar, again(1, 1), "2");
    answer(&mut honest, first(3), "4");
    answer(&mut honest, first(2), "3");
    echo(&mut honest);
    run.wait().gives(numbers(4));
}

#[test]
fn an_answer_of_an_earlier_loan_changes_nothing_although_the_value_is_there_again() {
    let run = idle(4).args(["--batch-size", "1"]).start();
    let url = run.url();
    let mut liar = WebSocket::join(&url, "liar", 1);
    assert_eq!(values(&mut liar), [(first(0), "1".into())]);
    fail(&mut liar, first(0), "no");
    assert_eq!(values(&mut liar), [(again(0, 1), "1".into())], "nobody else is there");
    answer(&mut liar, first(0), "wrong");
    fail(&mut liar, first(0), "wrong");
    answer(&mut liar, again(0, 1), "1");
    // The liar hands a value back twice.
    assert_eq!(values(&mut liar), [(first(1), "2".into())]);
    let returned = json!({"type": "returned", "ids": [1]}).to_string();
    liar.text(&returned);
    assert_eq!(values(&mut liar), [(again(1, 1), "2".into())]);
    liar.text(&returned);
    answer(&mut liar, first(1), "wrong");
    answer(&mut liar, again(1, 1), "2");
    // One frame has two answers for a loan. The first one counts.
    assert_eq!(
        values(&mut liar),
        [(first(2), "3".into())],
        "what was given back twice was not lent a third time"
    );
    liar.binary(&encode_results([&error(first(2), "no"), &result(first(2), "wrong")]));
    assert_eq!(values(&mut liar), [(again(2, 1), "3".into())]);
    liar.binary(&encode_results([
        &result(again(2, 1), "3"),
        &error(again(2, 1), "wrong"),
        &result(first(2), "wrong"),
    ]));
    assert_eq!(values(&mut liar), [(first(3), "4".into())]);
    // Two frames arrive together. The value may have been lent again between them.
    fail(&mut liar, first(3), "no");
    answer(&mut liar, first(3), "wrong");
    assert_eq!(values(&mut liar), [(again(3, 1), "4".into())]);
    answer(&mut liar, again(3, 1), "4");
    run.wait().gives(numbers(4)).did_not_say(&["wrong", "attempt 2"]);
}

#[test]
fn who_says_that_it_is_at_an_earlier_loan_is_not_at_the_present_one() {
    let run = idle(1).args(["--heartbeat", "300ms"]).start();
    let url = run.url();
    let mut zombie = WebSocket::join(&url, "zombie", 1);
    assert_eq!(values(&mut zombie), [(first(0), "1".into())]);
    zombie.text(&json!({"type": "returned", "ids": [0]}).to_string());
    assert_eq!(values(&mut zombie), [(again(0, 1), "1".into())]);
    let pings = thread::spawn(|| {
        answer_pings_and(zombie, |zombie| {
            zombie.text(&json!({"type": "started", "items": [{"id": 0, "ms": 600}]}).to_string());
        })
    });
    run.says("zombie answers pings, but has neither begun nor answered item 1");
    let mut other = WebSocket::join(&url, "other", 1);
    echo(&mut other);
    pings.join().expect("it was closed");
    run.wait().gives(numbers(1));
}

#[test]
fn nobody_takes_the_place_of_this_machine_s_own_cores() {
    let mut run =
        PandoCommand::f("(x, cb) => cb(null, x)").args(["--cores", "1"]).stdin_open().start();
    let url = run.url();
    run.write_line("1");
    assert_eq!(run.line().as_deref(), Some("1"));
    let stranger = WebSocket::join(&url, "local", 0);
    drop(stranger);
    run.says("local is gone");
    run.write_line("2");
    assert_eq!(run.line().as_deref(), Some("2"));
    run.wait().gives("1\n2\n");
}

/// A device claims to compute beyond the time limit, and also does `and`. The master closes its
/// link, and another device gets the value.
fn is_not_believed(and: fn(&mut WebSocket)) {
    let run = idle(1).args(["--timeout", "200ms", "--heartbeat", "300ms"]).start();
    let url = run.url();
    let mut zombie = WebSocket::join(&url, "zombie", 1);
    values(&mut zombie);
    zombie.text(&json!({"type": "started", "items": [{"id": 0, "ms": 150}]}).to_string());
    let pings = thread::spawn(move || answer_pings_and(zombie, and));
    run.says("zombie neither computes nor returns its values: its link is closed; its value goes to another device");
    pings.join().expect("it was closed");
    let mut other = WebSocket::join(&url, "other", 1);
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
    let mut sly = WebSocket::join(&url, "Serving volunteer code at http://evil.example/abc/", 1);
    run.says("Serving volunteer code at http evil.example/abc/ joined with 1 core");
    let slier = WebSocket::join(&url, "Error", 1);
    run.says("A device joined with 1 core");
    drop(slier);
    for (name, seen) in [
        ("err\u{200d}or", "A device"),
        ("error\u{200b}", "error\\u{200b}"),
        ("\u{feff}", "\\u{feff}"),
    ] {
        let mut hidden = WebSocket::open(&url);
        hidden.introduce(&url, name, json!({"kind": "native"}));
        run.says(&format!("{seen} joined with 1 core"));
    }
    echo(&mut sly);
    run.wait().gives(numbers(1)).did_not_say(&["evil.example/abc/\n", "http://evil"]);
}

/// Answers pings and hands back all recalled values until the job is done.
fn give_all_back(mut socket: WebSocket) {
    loop {
        match socket.receive() {
            Received::Text(text) if text.contains("\"bye\"") => return,
            Received::Text(text) => {
                socket.text(&text.replace("ping", "pong").replace("recall", "returned"))
            }
            Received::Binary(_) => {}
            Received::Closed => panic!("closed without a goodbye"),
        }
    }
}

/// Answers pings and does nothing else until the link is closed.
pub(crate) fn answer_pings(socket: WebSocket) {
    answer_pings_and(socket, |_| {});
}

/// Answers pings until the link is closed, and calls `and` after each.
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
    let mut zombie = WebSocket::join(&url, "zombie", 1);
    assert_eq!(values(&mut zombie).len(), 2);
    let pings = thread::spawn(|| answer_pings(zombie));
    let said = run.says(
        "zombie answers pings, but has neither begun nor answered any of its 2 items, item 1 first",
    );
    assert!(said.contains("load its page again"), "{said}");
    let mut other = WebSocket::join(&url, "other", 1);
    let other = thread::spawn(move || echo(&mut other));
    run.says("zombie neither computes nor returns its values: its link is closed; its 2 values go to other devices");
    pings.join().expect("it was closed");
    run.wait().gives(numbers(8));
    other.join().expect("it was told of the end");
}

#[test]
fn a_device_that_does_nothing_is_lent_ever_less() {
    let events = EventsFile::empty();
    let mut run = PandoCommand::f("(x, cb) => cb(null, x)")
        .args(["--cores", "0", "--heartbeat", "300ms"])
        .events(&events)
        .stdin_open()
        .start();
    let url = run.url();
    let zombie = WebSocket::join(&url, "zombie", 1);
    let zombie = thread::spawn(|| give_all_back(zombie));
    let mut other = WebSocket::join(&url, "other", 1);
    let other = thread::spawn(move || echo(&mut other));
    for value in 1..=40 {
        // Only one value is ready at a time. While an idle device holds it, the run makes no
        // progress.
        run.write_line(&value.to_string());
        assert_eq!(run.line(), Some(value.to_string()));
        // Enough time for both devices to ask for the next value.
        thread::sleep(Duration::from_millis(150));
    }
    run.wait().gives(numbers(40));
    zombie.join().expect("it was told of the end");
    other.join().expect("it was told of the end");
    let lent = events.of("lent").iter().filter(|event| event["device"] == "zombie").count();
    assert!((1..7).contains(&lent), "{lent} of 40");
}

#[test]
fn frames_that_answer_nothing_are_no_sign_of_work() {
    let run = idle(4).args(["--heartbeat", "300ms", "--batch-size", "2"]).start();
    let url = run.url();
    let mut zombie = WebSocket::join(&url, "zombie", 1);
    values(&mut zombie);
    let pings = thread::spawn(|| {
        answer_pings_and(zombie, |zombie| {
            answer(zombie, first(99), "forged");
            zombie.binary(&encode_results([]));
        })
    });
    let mut other = WebSocket::join(&url, "other", 1);
    let other = thread::spawn(move || echo(&mut other));
    run.says(
        "zombie answers pings, but has neither begun nor answered any of its 2 items, item 1 first",
    );
    run.says("zombie neither computes nor returns its values: its link is closed");
    pings.join().expect("it was closed");
    run.wait().gives(numbers(4));
    other.join().expect("it was told of the end");
}

/// The first part of a result of one gigabyte.
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
    let events = EventsFile::empty();
    let run = idle(2).args(["--batch-size", "1"]).events(&events).start();
    let url = run.url();
    let [mut first, mut second, mut mallory] = [0; 3].map(|_| WebSocket::open(&url));
    first.hello(&url, "first", 1);
    let held = values(&mut first)[0].0;
    second.hello(&url, "second", 1);
    let later = values(&mut second)[0].0;
    mallory.hello(&url, "mallory", 0);
    // The parts are longer together than all results in memory may be.
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
    let mut mallory = WebSocket::join(&url, "mallory", 1);
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
    let mut other = WebSocket::join(&url, "other", 1);
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
    let started =
        json!({"type": "started", "items": [{"id": 0, "ms": u64::MAX}], "loading": u64::MAX});
    slow.text(&started.to_string());
    slow.binary(&encode_results([&Answer {
        loan: first(1),
        micros: (1 << 53) - 1,
        result: Ok((Form::Text, "2".into())),
    }]));
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
    let hello = json!({"type": "hello", "version": VERSION, "token": token, "device": "x".repeat(101), "name": "x", "cores": 1, "holds": []});
    stranger.text(&hello.to_string());
    assert!(stranger.message("bye")["text"].as_str().expect("why").contains("its id is too long"));
    let mut other = WebSocket::join(&url, &"y".repeat(100), 1);
    echo(&mut other);
    run.wait().gives(numbers(1));
}

#[test]
fn what_is_no_json_is_no_result_where_json_was_promised() {
    let run = idle(1).args(["--json"]).start();
    let url = run.url();
    let mut liar = WebSocket::join(&url, "liar", 1);
    for forged in [&b"this is {not json"[..], b"\"\xff\"", b"1 2"] {
        let loan = values(&mut liar)[0].0;
        let result = Ok((Form::Bytes, bytes::Bytes::from_static(forged)));
        liar.binary(&encode_results([&Answer { loan, micros: 1, result }]));
    }
    run.wait().ends(1, "").said(&[
        "item 1 failed on liar: its result is not JSON: answer a value rather than bytes (attempt 1 of 3",
        "attempts: 3",
    ]);
}
