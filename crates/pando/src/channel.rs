//! A channel carries frames between a master and one volunteer, whatever the transport.
//!
//! Each end has a receiver and a sender of [`Frame`]s with short queues. A sender waits for room
//! with [`Sender::reserve`](tokio::sync::mpsc::Sender::reserve) *while* its side receives, so that
//! two ends with much to send never wait for each other. Dropping an end closes the channel.

pub(crate) mod webrtc;
mod websocket;

pub(crate) use webrtc::Peers;
pub(crate) use websocket::carry;

use crate::protocol::Frame;
use tokio::sync::mpsc;

/// Most frames that wait in each direction; a frame has at most about 64 KiB.
const QUEUE: usize = 4;

/// One end of a channel.
#[derive(Debug)]
pub(crate) struct Channel {
    /// Frames from the other end.
    pub(crate) incoming: mpsc::Receiver<Frame>,
    /// Frames for the other end.
    pub(crate) outgoing: mpsc::Sender<Frame>,
}

/// Two ends that are joined in memory.
pub(crate) fn pair() -> (Channel, Channel) {
    let (to_right, from_left) = mpsc::channel(QUEUE);
    let (to_left, from_right) = mpsc::channel(QUEUE);
    (
        Channel { incoming: from_right, outgoing: to_right },
        Channel { incoming: from_left, outgoing: to_left },
    )
}
