//! A channel carries frames between a master and one volunteer, whatever the transport.
//!
//! Each end has a receiver and a sender of [`Frame`]s with short queues. Who sends waits for room with
//! [`Sender::reserve`](tokio::sync::mpsc::Sender::reserve) *while* it receives, so that two ends that both have much to
//! say never wait for each other. Dropping an end closes the channel.

pub mod webrtc;
mod websocket;

pub use webrtc::Peers;
pub use websocket::carry;

use crate::protocol::Frame;
use tokio::sync::mpsc;

/// Frames that wait in each direction; a frame is at most about 64 KiB.
const QUEUE: usize = 4;

/// One end of a channel.
#[derive(Debug)]
pub struct Channel {
    /// What the other end sent.
    pub incoming: mpsc::Receiver<Frame>,
    /// What goes to the other end.
    pub outgoing: mpsc::Sender<Frame>,
}

/// Two ends joined in memory.
pub fn pair() -> (Channel, Channel) {
    let (to_right, from_left) = mpsc::channel(QUEUE);
    let (to_left, from_right) = mpsc::channel(QUEUE);
    (Channel { incoming: from_right, outgoing: to_right }, Channel { incoming: from_left, outgoing: to_left })
}
