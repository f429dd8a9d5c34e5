//! Frames from the other side, queued for the owner of the channel.

use pando_protocol::volunteer::Frame;
use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::sync::mpsc::{
    OwnedPermit, Sender,
    error::{SendError, TrySendError},
};

/// Bytes of waiting frames from which on packets are dropped.
const MOST: usize = 256 << 10;
/// Bytes counted for an empty frame.
const ENTRY: usize = 64;

/// A future that the inbox waits for.
type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The waiting frames; see the module. The default inbox is closed.
#[derive(Default)]
pub(crate) struct Inbox {
    owner: Option<Sender<Frame>>,
    waiting: VecDeque<Frame>,
    bytes: usize,
    room: Option<Later<Result<OwnedPermit<Frame>, SendError<()>>>>,
    dropped: Option<Later<()>>,
}

impl Inbox {
    pub(crate) fn new(owner: Sender<Frame>) -> Self {
        let watched = owner.clone();
        let dropped: Later<()> = Box::pin(async move { watched.closed().await });
        Self { owner: Some(owner), dropped: Some(dropped), ..Self::default() }
    }

    /// Adds a frame that has arrived.
    pub(crate) fn push(&mut self, frame: Frame) {
        if self.owner.is_some() {
            self.bytes += bytes(&frame);
            self.waiting.push_back(frame);
        }
    }

    /// Whether so many frames wait that further packets should be dropped; the other side sends
    /// dropped packets again.
    pub(crate) fn is_full(&self) -> bool {
        self.bytes >= MOST
    }

    /// Whether no frame waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether the owner has dropped the channel.
    pub(crate) fn poll_dropped(&mut self, context: &mut Context) -> bool {
        self.dropped.as_mut().is_some_and(|dropped| dropped.as_mut().poll(context).is_ready())
    }

    /// Gives frames to the owner in order, as many as there is room for.
    pub(crate) fn deliver(&mut self, context: &mut Context) {
        while let Some(owner) = &self.owner {
            if let Some(room) = &mut self.room {
                let Poll::Ready(permit) = room.as_mut().poll(context) else { return };
                self.room = None;
                match (permit, self.waiting.pop_front()) {
                    (Ok(permit), Some(frame)) => {
                        self.bytes -= bytes(&frame);
                        permit.send(frame);
                    }
                    _ => return self.close(),
                }
                continue;
            }
            let Some(frame) = self.waiting.pop_front() else { return };
            let taken = bytes(&frame);
            match owner.try_send(frame) {
                Ok(()) => self.bytes -= taken,
                Err(TrySendError::Full(frame)) => {
                    self.waiting.push_front(frame);
                    self.room = Some(Box::pin(owner.clone().reserve_owned()));
                }
                Err(TrySendError::Closed(_)) => return self.close(),
            }
        }
    }

    /// Drops the waiting frames; the owner's receiver ends.
    pub(crate) fn close(&mut self) {
        *self = Self::default();
    }
}

/// The bytes that are counted for `frame`.
fn bytes(frame: &Frame) -> usize {
    ENTRY + frame.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;
    use tokio::sync::mpsc::{Receiver, channel};

    fn inbox(room: usize) -> (Inbox, Receiver<Frame>) {
        let (sender, receiver) = channel(room);
        (Inbox::new(sender), receiver)
    }

    fn frame(number: usize) -> Frame {
        Frame::Text(number.to_string())
    }

    #[test]
    fn frames_wait_for_room_and_keep_their_order() {
        let (mut inbox, mut owner) = inbox(2);
        let mut context = Context::from_waker(Waker::noop());
        (0..5).for_each(|number| inbox.push(frame(number)));
        for number in 0..5 {
            inbox.deliver(&mut context);
            assert_eq!(owner.try_recv(), Ok(frame(number)));
        }
        assert!(inbox.is_empty() && inbox.bytes == 0);
        inbox.close();
        assert!(owner.is_closed() && owner.try_recv().is_err());
    }

    #[test]
    fn it_is_full_until_something_is_taken() {
        let (mut inbox, mut owner) = inbox(1);
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..2 {
            inbox.push(Frame::Binary(vec![0; MOST / 2 - ENTRY].into()));
        }
        assert!(inbox.is_full());
        inbox.deliver(&mut context);
        assert!(!inbox.is_full() && !inbox.is_empty());
        assert!(owner.try_recv().is_ok());
        inbox.deliver(&mut context);
        assert!(inbox.is_empty());
    }

    #[test]
    fn an_owner_that_is_gone_is_noticed_and_nothing_is_kept_for_it() {
        let (mut inbox, owner) = inbox(1);
        let mut context = Context::from_waker(Waker::noop());
        assert!(!inbox.poll_dropped(&mut context));
        drop(owner);
        assert!(inbox.poll_dropped(&mut context));
        inbox.push(frame(1));
        inbox.deliver(&mut context);
        inbox.push(frame(2));
        assert!(inbox.is_empty());
    }
}
