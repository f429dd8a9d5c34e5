//! Volunteers that never read.

use pando_protocol::volunteer::{Answer, Binary, Form, encode_results};
use pando_testing::{
    PandoCommand, Received, RelayProcess, RunningProgram, SECRET, WebSocket, lines,
};
use serde_json::json;
use std::{
    io::Write,
    process::ChildStdin,
    thread::{self, JoinHandle},
    time::Duration,
};

/// The number and the length of the lines.
const COUNT: usize = 150;
const LENGTH: usize = 1_000_000;

fn input() -> String {
    lines((0..COUNT).map(|n| format!("{n}{}", &"x".repeat(LENGTH)[n.to_string().len()..])))
}

/// A device that answers each value with its length until the run ends.
fn computes(url: &str) {
    let mut socket = WebSocket::join(url, "honest", 1);
    thread::spawn(move || {
        loop {
            match socket.receive() {
                Received::Binary(frame) => answers(&mut socket, frame),
                Received::Text(text) if text.contains("\"ping\"") => {
                    socket.text(r#"{"type":"pong","t":0}"#)
                }
                Received::Text(_) => {}
                Received::Closed => return,
            }
        }
    });
}

/// Answers the values of a frame. If the frame is a part of a long value, reads the other parts
/// first.
fn answers(socket: &mut WebSocket, frame: Vec<u8>) {
    let (mut assembler, mut next) = (pando_protocol::volunteer::Assembler::default(), Some(frame));
    while let Some(frame) = next.take() {
        let whole = match Binary::decode(frame.into()).expect("well formed") {
            Binary::Part { total, bytes } => assembler
                .part(total, &bytes)
                .expect("they fit")
                .map(|whole| Binary::decode(whole).unwrap()),
            whole => Some(whole),
        };
        match whole {
            Some(Binary::Values(values)) => {
                for (loan, value) in values {
                    let result = Ok((Form::Text, value.bytes.len().to_string().into()));
                    socket.binary(&encode_results([&Answer { loan, micros: 1, result }]));
                }
            }
            Some(_) => panic!("values are expected"),
            None => next = Some(binary(socket)),
        }
    }
}

/// The next binary message. Pings may come between the parts of a long value.
fn binary(socket: &mut WebSocket) -> Vec<u8> {
    loop {
        match socket.receive() {
            Received::Binary(frame) => return frame,
            Received::Text(text) if text.contains("\"ping\"") => {
                socket.text(r#"{"type":"pong","t":0}"#)
            }
            Received::Text(_) => {}
            Received::Closed => panic!("closed within a value"),
        }
    }
}

/// A run, and the thread that writes the input and keeps it open.
fn served(args: &[&str]) -> (RunningProgram, JoinHandle<ChildStdin>) {
    let run = PandoCommand::f("(x, cb) => cb(null, x.length)")
        .args(["--cores", "0", "--heartbeat", "2s"])
        .args(args);
    let mut run = run.stdin_open().start();
    let mut stdin = run.take_stdin();
    let writing = thread::spawn(move || {
        stdin.write_all(input().as_bytes()).expect("it reads its input");
        stdin
    });
    (run, writing)
}

/// A device joins and then reads nothing. Its values go to another device, and memory stays small.
fn is_left_out((run, input): (RunningProgram, JoinHandle<ChildStdin>), url: &str) {
    let _silent = WebSocket::join(url, "silent", 4);
    run.says("silent joined with 4 cores");
    computes(url);
    run.says("silent has been silent for 6s and is taken for gone; its ");
    ends(run, input);
}

fn ends(mut run: RunningProgram, input: JoinHandle<ChildStdin>) {
    for _ in 0..COUNT {
        assert_eq!(run.line(), Some(LENGTH.to_string()));
    }
    let peak = run.peak_memory();
    assert!(peak < 110 << 20, "{} MB", peak >> 20);
    println!("{} MB", peak >> 20);
    drop(input.join());
    run.wait().status(0);
}

#[test]
fn one_that_falls_silent_and_reads_nothing_costs_little_memory_and_stops_nobody() {
    let served = served(&[]);
    let url = served.0.url();
    is_left_out(served, &url);
}

#[test]
fn the_same_through_a_relay() {
    let relay = RelayProcess::start(&[]);
    let served = served(&["--host", relay.url(), "--secret", SECRET]);
    let url = served.0.url_at(relay.url());
    is_left_out(served, &url);
    let peak = relay.run.peak_memory();
    assert!(peak < 60 << 20, "the relay: {} MB", peak >> 20);
}

#[test]
fn one_that_talks_and_never_listens_is_sent_away() {
    let (run, input) = served(&[]);
    let url = run.url();
    let mut talker = WebSocket::join(&url, "talker", 4);
    computes(&url);
    let mut pings = Vec::new();
    for _ in 0..2000 {
        let ping = br#"{"type":"ping","t":123456789}"#;
        pings.extend_from_slice(&[0x81, 0x80 | ping.len() as u8, 0, 0, 0, 0]);
        pings.extend_from_slice(ping);
    }
    let talking = thread::spawn(move || while talker.try_raw(&pings) {});
    run.says("talker was sent away: it sends messages but reads none");
    talking.join().expect("the connection is closed");
    ends(run, input);
}

#[test]
fn one_whose_values_take_long_to_arrive_is_not_taken_for_stalled() {
    let big = "x".repeat(8 << 20);
    let run = PandoCommand::f("(x, cb) => cb(null, x.length)").args([
        "--cores",
        "0",
        "--heartbeat",
        "300ms",
        "--batch-size",
        "2",
    ]);
    let run = run.stdin(lines(["a", "b", &big, &big])).start();
    let url = run.url();
    let mut far = WebSocket::join(&url, "far", 1);
    let small = binary(&mut far);
    // The pong tells the master that the values have arrived.
    let ping = far.message("ping");
    far.text(&json!({"type": "pong", "t": ping["t"]}).to_string());
    let Ok(Binary::Values(small)) = Binary::decode(small.into()) else {
        panic!("values are expected")
    };
    let mut small = small.into_iter().map(|(loan, value)| (loan, value.bytes.len()));
    let mut answer = |far: &mut WebSocket| {
        let (loan, length) = small.next().expect("it has two");
        far.binary(&encode_results([&Answer {
            loan,
            micros: 1,
            result: Ok((Form::Text, length.to_string().into())),
        }]));
    };
    answer(&mut far);
    let first_part = binary(&mut far);
    answer(&mut far);
    // The values are on their way for eight times three heartbeats.
    for _ in 0..36 {
        far.text(r#"{"type":"ping","t":1}"#);
        thread::sleep(Duration::from_millis(200));
    }
    answers(&mut far, first_part);
    loop {
        match far.receive() {
            Received::Binary(frame) => answers(&mut far, frame),
            Received::Text(text) if text.contains("\"ping\"") => {
                far.text(&text.replace("ping", "pong"))
            }
            Received::Text(_) => {}
            Received::Closed => break,
        }
    }
    run.wait().gives("1\n1\n8388608\n8388608\n").did_not_say(&[
        "answers pings",
        "is closed",
        "sent away",
    ]);
}
