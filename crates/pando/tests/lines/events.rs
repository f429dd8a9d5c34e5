//! `--events FILE`: records of everything that happens.

use pando_testing::{EventsFile, PandoCommand, WebSocket, make_pipe};
use serde_json::{Value, json};

const F: &str = "export default (x, { report, log, attempt }) => {
  if (x === 'twice' && attempt === 1) throw new Error('once')
  if (x === 'say') { log('hi'); report({ nbItems: 2 }) }
  return x
}";

#[test]
fn everything_that_happens_with_items_from_1_and_times() {
    let events = EventsFile::empty();
    PandoCommand::new(F).events(&events).stdin("a\ntwice\nsay\n").run().gives("a\ntwice\nsay\n");
    let all = events.all();
    for event in &all {
        assert!(event["time"].as_f64().is_some_and(|time| time > 1.6e9), "{event}");
    }
    assert_eq!(all[0]["event"], "joined");
    assert_eq!(all[0]["device"], "this machine");
    assert!(all[0]["cores"].as_u64() >= Some(1));
    let mut results = events.items("result");
    results.sort_unstable();
    assert_eq!(results, [1, 2, 3]);
    let mut lent = events.items("lent");
    lent.sort_unstable();
    assert_eq!(lent, [1, 2, 2, 3], "what failed is lent again");
    let failed = events.of("failed");
    assert_eq!(failed.len(), 1, "{all:#?}");
    assert_eq!((&failed[0]["index"], &failed[0]["message"]), (&json!(2), &json!("once")));
    let logs = events.of("log");
    assert_eq!((&logs[0]["index"], &logs[0]["text"]), (&json!(3), &json!("hi")));
    assert_eq!(events.of("report")[0]["report"], json!({"nbItems": 2}));
    assert_eq!(events.of("left").len(), 1, "{all:#?}");
}

#[test]
fn a_device_that_comes_and_goes() {
    let events = EventsFile::empty();
    let run = PandoCommand::new(F).args(["--cores", "0"]).events(&events).stdin("a\n").start();
    let url = run.url();
    let phone = WebSocket::join(&url, "phone", 3);
    let joined = events.wait("joined", |event| event["device"] == "phone");
    assert_eq!(joined["cores"], 3);
    events.wait("lent", |event| event["index"] == 1 && event["device"] == "phone");
    drop(phone);
    let left = events.wait("left", |event| event["device"] == "phone");
    assert_eq!(left["held"], 1);
    run.says("phone is gone; its value goes to another device");
}

#[test]
fn events_are_appended_to_what_is_there() {
    let events = EventsFile::empty();
    for _ in 0..2 {
        PandoCommand::new(F).events(&events).stdin("a\n").run().gives("a\n");
    }
    assert_eq!(events.items("result"), [1, 1]);
}

#[test]
fn events_of_a_failed_run_tell_the_failure() {
    let events = EventsFile::empty();
    PandoCommand::f("(x, cb) => cb('no')")
        .args(["--retries", "1"])
        .events(&events)
        .stdin("a\n")
        .run()
        .ends(1, "");
    let messages: Vec<Value> =
        events.of("failed").iter().map(|event| event["message"].clone()).collect();
    assert_eq!(messages, ["no", "no"]);
}

#[test]
fn an_events_file_that_cannot_be_written_is_refused() {
    let run = PandoCommand::new(F).args(["--events", "no/such/folder/events"]).stdin("a\n").run();
    run.ends(2, "").said(&["--events", "no/such/folder/events"]);
}

#[test]
fn a_pipe_that_nobody_reads_is_waited_for_with_a_word_and_not_for_ever() {
    let job = || {
        let job = PandoCommand::new(F).local().args(["--events", "pipe", "a"]);
        make_pipe(&job.folder().join("pipe"));
        job
    };
    job().run().ends(2, "").said(&[
        "--events pipe: waiting for somebody to read this pipe",
        "nobody has opened this pipe",
    ]);
    let run = job().start();
    run.says("waiting for somebody to read this pipe");
    let pipe = run.folder().join("pipe");
    let reader = std::thread::spawn(move || std::fs::read_to_string(pipe).unwrap());
    run.wait().gives("a\n");
    assert!(reader.join().unwrap().contains("\"result\""));
}
