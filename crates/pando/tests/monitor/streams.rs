//! The streams of events and of results.

use crate::{EventReader, answer, echo, first, idle, monitor, result, values};
use pando_protocol::volunteer::encode_results;
use pando_testing::{EventsFile, WebSocket, lines, memory, volunteer::serve};
use serde_json::{Value, json};
use std::{fs, io, sync::mpsc, thread};

#[test]
fn the_events_begin_with_the_history_and_end_with_the_run() {
    let run = idle(3).start();
    let (url, volunteers) = (monitor(&run), run.url());
    let mut events = EventReader::open(&url, "events");
    let (name, history) = events.next().unwrap();
    assert_eq!((&*name, &history["interval"]), ("history", &json!(1.0)));
    let (name, status) = events.next().unwrap();
    assert_eq!(
        (&*name, &status["state"], &status["exitWords"]),
        ("status", &json!("running"), &json!(""))
    );
    let sample = events.wait("sample");
    assert_eq!((&sample["done"], &sample["perSecond"]), (&json!(0), &json!(0.0)));
    let mut late = EventReader::open(&url, "events");
    assert!(!late.wait("history")["samples"].as_array().unwrap().is_empty());
    echo(&mut WebSocket::join(&volunteers, "Ann", 1));
    for reader in [events, late] {
        let last = reader.last_status();
        assert_eq!(
            (&last["state"], &last["exitWords"]),
            (&json!("finished"), &json!("All items are done."))
        );
        assert_eq!(
            (&last["progress"]["done"], &last["devices"][0]["items"]),
            (&json!(3), &json!(3))
        );
    }
    run.wait().gives("1\n2\n3\n");
}

#[test]
fn a_reader_of_the_events_that_reads_nothing_costs_nothing() {
    let run = idle(1).args(["-q"]).start();
    let (url, volunteers) = (monitor(&run), run.url());
    let mut ann = WebSocket::join(&volunteers, "Ann", 1);
    assert_eq!(values(&mut ann).len(), 1);
    // A large state: what the function prints.
    let entries: Vec<Value> = (0..100)
        .map(|n| json!({"level": "log", "text": format!("{n} {}", "x".repeat(3000))}))
        .collect();
    for entries in entries.chunks(50) {
        ann.text(&json!({"type": "log", "entries": entries}).to_string());
    }
    let mut reader = EventReader::open(&url, "events");
    while reader.wait("status")["prints"].as_array().unwrap().len() < 100 {}
    let silent: Vec<EventReader> = (0..20).map(|_| EventReader::open(&url, "events")).collect();
    reader.wait("status");
    let before = memory(run.pid()).unwrap();
    for _ in 0..6 {
        reader.wait("status");
    }
    let grown = memory(run.pid()).unwrap().saturating_sub(before);
    // Twenty queues of six states would take 24 MB.
    assert!(grown < 8 << 20, "{grown} bytes");
    ann.binary(&encode_results(&[result(first(0), "1")]));
    run.wait().gives("1\n");
    drop(silent);
}

#[test]
fn a_reader_of_the_results_that_reads_nothing_costs_little_and_hears_how_many_it_missed() {
    const PICTURES: u64 = 120;
    let picture = format!("data:image/gif;base64,{}", "A".repeat(900_000));
    let mut run = idle(PICTURES + 1).stdout_unread().start();
    let (url, volunteers) = (monitor(&run), run.url());
    let mut stdout = run.take_stdout();
    thread::spawn(move || io::copy(&mut stdout, &mut io::sink()));
    let (mut silent, mut reader) =
        (EventReader::open(&url, "results"), EventReader::open(&url, "results"));
    silent.begins();
    reader.begins();
    let before = memory(run.pid()).unwrap();
    let (finish, last) = mpsc::channel();
    let mut ann = WebSocket::join(&volunteers, "Ann", 1);
    let answering = thread::spawn(move || {
        serve(&mut ann, |ann, loan, number| match number == (PICTURES + 1).to_string() {
            false => answer(ann, loan, &picture),
            true => {
                last.recv().expect("the test goes on");
                answer(ann, loan, "the last one");
            }
        })
    });
    // All pictures have been shown: each reader has the rest of them, or has missed them.
    let shown = |reader: &mut EventReader| {
        let (mut seen, mut missed) = (0, 0);
        while seen + missed < PICTURES {
            match reader.next().expect("the run goes on") {
                (name, number) if name == "lost" => missed += number.as_u64().unwrap(),
                _ => seen += 1,
            }
        }
        missed
    };
    shown(&mut reader);
    let grown = memory(run.pid()).unwrap().saturating_sub(before);
    // All pictures would take 108 MB.
    assert!(grown < 64 << 20, "{grown} bytes");
    assert!(shown(&mut silent) > 0);
    let silent = EventReader::open(&url, "results");
    finish.send(()).expect("the device waits");
    run.wait().status(0);
    answering.join().expect("it answers to the end");
    drop(silent);
}

#[test]
fn results_show_as_they_come_to_those_who_look() {
    let run = idle(4).args(["--batch-size", "4"]).start();
    let (url, volunteers) = (monitor(&run), run.url());
    let mut ann = WebSocket::join(&volunteers, "Ann", 1);
    assert_eq!(values(&mut ann).len(), 4);
    let mut results = EventReader::open(&url, "results");
    results.begins();
    let given = ["a <b>text</b>", "-2.5", "data:image/gif;base64,AAAA", "4"];
    let answers: Vec<_> = (0..4).map(|index| result(first(index), given[index as usize])).collect();
    ann.binary(&encode_results(&answers));
    let kinds = [
        ("text", json!("a <b>text</b>")),
        ("number", json!(-2.5)),
        ("image", json!("data:image/gif;base64,AAAA")),
        ("number", json!(4.0)),
    ];
    for (item, (kind, value)) in (1..).zip(kinds) {
        let expected = json!({"item": item, "device": "1", "kind": kind, "value": value});
        assert_eq!(results.next(), Some(("result".into(), expected)));
    }
    assert_eq!(results.next(), None, "the run has ended");
    run.wait().gives(lines(given));
}

#[test]
fn results_show_once_they_are_confirmed() {
    let command = idle(2);
    let (first_run, go) = (command.folder().join("refused"), command.folder().join("go"));
    // The first result of item 1 is refused; that of item 2 waits for a file.
    let confirm = format!(
        "if test $PANDO_INDEX = 1; then test -e '{0}' || {{ touch '{0}'; exit 1; }}; else until test -e '{1}'; do sleep 0.01; done; fi",
        first_run.display(),
        go.display()
    );
    let events = EventsFile::empty();
    let run = command.args(["--batch-size", "2", "--confirm", &confirm]).events(&events).start();
    let (url, volunteers) = (monitor(&run), run.url());
    let mut ann = WebSocket::join(&volunteers, "Ann", 1);
    assert_eq!(values(&mut ann).len(), 2);
    let mut shown = EventReader::open(&url, "results");
    shown.begins();
    ann.binary(&encode_results(&[result(first(0), "wrong"), result(first(1), "two")]));
    events.wait("unconfirmed", |event| event["index"] == 1);
    let (again, _) = values(&mut ann).remove(0);
    ann.binary(&encode_results(&[result(again, "one")]));
    let expected = |item, value| {
        let result = json!({"item": item, "device": "1", "kind": "text", "value": value});
        Some(("result".to_owned(), result))
    };
    assert_eq!(shown.next(), expected(1, "one"));
    fs::write(go, "").unwrap();
    assert_eq!(shown.next(), expected(2, "two"));
    assert_eq!(shown.next(), None, "the run has ended");
    run.wait().gives("one\ntwo\n");
}
