//! Channels over WebSockets.

use super::Channel;
use crate::protocol::Frame;
use axum::extract::ws;
use bytes::Bytes;
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use std::time::Duration;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite as client;

/// How long the last frames may take to a volunteer that goes on sending.
const LAST_FRAMES: Duration = Duration::from_secs(10);

/// A message of a WebSocket, whatever the library.
pub(crate) trait SocketMessage: Sized {
    /// A text message.
    fn text(text: String) -> Self;
    /// A binary message.
    fn binary(bytes: Bytes) -> Self;
    /// The closing message.
    fn close() -> Self;
    /// The meaning of the message for a channel.
    fn heard(self) -> SocketEvent;
}

/// The meaning of a WebSocket's message for a channel.
#[derive(Debug)]
pub(crate) enum SocketEvent {
    /// A frame of the protocol.
    Frame(Frame),
    /// A message that concerns only the WebSocket, such as a ping.
    Nothing,
    /// The end of the WebSocket.
    Close,
}

/// Normal closure, RFC 6455 §7.4.1.
const NORMAL: u16 = 1000;

impl SocketMessage for ws::Message {
    fn text(text: String) -> Self {
        Self::Text(text.into())
    }

    fn binary(bytes: Bytes) -> Self {
        Self::Binary(bytes)
    }

    fn close() -> Self {
        Self::Close(Some(ws::CloseFrame { code: NORMAL, reason: "".into() }))
    }

    fn heard(self) -> SocketEvent {
        match self {
            Self::Text(text) => SocketEvent::Frame(Frame::Text(text.as_str().to_owned())),
            Self::Binary(bytes) => SocketEvent::Frame(Frame::Binary(bytes)),
            Self::Ping(_) | Self::Pong(_) => SocketEvent::Nothing,
            Self::Close(_) => SocketEvent::Close,
        }
    }
}

impl SocketMessage for client::Message {
    fn text(text: String) -> Self {
        Self::Text(text.into())
    }

    fn binary(bytes: Bytes) -> Self {
        Self::Binary(bytes)
    }

    fn close() -> Self {
        Self::Close(Some(client::protocol::CloseFrame { code: NORMAL.into(), reason: "".into() }))
    }

    fn heard(self) -> SocketEvent {
        match self {
            Self::Text(text) => SocketEvent::Frame(Frame::Text(text.as_str().to_owned())),
            Self::Binary(bytes) => SocketEvent::Frame(Frame::Binary(bytes)),
            Self::Ping(_) | Self::Pong(_) | Self::Frame(_) => SocketEvent::Nothing,
            Self::Close(_) => SocketEvent::Close,
        }
    }
}

/// Moves frames between `socket` and `channel` until either closes.
///
/// After the channel is dropped, its queued frames still go out, followed by the closing
/// handshake.
pub(crate) async fn carry<M: SocketMessage, E>(
    socket: impl Stream<Item = Result<M, E>> + Sink<M>,
    channel: Channel,
) {
    let (mut sink, mut stream) = socket.split();
    let Channel { mut incoming, outgoing } = channel;
    let write = async {
        while let Some(frame) = incoming.recv().await {
            let message = match frame {
                Frame::Text(text) => M::text(text),
                Frame::Binary(bytes) => M::binary(bytes),
            };
            if sink.feed(message).await.is_err()
                || (incoming.is_empty() && sink.flush().await.is_err())
            {
                return;
            }
        }
        let _ = sink.send(M::close()).await;
    };
    let read = async {
        while let Some(Ok(message)) = stream.next().await {
            match message.heard() {
                SocketEvent::Frame(frame) => {
                    if outgoing.send(frame).await.is_err() {
                        // The master goes: nobody hears the volunteer any more.
                        let rest = async { while let Some(Ok(_)) = stream.next().await {} };
                        let _ = timeout(LAST_FRAMES, rest).await;
                        return;
                    }
                }
                SocketEvent::Nothing => {}
                SocketEvent::Close => return,
            }
        }
    };
    tokio::pin!(write, read);
    // When the volunteer goes, its queued frames are useless. When the master goes, its last
    // frames are still sent.
    tokio::select! {
        () = &mut write => {}
        () = &mut read => {}
    }
}
