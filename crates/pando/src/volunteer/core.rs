//! What a volunteer asks of an engine: start a core, send it values, take its answers, kill it.

use bytes::Bytes;
use pando_protocol::core::CoreMessage;
use tokio::sync::mpsc;

/// Which core of a volunteer; one that replaces another has its number and the next generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CoreId {
    /// From 0.
    pub number: usize,
    /// How many were there before it.
    pub generation: u32,
}

/// What cores say, and which.
pub type Voice = mpsc::Sender<(CoreId, FromCore)>;

/// Starts cores that run the job's function.
pub trait Engine: Send + Sync + 'static {
    /// Starts one; what it says comes out of `voice` with `id`, the last of it being [`FromCore::Ended`].
    ///
    /// # Errors
    /// When it cannot be started.
    fn start(&self, id: CoreId, voice: Voice) -> std::io::Result<Core>;
}

impl<E: Engine + ?Sized> Engine for std::sync::Arc<E> {
    fn start(&self, id: CoreId, voice: Voice) -> std::io::Result<Core> {
        (**self).start(id, voice)
    }
}

/// A running core. Dropping it kills it.
#[derive(Debug)]
pub struct Core {
    /// Frames of values for it.
    pub values: mpsc::UnboundedSender<Bytes>,
    /// Ends it when dropped.
    pub alive: tokio::sync::oneshot::Sender<()>,
}

/// What a core says.
#[derive(Debug)]
pub enum FromCore {
    /// A message.
    Message(CoreMessage),
    /// A frame of results.
    Results(Bytes),
    /// The same, but they do not count before [`FromCore::Sure`], or whatever the core says of its end.
    Unsure(Bytes),
    /// Results that were unsure are no more.
    Sure,
    /// A line on its standard output or error, where the function has nothing to say.
    Stray(String),
    /// It is no more; why, in words.
    Ended(String),
}
