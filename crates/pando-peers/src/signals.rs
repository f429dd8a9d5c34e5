//! What a connection says to the other side while it opens.

use pando_protocol::signalling::{MasterSignal, VolunteerSignal};
use tokio::sync::mpsc;

/// The sender of signals to the other side. Signals without room are dropped: the connection then
/// opens without them, or not at all.
#[derive(Debug)]
pub(crate) enum Say {
    /// This side is the master.
    AsMaster(mpsc::Sender<MasterSignal>),
    /// This side is the volunteer.
    AsVolunteer(mpsc::Sender<VolunteerSignal>),
}

impl Say {
    /// Names an address of this machine.
    pub(crate) fn candidate(&self, candidate: String) {
        match self {
            Self::AsMaster(say) => drop(say.try_send(MasterSignal::Candidate { candidate })),
            Self::AsVolunteer(say) => drop(say.try_send(VolunteerSignal::Candidate { candidate })),
        }
    }
}
