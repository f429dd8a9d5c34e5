//! Carries a channel over a WebSocket.

use super::Channel;
use crate::protocol::Frame;
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::{SinkExt, StreamExt};

/// Moves frames between `socket` and `channel` until either closes.
///
/// Frames that were queued before the channel was dropped still go out, then the closing handshake.
pub async fn carry(socket: WebSocket, channel: Channel) {
    let (mut sink, mut stream) = socket.split();
    let Channel { mut incoming, outgoing } = channel;
    let write = async {
        while let Some(frame) = incoming.recv().await {
            let message = match frame {
                Frame::Text(text) => Message::Text(text.into()),
                Frame::Binary(bytes) => Message::Binary(bytes),
            };
            if sink.feed(message).await.is_err() || (incoming.is_empty() && sink.flush().await.is_err()) {
                return;
            }
        }
        let _ = sink.send(Message::Close(Some(CloseFrame { code: 1000, reason: "".into() }))).await;
    };
    let read = async {
        while let Some(Ok(message)) = stream.next().await {
            let frame = match message {
                Message::Text(text) => Frame::Text(text.as_str().to_owned()),
                Message::Binary(bytes) => Frame::Binary(bytes),
                Message::Ping(_) | Message::Pong(_) => continue,
                Message::Close(_) => return,
            };
            if outgoing.send(frame).await.is_err() {
                return;
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
