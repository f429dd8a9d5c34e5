//! What volunteers may do to a run that no browser does on purpose: hand-written ones.

#[path = "../common/mod.rs"]
mod common;

mod lending;
mod lies;
mod unfit;

use common::{Pando, Received, WebSocket, numbers};
use pando::protocol::{Answer, Binary, Form, encode_results};

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
