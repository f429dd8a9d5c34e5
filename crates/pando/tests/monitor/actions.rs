//! What the owner asks for on the page.

use crate::{
    EventReader, act, answer, echo, fail, first, get, idle, monitor, place, post, result, status,
    until_status, values,
};
use pando_protocol::volunteer::{Loan, VERSION, encode_results};
use pando_testing::{Received, WebSocket};
use serde_json::json;

const JSON: &str = "Content-Type: application/json\r\n";

/// A device that is asked for its values returns them.
fn give_back(socket: &mut WebSocket) {
    let recall = socket.message("recall");
    socket.text(&json!({"type": "returned", "ids": recall["ids"]}).to_string());
}

#[test]
fn a_paused_device_returns_its_values_and_gets_no_others_until_it_goes_on() {
    let run = idle(4).start();
    let (url, volunteers) = (monitor(&run), run.url());
    let mut ann = WebSocket::join(&volunteers, "Ann", 1);
    assert_eq!(values(&mut ann).len(), 2);
    act(&url, &json!({"action": "pause", "device": "1"}));
    give_back(&mut ann);
    let paused = until_status(&url, "Ann is paused", |status| {
        status["why"] == "Nothing is computed: the only device is paused."
    });
    let device = &paused["devices"][0];
    assert_eq!(
        (&device["health"], &device["words"]),
        (&json!("paused"), &json!("is paused by you"))
    );
    assert_eq!((&device["cores"], &device["lent"]), (&json!(1), &json!(0)));
    // Neither a new number of cores nor a new session ends the pause.
    ann.text(&json!({"type": "update", "cores": 3}).to_string());
    until_status(&url, "Ann offers more", |status| status["devices"][0]["cores"] == 3);
    drop(ann);
    run.says("Ann is gone");
    let mut ann = WebSocket::join(&volunteers, "Ann", 2);
    until_status(&url, "Ann is back", |status| {
        status["devices"][0]["cores"] == 2 && status["devices"][0]["health"] == "paused"
    });
    act(&url, &json!({"action": "resume", "device": "1"}));
    run.says("Ann is not paused any more");
    echo(&mut ann);
    run.wait().gives("1\n2\n3\n4\n");
}

#[test]
fn a_device_with_fewer_cores_gets_as_many_values() {
    let run = idle(20).start();
    let (url, volunteers) = (monitor(&run), run.url());
    let mut ann = WebSocket::join(&volunteers, "Ann", 4);
    assert_eq!(values(&mut ann).len(), 8);
    act(&url, &json!({"action": "cores", "device": "1", "cores": 1}));
    let device = status(&url)["devices"][0].clone();
    assert_eq!((&device["cores"], &device["lent"]), (&json!(4), &json!(1)));
    let answers: Vec<_> =
        (0..8).map(|index| result(first(index), &(index + 1).to_string())).collect();
    ann.binary(&encode_results(&answers));
    for index in 8..12 {
        let given = values(&mut ann);
        assert_eq!(given.iter().map(|(loan, _)| *loan).collect::<Vec<Loan>>(), [first(index)]);
        answer(&mut ann, first(index), &(index + 1).to_string());
    }
    act(&url, &json!({"action": "cores", "device": "1", "cores": 4}));
    echo(&mut ann);
    assert_eq!(run.wait().lines().len(), 20);
}

#[test]
fn a_device_that_is_sent_away_does_not_come_back() {
    let run = idle(2).start();
    let (url, volunteers) = (monitor(&run), run.url());
    let mut ann = WebSocket::join(&volunteers, "Ann", 1);
    assert_eq!(values(&mut ann).len(), 2);
    act(&url, &json!({"action": "remove", "device": "1"}));
    let bye = ann.message("bye");
    assert_eq!(bye["reason"], "stopped", "{bye}");
    assert!(bye["text"].as_str().unwrap().contains("does not need this device any more"), "{bye}");
    assert!(matches!(ann.receive(), Received::Closed));
    run.says("Ann was sent away by the owner of the job; its 2 values go to other devices");
    let mut again = WebSocket::open(&volunteers);
    let hello = json!({
        "type": "hello", "version": VERSION, "token": place(&volunteers).1, "device": "Ann", "name": "Ann", "cores": 1, "holds": [],
    });
    again.text(&hello.to_string());
    assert_eq!(again.message("bye")["reason"], "stopped");
    echo(&mut WebSocket::join(&volunteers, "Bob", 1));
    run.wait().gives("1\n2\n");
}

#[test]
fn the_owner_lets_the_run_finish_or_stops_it() {
    let begin = || {
        let run = idle(1000).start();
        let (url, volunteers) = (monitor(&run), run.url());
        let mut ann = WebSocket::join(&volunteers, "Ann", 1);
        assert_eq!(values(&mut ann).len(), 2);
        answer(&mut ann, first(0), "1");
        assert_eq!(values(&mut ann).len(), 1);
        (run, url, ann)
    };
    let (mut run, url, mut ann) = begin();
    assert_eq!(run.line().as_deref(), Some("1"));
    act(&url, &json!({"action": "finish"}));
    assert_eq!(status(&url)["state"], "finishing");
    run.says("finishing 2 items on 1 device; again to stop now");
    answer(&mut ann, first(1), "2");
    answer(&mut ann, first(2), "3");
    run.wait().ends(1, "1\n2\n3\n").said(&["stopped on request"]);
    let (mut run, url, _ann) = begin();
    assert_eq!(run.line().as_deref(), Some("1"));
    let events = EventReader::open(&url, "events");
    act(&url, &json!({"action": "stop"}));
    let last = events.last_status();
    assert_eq!(
        (&last["state"], &last["exitWords"]),
        (&json!("finished"), &json!("Stopped: 2 items were not finished."))
    );
    assert_eq!(last["progress"]["done"], 1);
    run.wait().ends(1, "1\n").said(&["stopped: 2 items were not finished"]);
}

#[test]
fn what_is_no_action_of_the_owner_is_refused_in_words() {
    let run = idle(1).start();
    let (url, volunteers) = (monitor(&run), run.url());
    let mut ann = WebSocket::join(&volunteers, "Ann", 1);
    assert_eq!(values(&mut ann).len(), 1);
    let pause = r#"{"action":"pause","device":"1"}"#;
    let refused = |headers: &str, body: &str| {
        let response = post(&url, headers, body);
        (response.status, response.body)
    };
    assert_eq!(refused("", pause).0, 415);
    assert_eq!(refused("Content-Type: text/plain\r\n", pause).0, 415);
    assert_eq!(refused(&format!("{JSON}Origin: http://evil.example\r\n"), pause).0, 403);
    assert_eq!(refused(JSON, &"x".repeat(10_000)).0, 413);
    let (status, words) = refused(JSON, r#"{"action":"explode"}"#);
    assert!(status == 400 && words.starts_with("This is no action: "), "{words}");
    assert_eq!(refused(JSON, r#"{"action":"cores","device":"1","cores":0}"#).0, 409);
    let nobody = (409, "This device is not connected (any more).".to_owned());
    assert_eq!(refused(JSON, r#"{"action":"remove","device":"77"}"#), nobody);
    assert_eq!(get(&format!("{url}actions")).status, 405);
    let (host, _) = place(&url);
    let same = format!("{JSON}Origin: http://{host}\r\n");
    assert_eq!(refused(&same, pause).0, 204);
    fail(&mut ann, first(0), "no");
    run.signal("INT");
}
