//! An open connection to the master, whatever the transport.

use crate::peer::PeerSocket;
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use pando_client::WebSocket;
use pando_protocol::volunteer::Frame;
use std::future::poll_fn;
use tokio_tungstenite::tungstenite::{Error, Message};

/// An event of a socket.
#[derive(Debug)]
pub(crate) enum SocketEvent {
    /// A frame of the master.
    Frame(Frame),
    /// The socket has room for a frame.
    HasRoom,
    /// All frames have gone to the system.
    Flushed,
    /// The connection has ended, for this reason.
    Closed(String),
}

/// See the module.
pub(crate) enum Socket {
    /// A WebSocket, to the master or through a relay.
    Web(SplitSink<WebSocket, Message>, SplitStream<WebSocket>),
    /// A peer connection.
    Peer(PeerSocket),
}

impl Socket {
    /// The next event. `has_frame`: whether there is a frame to send; `is_unflushed`: whether
    /// frames were given to the socket since [`SocketEvent::Flushed`]. The wait may be cancelled.
    pub(crate) async fn next(&mut self, has_frame: bool, is_unflushed: bool) -> SocketEvent {
        match self {
            Self::Web(sink, stream) => loop {
                let progress = poll_fn(|context| match has_frame {
                    true => sink.poll_ready_unpin(context),
                    false => sink.poll_flush_unpin(context),
                });
                let event = tokio::select! {
                    message = stream.next() => heard(message),
                    done = progress, if has_frame || is_unflushed => Some(match done {
                        Ok(()) if has_frame => SocketEvent::HasRoom,
                        Ok(()) => SocketEvent::Flushed,
                        Err(error) => SocketEvent::Closed(error.to_string()),
                    }),
                };
                if let Some(event) = event {
                    return event;
                }
            },
            Self::Peer(socket) => socket.next(has_frame, is_unflushed).await,
        }
    }

    /// Gives `frame` to the socket, after [`SocketEvent::HasRoom`]. The next event tells of an
    /// error.
    pub(crate) fn send(&mut self, frame: Frame) {
        match (self, frame) {
            (Self::Web(sink, _), Frame::Text(text)) => {
                let _ = sink.start_send_unpin(Message::Text(text.into()));
            }
            (Self::Web(sink, _), Frame::Binary(bytes)) => {
                let _ = sink.start_send_unpin(Message::Binary(bytes));
            }
            (Self::Peer(socket), frame) => socket.send(frame),
        }
    }

    /// Closes the connection, after its frames are sent.
    pub(crate) async fn close(self) {
        match self {
            Self::Web(mut sink, mut stream) => {
                if sink.close().await.is_ok() {
                    while let Some(Ok(_)) = stream.next().await {}
                }
            }
            Self::Peer(socket) => socket.close().await,
        }
    }
}

/// What a message of a WebSocket means; `None` for a message that only concerns the WebSocket.
fn heard(message: Option<Result<Message, Error>>) -> Option<SocketEvent> {
    match message {
        Some(Ok(Message::Text(text))) => {
            Some(SocketEvent::Frame(Frame::Text(text.as_str().to_owned())))
        }
        Some(Ok(Message::Binary(bytes))) => Some(SocketEvent::Frame(Frame::Binary(bytes))),
        Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => None,
        Some(Ok(Message::Close(_))) | None => {
            Some(SocketEvent::Closed("the connection was closed".into()))
        }
        Some(Err(error)) => Some(SocketEvent::Closed(error.to_string())),
    }
}
