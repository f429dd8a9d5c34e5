//! Channels over WebSockets.

use crate::protocol::Frame;
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::{CloseFrame, frame::coding::CloseCode},
};

/// The master's end of a channel over a WebSocket.
pub(crate) struct WebSocketEnd<S> {
    socket: S,
    /// The socket may hold bytes that are not sent.
    unflushed: bool,
    /// The closing message was sent.
    closing: bool,
}

impl<S> WebSocketEnd<S> {
    pub(crate) fn new(socket: S) -> Self {
        Self { socket, unflushed: false, closing: false }
    }
}

impl<S, E> Stream for WebSocketEnd<S>
where
    S: Stream<Item = Result<Message, E>> + Unpin,
{
    type Item = Frame;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Frame>> {
        while let Some(Ok(message)) = ready!(self.socket.poll_next_unpin(context)) {
            let frame = match message {
                Message::Text(text) => Frame::Text(text.as_str().to_owned()),
                Message::Binary(bytes) => Frame::Binary(bytes),
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => continue,
                Message::Close(_) => break,
            };
            return Poll::Ready(Some(frame));
        }
        Poll::Ready(None)
    }
}

impl<S, E> Sink<Frame> for WebSocketEnd<S>
where
    S: Stream<Item = Result<Message, E>> + Sink<Message> + Unpin,
{
    type Error = S::Error;

    fn poll_ready(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), S::Error>> {
        self.socket.poll_ready_unpin(context)
    }

    fn start_send(mut self: Pin<&mut Self>, frame: Frame) -> Result<(), S::Error> {
        self.unflushed = true;
        self.socket.start_send_unpin(match frame {
            Frame::Text(text) => Message::Text(text.into()),
            Frame::Binary(bytes) => Message::Binary(bytes),
        })
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), S::Error>> {
        if self.unflushed {
            ready!(self.socket.poll_flush_unpin(context))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Sends the closing message, and waits for no answer.
    fn poll_close(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), S::Error>> {
        if !self.closing {
            ready!(self.socket.poll_ready_unpin(context))?;
            let normal = CloseFrame { code: CloseCode::Normal, reason: "".into() };
            self.socket.start_send_unpin(Message::Close(Some(normal)))?;
            (self.closing, self.unflushed) = (true, true);
        }
        self.poll_flush(context)
    }
}
