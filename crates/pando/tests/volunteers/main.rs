//! Simulated volunteers that do things to a run that browsers do not do on purpose.

#[path = "../common/mod.rs"]
mod common;

mod goodbyes;
mod lending;
mod lies;
mod unfit;

use common::{Pando, Received, WebSocket, numbers};
use pando_protocol::volunteer::{Answer, Binary, Failure, Form, Loan, encode_results};

/// A run with the values `1` to `count` and without local cores.
fn idle(count: u64) -> Pando {
    Pando::f("(x, cb) => cb(null, x)").args(["--cores", "0"]).stdin(numbers(count))
}

/// The first loan of a value.
fn first(index: u64) -> Loan {
    Loan::first(index)
}

/// The loan of a value that has been lent `number` times before.
fn again(index: u64, number: u32) -> Loan {
    Loan { index, number }
}

/// The next values for a device.
fn values(socket: &mut WebSocket) -> Vec<(Loan, bytes::Bytes)> {
    loop {
        match socket.receive() {
            Received::Binary(frame) => match Binary::decode(frame.into()).expect("well formed") {
                Binary::Values(values) => {
                    return values.into_iter().map(|(loan, value)| (loan, value.bytes)).collect();
                }
                other => panic!("values are expected: {other:?}"),
            },
            Received::Text(_) => {}
            Received::Closed => panic!("closed"),
        }
    }
}

fn result(loan: Loan, text: &str) -> Answer {
    Answer { loan, micros: 1, result: Ok((Form::Text, bytes::Bytes::from(text.to_owned()))) }
}

fn error(loan: Loan, message: &str) -> Answer {
    Answer {
        loan,
        micros: 1,
        result: Err(Failure { message: message.into(), stack: None, kind: "error".into() }),
    }
}

fn answer(socket: &mut WebSocket, loan: Loan, text: &str) {
    socket.binary(&encode_results([&result(loan, text)]));
}

fn fail(socket: &mut WebSocket, loan: Loan, message: &str) {
    socket.binary(&encode_results([&error(loan, message)]));
}

/// Answers values with themselves until the job is done.
fn echo(socket: &mut WebSocket) {
    loop {
        match socket.receive() {
            Received::Text(text) if text.contains("\"ping\"") => {
                socket.text(&text.replace("ping", "pong"))
            }
            Received::Binary(frame) => {
                if let Binary::Values(values) = Binary::decode(frame.into()).expect("well formed") {
                    for (loan, value) in values {
                        answer(socket, loan, std::str::from_utf8(&value.bytes).expect("text"));
                    }
                }
            }
            Received::Text(text) if text.contains("\"bye\"") => {
                return assert!(text.contains("\"done\""), "{text}");
            }
            Received::Text(_) => {}
            Received::Closed => panic!("closed without a goodbye"),
        }
    }
}
