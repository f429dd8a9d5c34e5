//! The ends of a channel.

use pando_protocol::volunteer::Frame;
use tokio::sync::mpsc;

/// Most frames that wait in each direction; a frame has at most about 64 KiB.
const QUEUE: usize = 4;

/// One end of a channel, which carries frames between a master and one volunteer, whatever the
/// transport.
///
/// Each end has a receiver and a sender with short queues. A sender waits for room with
/// [`Sender::reserve`](mpsc::Sender::reserve) *while* its side receives, so that two ends with much
/// to send never wait for each other. Dropping an end closes the channel.
#[derive(Debug)]
pub struct Channel {
    /// Frames from the other end.
    pub incoming: mpsc::Receiver<Frame>,
    /// Frames for the other end.
    pub outgoing: mpsc::Sender<Frame>,
}

/// Two ends that are joined in memory.
pub fn pair() -> (Channel, Channel) {
    let (to_right, from_left) = mpsc::channel(QUEUE);
    let (to_left, from_right) = mpsc::channel(QUEUE);
    (
        Channel { incoming: from_right, outgoing: to_right },
        Channel { incoming: from_left, outgoing: to_left },
    )
}
