//! The interface between a volunteer and an engine: start a core, send values to the core, receive
//! its answers, kill the core.

use bytes::Bytes;
use pando_protocol::core::CoreMessage;
use tokio::sync::mpsc;

/// The id of a volunteer's core. A core that replaces another has the same number and the next
/// generation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CoreId {
    /// The number of the core, from 0.
    pub number: usize,
    /// How many cores had this number before.
    pub generation: u32,
}

/// The sender for messages of cores, each with the id of its core.
pub type CoreEvents = mpsc::Sender<(CoreId, CoreEvent)>;

/// An engine: starts cores that run the job's function.
pub trait Engine: Send + Sync + 'static {
    /// Starts a core, whose messages go to `events` with `id`. The last message is
    /// [`CoreEvent::Ended`].
    ///
    /// # Errors
    /// When the core cannot be started.
    fn start(&self, id: CoreId, events: CoreEvents) -> std::io::Result<Core>;
}

impl<E: Engine + ?Sized> Engine for std::sync::Arc<E> {
    fn start(&self, id: CoreId, events: CoreEvents) -> std::io::Result<Core> {
        (**self).start(id, events)
    }
}

/// A running core. Dropping this value kills the core.
#[derive(Debug)]
pub struct Core {
    /// The sender for frames of values.
    pub values: mpsc::UnboundedSender<Bytes>,
    /// Dropping this sender ends the core.
    pub _alive: tokio::sync::oneshot::Sender<()>,
}

/// An event of a core.
#[derive(Debug)]
pub enum CoreEvent {
    /// A message.
    Message(CoreMessage),
    /// A frame of results.
    Results(Bytes),
    /// A frame of results that count only after [`CoreEvent::Confirmed`] or after the end of the
    /// core.
    Tentative(Bytes),
    /// All unsure results count now.
    Confirmed,
    /// A line on the core's standard output or error, outside the function's own messages.
    Stray(String),
    /// The core has ended, for this reason.
    Ended(String),
}
