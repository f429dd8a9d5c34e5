//! The deeds of a volunteer by hand, over a [`WebSocket`] after its hello.

use super::websocket::{Received, WebSocket};
use bytes::Bytes;
use pando_protocol::volunteer::{Answer, Binary, Failure, Form, Loan, encode_results};

/// Waits for the next values.
pub fn values(socket: &mut WebSocket) -> Vec<(Loan, Bytes)> {
    loop {
        match socket.receive() {
            Received::Binary(frame) => return values_of(frame),
            Received::Text(_) => {}
            Received::Closed => panic!("closed"),
        }
    }
}

/// Passes each value to `act`, and answers pings, until the master says goodbye. Returns the
/// goodbye; `None` when the connection ends without one.
pub fn serve(
    socket: &mut WebSocket,
    mut act: impl FnMut(&mut WebSocket, Loan, &str),
) -> Option<String> {
    loop {
        match socket.receive() {
            Received::Text(text) if text.contains("\"ping\"") => {
                socket.text(&text.replace("ping", "pong"))
            }
            Received::Text(text) if text.contains("\"bye\"") => return Some(text),
            Received::Text(_) => {}
            Received::Binary(frame) => {
                for (loan, value) in values_of(frame) {
                    act(socket, loan, std::str::from_utf8(&value).expect("text"));
                }
            }
            Received::Closed => return None,
        }
    }
}

/// Answers values with themselves until the job is done.
pub fn echo(socket: &mut WebSocket) {
    let bye = serve(socket, answer).expect("the master says goodbye");
    assert!(bye.contains("\"done\""), "{bye}");
}

/// Answers a value.
pub fn answer(socket: &mut WebSocket, loan: Loan, text: &str) {
    socket.binary(&encode_results([&result(loan, text)]));
}

/// Fails a value.
pub fn fail(socket: &mut WebSocket, loan: Loan, message: &str) {
    socket.binary(&encode_results([&error(loan, message)]));
}

/// The answer with a result.
pub fn result(loan: Loan, text: &str) -> Answer {
    Answer { loan, micros: 1, result: Ok((Form::Text, Bytes::from(text.to_owned()))) }
}

/// The answer with an error.
pub fn error(loan: Loan, message: &str) -> Answer {
    Answer { loan, micros: 1, result: Err(Failure::new(message, "error").into()) }
}

/// The values of a frame.
fn values_of(frame: Vec<u8>) -> Vec<(Loan, Bytes)> {
    match Binary::decode(frame.into()).expect("well formed") {
        Binary::Values(values) => {
            values.into_iter().map(|(loan, value)| (loan, value.bytes)).collect()
        }
        other => panic!("values are expected: {other:?}"),
    }
}
