//! The WebSocket to the master, directly or through a relay: opened, and opened again after each
//! loss.

use crate::{address::Address, settings::unconnected};
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use pando_client::{SocketError, WebServer, WebSocket, backoff, random};
use pando_protocol::volunteer::Frame;
use std::{
    future::{Future, poll_fn},
    pin::Pin,
    time::{Duration, Instant},
};
use tokio::time::{sleep_until, timeout};
use tokio_tungstenite::tungstenite::{Error, Message};

/// How long the opening of a socket may take.
const CONNECTING: Duration = Duration::from_secs(15);
/// Longest message of the master, in bytes: a part and its header, or a long text message.
const LONGEST_MESSAGE: usize = 1 << 20;

/// An event of the link.
#[derive(Debug)]
pub(crate) enum LinkEvent {
    /// The socket is open. [`Link::next`] gives its frames.
    Opened,
    /// A frame of the master.
    Frame(Frame),
    /// The socket has room for a frame: [`Link::send`].
    HasRoom,
    /// All frames have gone to the system.
    Flushed,
    /// The socket is lost, or cannot be opened.
    Lost(Loss),
}

/// Why there is no socket.
#[derive(Debug)]
pub(crate) enum Loss {
    /// The connection broke, or there is none.
    Broken(String),
    /// The server answers, and has no run at the address.
    NoRun,
}

type Dialling = Pin<Box<dyn Future<Output = Result<WebSocket, Loss>> + Send>>;

enum State {
    Waiting(Instant),
    Dialling(Dialling),
    Open(SplitSink<WebSocket, Message>, SplitStream<WebSocket>),
}

/// See the module.
pub(crate) struct Link {
    server: WebServer,
    address: Address,
    state: State,
    /// Whether frames were given to the socket since it was flushed.
    unflushed: bool,
    /// The attempts to connect that failed since the last welcome.
    failures: u32,
    /// Since when there has been no welcome.
    away_since: Instant,
}

impl Link {
    /// A link that opens its socket at once.
    pub(crate) fn new(server: WebServer, address: Address) -> Self {
        let now = Instant::now();
        let state = State::Waiting(now);
        Self { server, address, state, unflushed: false, failures: 0, away_since: now }
    }

    /// Since when the master has not been there.
    pub(crate) fn away_since(&self) -> Instant {
        self.away_since
    }

    /// The master has said welcome.
    pub(crate) fn welcomed(&mut self) {
        self.failures = 0;
    }

    /// Gives the socket up. Another one is opened after a while.
    pub(crate) fn drop_socket(&mut self) {
        if matches!(self.state, State::Open(..)) && self.failures == 0 {
            self.away_since = Instant::now();
        }
        let wait = backoff(self.failures, self.away_since.elapsed(), random());
        self.failures += 1;
        self.unflushed = false;
        self.state = State::Waiting(Instant::now() + wait);
    }

    /// The next event. `has_frame`: whether there is a frame to send. This function may be
    /// cancelled.
    pub(crate) async fn next(&mut self, has_frame: bool) -> LinkEvent {
        loop {
            match &mut self.state {
                State::Waiting(until) => {
                    sleep_until((*until).into()).await;
                    let dialling = dial(self.server.clone(), self.address.clone());
                    self.state = State::Dialling(Box::pin(dialling));
                }
                State::Dialling(dialling) => match dialling.await {
                    Ok(socket) => {
                        let (sink, stream) = socket.split();
                        self.state = State::Open(sink, stream);
                        return LinkEvent::Opened;
                    }
                    Err(loss) => {
                        self.drop_socket();
                        return LinkEvent::Lost(loss);
                    }
                },
                State::Open(sink, stream) => {
                    let moves = has_frame || self.unflushed;
                    let progress = poll_fn(|context| match has_frame {
                        true => sink.poll_ready_unpin(context),
                        false => sink.poll_flush_unpin(context),
                    });
                    let event = tokio::select! {
                        message = stream.next() => heard(message),
                        done = progress, if moves => Some(match done {
                            Ok(()) if has_frame => LinkEvent::HasRoom,
                            Ok(()) => LinkEvent::Flushed,
                            Err(error) => broken(&error),
                        }),
                    };
                    self.unflushed &= !matches!(event, Some(LinkEvent::Flushed));
                    if matches!(event, Some(LinkEvent::Lost(_))) {
                        self.drop_socket();
                    }
                    if let Some(event) = event {
                        return event;
                    }
                }
            }
        }
    }

    /// Gives `frame` to the socket, after [`LinkEvent::HasRoom`].
    pub(crate) fn send(&mut self, frame: Frame) {
        let State::Open(sink, _) = &mut self.state else { return };
        let message = match frame {
            Frame::Text(text) => Message::Text(text.into()),
            Frame::Binary(bytes) => Message::Binary(bytes),
        };
        // The next event tells of an error.
        let _ = sink.start_send_unpin(message);
        self.unflushed = true;
    }

    /// Closes the socket, after its frames are flushed.
    pub(crate) async fn close(&mut self) {
        if let State::Open(sink, stream) = &mut self.state
            && sink.close().await.is_ok()
        {
            while let Some(Ok(_)) = stream.next().await {}
        }
    }
}

/// What a message of the socket means; `None` for a message that only concerns the socket.
fn heard(message: Option<Result<Message, Error>>) -> Option<LinkEvent> {
    match message {
        Some(Ok(Message::Text(text))) => {
            Some(LinkEvent::Frame(Frame::Text(text.as_str().to_owned())))
        }
        Some(Ok(Message::Binary(bytes))) => Some(LinkEvent::Frame(Frame::Binary(bytes))),
        Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => None,
        Some(Ok(Message::Close(_))) | None => {
            Some(LinkEvent::Lost(Loss::Broken("the connection was closed".into())))
        }
        Some(Err(error)) => Some(broken(&error)),
    }
}

fn broken(error: &Error) -> LinkEvent {
    LinkEvent::Lost(Loss::Broken(error.to_string()))
}

async fn dial(server: WebServer, address: Address) -> Result<WebSocket, Loss> {
    match timeout(CONNECTING, server.socket("socket", None, LONGEST_MESSAGE)).await {
        Ok(Ok(socket)) => Ok(socket),
        Ok(Err(SocketError::Connect(error))) => Err(Loss::Broken(unconnected(&error, &address))),
        Ok(Err(SocketError::Request(why))) => Err(Loss::Broken(why)),
        Ok(Err(SocketError::Upgrade(error))) => Err(match *error {
            Error::Http(answer) if answer.status() == 404 => Loss::NoRun,
            Error::Http(answer) => {
                Loss::Broken(format!("{address} answers {}", answer.status().as_str()))
            }
            error => Loss::Broken(format!("{address} accepts no WebSocket ({error})")),
        }),
        Err(_) => Err(Loss::Broken(format!("{address} does not answer"))),
    }
}
