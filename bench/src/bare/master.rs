//! The prototype of a master: reads lines, sends them to whoever connects, and prints the results
//! in order.

use super::frame;
use anyhow::Context;
use axum::{
    Router,
    extract::ws::{Message, WebSocket, WebSocketUpgrade},
    response::Html,
    routing::get,
    serve::ListenerExt,
};
use bytes::{Bytes, BytesMut};
use futures_util::{SinkExt, StreamExt};
use std::{
    collections::VecDeque,
    io::{Read, Write},
    mem,
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread,
};
use tokio::{net::TcpListener, sync::Notify};

/// The most values, and about the most bytes, of one message.
const FRAME: (usize, usize) = (1000, 64 << 10);
/// The most values that one volunteer has.
const IN_FLIGHT: usize = 8000;
/// Values that are read ahead, and bytes of output above which no values are sent.
const READ_AHEAD: usize = 32 << 10;
const MOST_OUTPUT: usize = 32 << 20;
/// Bytes that are read at once.
const BLOCK: usize = 128 << 10;

const PAGE: &str = include_str!("volunteer.html");

#[derive(Default)]
struct Map {
    state: Mutex<State>,
    /// Signals that there is room for more input.
    room: Condvar,
    /// Signals that there is output.
    output: Condvar,
}

#[derive(Default)]
struct State {
    input: VecDeque<Bytes>,
    input_ended: bool,
    /// The number of the first value in `lent`.
    first: u64,
    /// Values that are sent and not yet printed, with their results.
    lent: VecDeque<(Bytes, Option<Bytes>)>,
    output: Vec<u8>,
    /// Volunteers that wait for values.
    waiting: Vec<Arc<Notify>>,
}

/// Maps the lines of standard input, until the last result is printed. The address is said on
/// standard error, as pando says its own.
///
/// # Errors
/// When no port is free.
pub async fn master() -> anyhow::Result<()> {
    let map = Arc::<Map>::default();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    eprintln!("Serving volunteer code at http://{}/", listener.local_addr()?);
    let serving = map.clone();
    let socket = async move |upgrade: WebSocketUpgrade| {
        upgrade.on_upgrade(async move |socket| {
            eprintln!("A volunteer joined with 1 core");
            if let Err(error) = serving.serve(socket).await {
                eprintln!("a volunteer is gone: {error:#}");
            }
        })
    };
    let app = Router::new().route("/", get(async || Html(PAGE))).route("/socket", get(socket));
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    tokio::spawn(async { axum::serve(listener, app).await });
    let reading = map.clone();
    thread::spawn(move || reading.read().expect("standard input can be read"));
    tokio::task::spawn_blocking(move || map.write()).await?
}

impl Map {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics with it")
    }

    fn read(&self) -> anyhow::Result<()> {
        let (mut input, mut rest) = (std::io::stdin().lock(), BytesMut::new());
        loop {
            let length = rest.len();
            rest.resize(length + BLOCK, 0);
            let read = input.read(&mut rest[length..])?;
            rest.truncate(length + read);
            let end = memchr::memrchr(b'\n', &rest).map_or(0, |end| end + 1);
            let block = rest.split_to(end).freeze();
            std::str::from_utf8(&block)?;
            let mut state = self.lock();
            while state.input.len() > READ_AHEAD {
                state = self.room.wait(state).expect("nobody panics with it");
            }
            let mut start = 0;
            for end in memchr::memchr_iter(b'\n', &block) {
                state.input.push_back(block.slice(start..end));
                start = end + 1;
            }
            state.input_ended = read == 0;
            state.waiting.drain(..).for_each(|volunteer| volunteer.notify_one());
            if read == 0 {
                self.output.notify_one();
                return Ok(());
            }
        }
    }

    fn write(&self) -> anyhow::Result<()> {
        let (mut output, mut stdout) = (Vec::new(), std::io::stdout().lock());
        loop {
            let mut state = self.lock();
            while state.output.is_empty() {
                if state.input_ended && state.input.is_empty() && state.lent.is_empty() {
                    return Ok(());
                }
                state = self.output.wait(state).expect("nobody panics with it");
            }
            mem::swap(&mut state.output, &mut output);
            state.waiting.drain(..).for_each(|volunteer| volunteer.notify_one());
            drop(state);
            stdout.write_all(&output)?;
            stdout.flush()?;
            output.clear();
        }
    }

    /// Sends values to one volunteer, and takes its results.
    async fn serve(&self, socket: WebSocket) -> anyhow::Result<()> {
        let (mut sink, mut stream) = socket.split();
        let (changed, in_flight) = (Arc::new(Notify::new()), Mutex::new(0));
        let send = async {
            loop {
                let room = IN_FLIGHT - *in_flight.lock().expect("nobody panics with it");
                match self.take(room, &changed) {
                    Some((message, values)) => {
                        *in_flight.lock().expect("nobody panics with it") += values;
                        sink.send(Message::Binary(message.into())).await?;
                    }
                    None => changed.notified().await,
                }
            }
        };
        let receive = async {
            while let Some(message) = stream.next().await {
                let Message::Binary(message) = message? else { continue };
                let values = self.put(&message)?;
                *in_flight.lock().expect("nobody panics with it") -= values;
                changed.notify_one();
            }
            anyhow::Ok(())
        };
        tokio::select! {
            ended = send => ended,
            ended = receive => ended,
        }
    }

    /// The next message for a volunteer that may have `room` more values.
    fn take(&self, room: usize, volunteer: &Arc<Notify>) -> Option<(Vec<u8>, usize)> {
        let mut state = self.lock();
        let state = &mut *state;
        let (most, longest) = FRAME;
        let room = if state.output.len() > MOST_OUTPUT { 0 } else { room.min(most) };
        let (mut message, mut values) = (Vec::new(), 0);
        while values < room && message.len() < longest {
            let Some(value) = state.input.pop_front() else { break };
            frame::push(&mut message, state.first + state.lent.len() as u64, &value);
            state.lent.push_back((value, None));
            values += 1;
        }
        if state.input.len() < READ_AHEAD {
            self.room.notify_one();
        }
        if values == 0 {
            state.waiting.push(volunteer.clone());
            return None;
        }
        Some((message, values))
    }

    /// Takes the results of a message. Returns their number.
    fn put(&self, message: &Bytes) -> anyhow::Result<usize> {
        let mut results = Vec::new();
        frame::read(message, |number, result| results.push((number, result)))?;
        let mut state = self.lock();
        let state = &mut *state;
        let count = results.len();
        for (number, result) in results {
            let place = state.lent.get_mut((number - state.first) as usize);
            place.context("a result came twice")?.1 = Some(result);
        }
        while let Some((_, Some(result))) = state.lent.front() {
            state.output.extend_from_slice(result);
            state.output.push(b'\n');
            state.lent.pop_front();
            state.first += 1;
        }
        if !state.output.is_empty() {
            self.output.notify_one();
        }
        Ok(count)
    }
}
