//! Carries a channel over a WebSocket.

use super::Channel;
use crate::protocol::Frame;
use axum::extract::ws;
use bytes::Bytes;
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use tokio_tungstenite::tungstenite as client;

/// A message of some WebSocket, whatever the library.
pub trait Message: Sized {
    /// Text.
    fn text(text: String) -> Self;
    /// Bytes.
    fn binary(bytes: Bytes) -> Self;
    /// The end.
    fn close() -> Self;
    /// What it means to a channel.
    fn heard(self) -> Heard;
}

/// What a WebSocket's message means to a channel.
#[derive(Debug)]
pub enum Heard {
    /// A frame of ours.
    Frame(Frame),
    /// The WebSocket's own business.
    Nothing,
    /// The end.
    Close,
}

/// Normal closure, RFC 6455 §7.4.1.
const NORMAL: u16 = 1000;

impl Message for ws::Message {
    fn text(text: String) -> Self {
        Self::Text(text.into())
    }

    fn binary(bytes: Bytes) -> Self {
        Self::Binary(bytes)
    }

    fn close() -> Self {
        Self::Close(Some(ws::CloseFrame { code: NORMAL, reason: "".into() }))
    }

    fn heard(self) -> Heard {
        match self {
            Self::Text(text) => Heard::Frame(Frame::Text(text.as_str().to_owned())),
            Self::Binary(bytes) => Heard::Frame(Frame::Binary(bytes)),
            Self::Ping(_) | Self::Pong(_) => Heard::Nothing,
            Self::Close(_) => Heard::Close,
        }
    }
}

impl Message for client::Message {
    fn text(text: String) -> Self {
        Self::Text(text.into())
    }

    fn binary(bytes: Bytes) -> Self {
        Self::Binary(bytes)
    }

    fn close() -> Self {
        Self::Close(Some(client::protocol::CloseFrame { code: NORMAL.into(), reason: "".into() }))
    }

    fn heard(self) -> Heard {
        match self {
            Self::Text(text) => Heard::Frame(Frame::Text(text.as_str().to_owned())),
            Self::Binary(bytes) => Heard::Frame(Frame::Binary(bytes)),
            Self::Ping(_) | Self::Pong(_) | Self::Frame(_) => Heard::Nothing,
            Self::Close(_) => Heard::Close,
        }
    }
}

/// Moves frames between `socket` and `channel` until either closes.
///
/// Frames that were queued before the channel was dropped still go out, then the closing handshake.
pub async fn carry<M: Message, E>(socket: impl Stream<Item = Result<M, E>> + Sink<M>, channel: Channel) {
    let (mut sink, mut stream) = socket.split();
    let Channel { mut incoming, outgoing } = channel;
    let write = async {
        while let Some(frame) = incoming.recv().await {
            let message = match frame {
                Frame::Text(text) => M::text(text),
                Frame::Binary(bytes) => M::binary(bytes),
            };
            if sink.feed(message).await.is_err() || (incoming.is_empty() && sink.flush().await.is_err()) {
                return;
            }
        }
        let _ = sink.send(M::close()).await;
    };
    let read = async {
        while let Some(Ok(message)) = stream.next().await {
            match message.heard() {
                Heard::Frame(frame) => {
                    if outgoing.send(frame).await.is_err() {
                        return;
                    }
                }
                Heard::Nothing => {}
                Heard::Close => return,
            }
        }
    };
    tokio::pin!(write, read);
    // When the volunteer goes, what is queued for it is of no use; when the master goes, its last words still are.
    tokio::select! {
        () = &mut write => {}
        () = &mut read => {}
    }
}
