//! `--copies` and `--verify` with rows and chunks.

use crate::trust::items_of;
use pando_testing::{
    PandoCommand, WebSocket, numbers,
    volunteer::{serve, values},
};
use std::thread;

#[test]
fn the_answers_of_several_devices_to_a_row_are_its_result() {
    let run = PandoCommand::f("(x, cb) => cb(null, 0)")
        .args(["--cores", "0", "--copies", "2", "--csv"])
        .stdin("name\nAda\n\"Bob, Cy\"\n")
        .start();
    let mut ann = WebSocket::join(&run.url(), "Ann", 1);
    for (loan, value) in values(&mut ann) {
        let row: serde_json::Value = serde_json::from_slice(&value).expect("a row is JSON");
        assert_eq!(row["name"], ["Ada", "Bob, Cy"][loan.index as usize]);
        json_answer(&mut ann, loan, "\"cat\"");
    }
    let mut ben = WebSocket::join(&run.url(), "Ben", 1);
    let ben = thread::spawn(move || {
        serve(&mut ben, |socket, loan, _| json_answer(socket, loan, "{\"dog\":1}"));
    });
    let ann = thread::spawn(move || {
        serve(&mut ann, |socket, loan, _| json_answer(socket, loan, "\"cat\""));
    });
    let finished = run.wait();
    finished.status(0);
    let lines = finished.lines();
    assert_eq!(lines.len(), 3, "{lines:?}");
    let first = r#""[{""device"":""Ann"",""result"":""cat""},{""device"":""Ben"",""result"":{""dog"":1}}]""#;
    assert_eq!(lines[..2], ["name,result".to_owned(), format!("Ada,{first}")]);
    assert!(lines[2].starts_with("\"Bob, Cy\",\"[{\"\"device\"\":"), "{}", lines[2]);
    drop((ann.join(), ben.join()));
}

#[test]
fn each_value_of_a_chunk_has_the_answers_of_several_devices() {
    let run = PandoCommand::f("(x, cb) => cb(null, x)")
        .args(["--cores", "0", "--chunk", "2", "--copies", "2", "--tag"])
        .stdin("a\nb\nc\n")
        .start();
    let judge = |name: &'static str| {
        let mut socket = WebSocket::join(&run.url(), name, 1);
        thread::spawn(move || {
            serve(&mut socket, |socket, loan, chunk| {
                let chunk: Vec<String> = serde_json::from_str(chunk).expect("a list");
                let answers: Vec<String> =
                    chunk.iter().map(|value| format!("{name} {value}")).collect();
                json_answer(socket, loan, &serde_json::json!(answers).to_string());
            });
        })
    };
    let judges = [judge("Ann"), judge("Ben")];
    let finished = run.wait();
    finished.status(0);
    let lines = finished.lines();
    assert_eq!(lines.len(), 3, "{lines:?}");
    for (line, value) in lines.iter().zip(["a", "b", "c"]) {
        let (input, answers) = line.split_once('\t').expect("a tag");
        let mut answers: Vec<serde_json::Value> = serde_json::from_str(answers).expect("JSON");
        answers.sort_by_key(|answer| answer["device"].to_string());
        let by = |name| serde_json::json!({"device": name, "result": format!("{name} {value}")});
        assert_eq!((input, answers), (value, vec![by("Ann"), by("Ben")]));
    }
    judges.into_iter().for_each(|judge| drop(judge.join()));
}

fn json_answer(socket: &mut WebSocket, loan: pando_protocol::volunteer::Loan, json: &str) {
    use pando_protocol::volunteer::{Answer, Form, encode_results};
    let answer = Answer { loan, micros: 1, result: Ok((Form::Json, json.to_owned().into())) };
    socket.binary(&encode_results([&answer]));
}

#[test]
fn doubtful_values_of_a_chunk_are_named_by_their_numbers() {
    let run = PandoCommand::f("(x, cb) => cb(null, x)")
        .args(["--cores", "0", "--chunk", "5", "--verify", "50%"])
        .stdin(numbers(1000))
        .start();
    let chunks = |name: &'static str, honest_for: usize| {
        let mut socket = WebSocket::join(&run.url(), name, 1);
        thread::spawn(move || {
            let mut answered = 0;
            serve(&mut socket, |socket, loan, value| {
                answered += 1;
                let result = if answered > honest_for {
                    "[0,0,0,0,0]".to_owned()
                } else {
                    value.replace('"', "")
                };
                json_answer(socket, loan, &result);
            });
        })
    };
    let devices = [chunks("Eve", 30), chunks("Ada", usize::MAX), chunks("Bob", usize::MAX)];
    let finished = run.wait();
    let text = finished.text();
    let lines: Vec<&str> = text.lines().collect();
    let wrong = (1..=1000).filter(|number| lines[number - 1] != number.to_string());
    let told = finished.stderr.lines().find(|line| line.contains("output without a check"));
    let named = told.map(|told| items_of(told.rsplit_once(": ").expect("items").1));
    let named = named.unwrap_or_default();
    for number in wrong {
        assert!(named.contains(&number), "{number} is wrong, and of {named:?}");
    }
    assert!(named.iter().all(|number| (1..=1000).contains(number)));
    assert_eq!(named.len() % 5, 0, "chunks are named whole");
    assert_eq!(finished.status, Some(i32::from(told.is_some())), "{}", finished.stderr);
    devices.into_iter().for_each(|device| drop(device.join()));
}
