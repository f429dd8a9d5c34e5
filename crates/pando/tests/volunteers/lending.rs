//! The choice of the device for each value: slow devices, copies, and devices that vanish, pause
//! and come back.

use crate::{again, answer, echo, fail, first, idle, values};
use pando_protocol::volunteer::Loan;
use pando_testing::{PandoCommand, WebSocket, numbers, until};
use serde_json::json;
use std::thread;

fn firsts(indexes: impl IntoIterator<Item = u64>) -> Vec<Loan> {
    indexes.into_iter().map(first).collect()
}

fn loans(socket: &mut WebSocket) -> Vec<Loan> {
    values(socket).into_iter().map(|(loan, _)| loan).collect()
}

#[test]
fn a_device_that_comes_back_takes_up_what_nobody_else_has() {
    let run = idle(4).start();
    let url = run.url();
    let mut phone = WebSocket::open(&url);
    let welcome = phone.hello(&url, "phone", 2);
    assert_eq!(values(&mut phone).len(), 4);
    drop(phone);
    run.says("phone is gone; its 4 values go to other devices");
    let mut other = WebSocket::join(&url, "other", 1);
    assert_eq!(loans(&mut other), [again(0, 1), again(1, 1)]);
    let mut back = WebSocket::open(&url);
    let kept = back.introduce(
        &url,
        "phone",
        json!({"cores": 2, "job": welcome["job"], "holds": [0, 2, 3, 77]}),
    );
    assert_eq!(kept["keep"], json!([2, 3]));
    answer(&mut back, first(2), "3");
    answer(&mut back, first(3), "4");
    answer(&mut other, again(0, 1), "1");
    answer(&mut other, again(1, 1), "2");
    run.wait().gives(numbers(4));
}

#[test]
fn a_device_that_comes_back_answers_under_the_loan_that_it_knows_whatever_was_said_of_others_meanwhile()
 {
    let run = idle(1).start();
    let url = run.url();
    let mut phone = WebSocket::open(&url);
    let welcome = phone.hello(&url, "phone", 1);
    assert_eq!(values(&mut phone), [(first(0), "1".into())]);
    drop(phone);
    run.says("phone is gone; its value goes to another device");
    let mut other = WebSocket::join(&url, "other", 1);
    assert_eq!(values(&mut other), [(again(0, 1), "1".into())]);
    other.text(&json!({"type": "update", "cores": 0}).to_string());
    other.text(&json!({"type": "returned", "ids": ["0:1"]}).to_string());
    other.text(&json!({"type": "ping", "t": "heard"}).to_string());
    while other.message("pong")["t"] != "heard" {}
    let back = |holds: serde_json::Value| {
        let mut phone = WebSocket::open(&url);
        let kept =
            phone.introduce(&url, "phone", json!({"job": welcome["job"], "holds": holds}))["keep"]
                .clone();
        (phone, kept)
    };
    // No loan with this number exists.
    let (mut phone, kept) = back(json!(["0:2"]));
    assert_eq!(kept, json!([]));
    assert_eq!(values(&mut phone), [(again(0, 2), "1".into())]);
    // Of several loans of an item, the last one is kept.
    let (replaced, kept) = back(json!([0, "0:2"]));
    assert_eq!(kept, json!(["0:2"]));
    let (mut phone, kept) = back(json!([0]));
    assert_eq!(kept, json!([0]));
    drop(replaced);
    answer(&mut other, again(0, 1), "wrong");
    answer(&mut phone, again(0, 2), "wrong");
    answer(&mut phone, again(0, 3), "wrong");
    answer(&mut phone, first(0), "1");
    run.wait().gives(numbers(1));
}

#[test]
fn what_a_slow_device_has_not_started_goes_to_an_idle_one() {
    let run = idle(8).args(["--batch-size", "6", "--verbose"]).start();
    let url = run.url();
    let (mut slow, mut fast) = (WebSocket::open(&url), WebSocket::open(&url));
    slow.hello(&url, "slow", 1);
    assert_eq!(values(&mut slow).len(), 6);
    fast.hello(&url, "fast", 1);
    for (loan, value) in values(&mut fast) {
        answer(&mut fast, loan, std::str::from_utf8(&value).expect("text"));
    }
    slow.text(&json!({"type": "started", "items": [{"id": 0, "ms": 3000}]}).to_string());
    let asked: Vec<u64> =
        serde_json::from_value(slow.message("recall")["ids"].clone()).expect("ids");
    assert!(!asked.is_empty() && asked.iter().all(|id| (1..6).contains(id)), "{asked:?}");
    // The device has begun the first of the recalled values in the meantime.
    slow.text(&json!({"type": "returned", "ids": asked[1..]}).to_string());
    run.says(&format!("slow is asked to give back {} values: fast has nothing to do", asked.len()));
    run.says(&format!("slow gives back {} value", asked.len() - 1));
    assert_eq!(loans(&mut fast), asked[1..].iter().map(|id| again(*id, 1)).collect::<Vec<_>>());
    asked[1..].iter().for_each(|id| answer(&mut fast, again(*id, 1), &(id + 1).to_string()));
    (0..6)
        .filter(|id| !asked[1..].contains(id))
        .for_each(|id| answer(&mut slow, first(id), &(id + 1).to_string()));
    echo(&mut fast);
    run.wait().gives(numbers(8));
}

/// Two devices: one has computed the first value for three seconds, the other has answered the
/// second value.
fn slow_and_fast(url: &str) -> (WebSocket, WebSocket) {
    let mut slow = WebSocket::join(url, "slow", 1);
    assert_eq!(values(&mut slow), [(first(0), "1".into())]);
    let mut fast = WebSocket::join(url, "fast", 1);
    assert_eq!(values(&mut fast), [(first(1), "2".into())]);
    answer(&mut fast, first(1), "2");
    slow.text(&json!({"type": "started", "items": [{"id": 0, "ms": 3000}]}).to_string());
    (slow, fast)
}

#[test]
fn the_oldest_value_is_lent_a_second_time_to_an_idle_device_and_the_first_result_counts() {
    let args = ["--speculate", "--batch-size", "1", "--window", "2", "--verbose"];
    let run = idle(6).args(args).start();
    let url = run.url();
    let (mut slow, mut fast) = slow_and_fast(&url);
    assert_eq!(values(&mut fast), [(again(0, 1), "1".into())], "the window is full because of it");
    run.says("fast computes item 1 as well (--speculate): another device takes long");
    answer(&mut slow, again(0, 1), "of the copy");
    answer(&mut fast, first(0), "of the other");
    answer(&mut fast, again(0, 1), "1");
    assert_eq!(values(&mut fast), [(first(2), "3".into())]);
    answer(&mut slow, first(0), "too late");
    assert_eq!(values(&mut slow), [(first(3), "4".into())], "it goes on");
    // Now the first holder is faster than the copy.
    answer(&mut fast, first(2), "3");
    assert_eq!(values(&mut fast), [(first(4), "5".into())]);
    answer(&mut fast, first(4), "5");
    slow.text(&json!({"type": "started", "items": [{"id": 3, "ms": 3000}]}).to_string());
    assert_eq!(values(&mut fast), [(again(3, 1), "4".into())]);
    answer(&mut slow, first(3), "4");
    assert_eq!(values(&mut slow), [(first(5), "6".into())]);
    answer(&mut fast, again(3, 1), "too late");
    answer(&mut slow, first(5), "6");
    run.wait().gives(numbers(6));
}

#[test]
fn a_device_at_what_another_was_faster_with_is_busy_all_the_same() {
    let run = idle(5).args(["--speculate", "--batch-size", "2", "--heartbeat", "300ms"]).start();
    let url = run.url();
    let (mut slow, mut fast) = (WebSocket::open(&url), WebSocket::open(&url));
    slow.hello(&url, "slow", 1);
    assert_eq!(loans(&mut slow), firsts([0, 1]));
    slow.text(&json!({"type": "started", "items": [{"id": 0, "ms": 3000}]}).to_string());
    fast.hello(&url, "fast", 1);
    let fast = thread::spawn(move || echo(&mut fast));
    // The second value is in the queue of the only core, and cannot be handed back. The device
    // only sends pongs for four times three heartbeats.
    for _ in 0..12 {
        let ping = slow.message("ping");
        slow.text(&json!({"type": "pong", "t": ping["t"]}).to_string());
    }
    answer(&mut slow, first(0), "too late");
    answer(&mut slow, first(1), "2");
    fast.join().expect("it was told of the end");
    run.wait().gives(numbers(5)).did_not_say(&["answers pings", "is closed"]);
}

#[test]
fn a_copy_that_fails_blames_nobody_and_one_whose_first_holder_leaves_is_not_sent_again() {
    let run = idle(2).args(["--speculate", "--batch-size", "1", "--retries", "0"]).start();
    let url = run.url();
    let (slow, mut fast) = slow_and_fast(&url);
    assert_eq!(values(&mut fast), [(again(0, 1), "1".into())]);
    fail(&mut fast, again(0, 1), "no");
    let mut third = WebSocket::join(&url, "third", 1);
    drop(slow);
    run.says("slow is gone; its value goes to another device");
    // Both devices are gone, and the third holds the value. A failed copy does not count as an
    // attempt.
    drop(fast);
    let loan = loans(&mut third)[0];
    assert!(loan.index == 0 && loan.number > 1, "{loan:?}");
    answer(&mut third, loan, "1");
    echo(&mut third);
    run.wait().gives(numbers(2));
}

#[test]
fn an_item_that_five_devices_vanish_over_is_lent_alone() {
    let run = idle(6).start();
    let url = run.url();
    for number in 0..5 {
        let mut victim = WebSocket::join(&url, &format!("victim {number}"), 1);
        assert_eq!(loans(&mut victim)[0], again(0, number));
        drop(victim);
        run.says(&format!("victim {number} is gone"));
    }
    run.says("item 1 was being computed on 5 devices that all vanished: it is lent alone now");
    let mut last = WebSocket::join(&url, "last", 4);
    assert_eq!(values(&mut last), [(again(0, 5), "1".into())]);
    answer(&mut last, again(0, 5), "1");
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
    answer(&mut phone, first(0), "1");
    echo(&mut phone);
    run.wait().gives(numbers(1)).did_not_say(&["vanished", "lent alone"]);
}

#[test]
fn an_item_that_devices_vanish_over_although_it_is_alone_fails() {
    let run = idle(3).args(["--retries", "1", "--on-error", "skip"]).start();
    let url = run.url();
    for number in 0..7 {
        let mut victim = WebSocket::join(&url, &format!("victim {number}"), 1);
        assert_eq!(loans(&mut victim)[0], again(0, number));
        drop(victim);
        run.says(&format!("victim {number} is gone"));
    }
    let mut last = WebSocket::join(&url, "last", 1);
    echo(&mut last);
    run.wait().ends(1, "2\n3\n").said(&[
        "item 1 failed on victim 5: it vanished while it was computing this item and no other (attempt 1 of 2",
        "item 1 failed on victim 6: it vanished",
    ]);
}

#[test]
fn what_one_device_failed_does_not_wait_for_ever_for_another_that_is_busy() {
    let run = idle(2).args(["--batch-size", "1", "--heartbeat", "20s"]).start();
    let url = run.url();
    let (mut busy, mut free) = (WebSocket::open(&url), WebSocket::open(&url));
    busy.hello(&url, "busy", 1);
    assert_eq!(values(&mut busy), [(first(0), "1".into())]);
    free.hello(&url, "free", 1);
    assert_eq!(values(&mut free), [(first(1), "2".into())]);
    fail(&mut free, first(1), "no");
    run.says("item 2 failed on free");
    assert_eq!(values(&mut free), [(again(1, 1), "2".into())], "nobody else comes for it");
    answer(&mut free, again(1, 1), "2");
    answer(&mut busy, first(0), "1");
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
    let mut run = PandoCommand::f("(x, cb) => cb(null, x)")
        .args(["--cores", "0", "--events", "events.jsonl"])
        .stdin_open()
        .start();
    let url = run.url();
    let mut device = WebSocket::join(&url, "phone", 1);
    run.write_line("1");
    assert_eq!(loans(&mut device), [first(0)]);
    device.text(&json!({"type": "update", "cores": 0}).to_string());
    device.text(&json!({"type": "returned", "ids": [0]}).to_string());
    device.text(&json!({"type": "update", "name": "my phone"}).to_string());
    run.says("phone is now called my phone");
    device.text(&json!({"type": "update", "cores": 1}).to_string());
    assert_eq!(loans(&mut device), [again(0, 1)]);
    answer(&mut device, again(0, 1), "1");
    run.close_stdin();
    echo(&mut device);
    let events = run.folder().join("events.jsonl");
    until("the end is told", || {
        std::fs::read_to_string(&events).ok().filter(|text| text.contains("\"left\""))
    });
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
    fail(&mut phone, first(0), "not yet");
    assert_eq!(loans(&mut paused), [again(0, 1)], "it goes to who has not failed it");
    paused.text(&json!({"type": "update", "cores": 0}).to_string());
    fail(&mut paused, again(0, 1), "not yet");
    assert_eq!(loans(&mut phone), [again(0, 2)], "nobody else lends a core");
    answer(&mut phone, again(0, 2), "1");
    echo(&mut phone);
    run.wait().gives(numbers(1));
}
