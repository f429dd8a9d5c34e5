//! The channels between the master and its volunteers, whatever the transport ([`ChannelEnd`]).

mod memory;
mod websocket;

pub(crate) use memory::MemoryEnd;
pub(crate) use pando_peers::{Peers, pair};
pub(crate) use websocket::WebSocketEnd;

use crate::protocol::Frame;
use futures_util::{Sink, Stream};

/// The master's end of a channel with one volunteer. The stream has the frames from the volunteer,
/// and ends with the channel. The sink takes the frames for the volunteer, and fails when the
/// channel ends.
///
/// The session's task polls both, because each side of a channel must receive while it waits to
/// send: otherwise two sides with much to send would wait for each other. While the task has
/// nothing to send, it flushes the sink. So a task that does not receive also learns of the end of
/// the channel.
pub(crate) trait ChannelEnd: Stream<Item = Frame> + Sink<Frame> + Send + Unpin {}

impl<E: Stream<Item = Frame> + Sink<Frame> + Send + Unpin> ChannelEnd for E {}
