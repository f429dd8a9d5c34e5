//! Channels in memory: to this machine's own cores, and to peer connections.

use crate::protocol::Frame;
use futures_util::{Sink, Stream};
use pando_peers::Channel;
use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::sync::mpsc::{Receiver, Sender, error::SendError};

/// A future that the sink waits for.
type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The master's end of a channel in memory.
pub(crate) struct MemoryEnd {
    incoming: Receiver<Frame>,
    /// Nothing else sends here.
    outgoing: Sender<Frame>,
    /// Waits for room, if there was none.
    room: Option<Later<Result<(), SendError<()>>>>,
    /// Waits for the end of the channel.
    closed: Later<()>,
}

impl From<Channel> for MemoryEnd {
    fn from(Channel { incoming, outgoing }: Channel) -> Self {
        let watched = outgoing.clone();
        let closed = Box::pin(async move { watched.closed().await });
        Self { incoming, outgoing, room: None, closed }
    }
}

impl Stream for MemoryEnd {
    type Item = Frame;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Frame>> {
        self.incoming.poll_recv(context)
    }
}

impl Sink<Frame> for MemoryEnd {
    type Error = SendError<()>;

    fn poll_ready(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), SendError<()>>> {
        let Self { outgoing, room, .. } = &mut *self;
        if room.is_none() && outgoing.capacity() > 0 {
            return Poll::Ready(Ok(()));
        }
        let waits = room.get_or_insert_with(|| {
            let sender = outgoing.clone();
            Box::pin(async move { sender.reserve().await.map(drop) })
        });
        let result = ready!(waits.as_mut().poll(context));
        *room = None;
        Poll::Ready(result)
    }

    fn start_send(self: Pin<&mut Self>, frame: Frame) -> Result<(), SendError<()>> {
        self.outgoing.try_send(frame).map_err(|_| SendError(()))
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), SendError<()>>> {
        match self.closed.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(SendError(()))),
            Poll::Pending => Poll::Ready(Ok(())),
        }
    }

    fn poll_close(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), SendError<()>>> {
        self.poll_flush(context)
    }
}
