//! What the owner of a run asks for on the page.

use crate::master::{Decision, Master, StopRequest};
use serde::Deserialize;
use std::time::Instant;

/// A request of the owner, as JSON: `{"action":"pause","device":"3"}`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "action", rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum OwnerAction {
    Pause {
        device: String,
    },
    Resume {
        device: String,
    },
    Remove {
        device: String,
    },
    /// At most this number of cores computes.
    Cores {
        device: String,
        cores: u32,
    },
    /// No more input is read, and the items read so far are finished.
    Finish,
    /// The run ends now.
    Stop,
}

/// Does what `action` asks for.
///
/// # Errors
/// When this is not possible, with a sentence for people.
pub(super) fn act(master: &Master, action: &OwnerAction) -> Result<(), &'static str> {
    let (device, decision) = match action {
        OwnerAction::Pause { device } => (device, Decision::Pause),
        OwnerAction::Resume { device } => (device, Decision::Resume),
        OwnerAction::Remove { device } => (device, Decision::Remove),
        OwnerAction::Cores { device, cores } => (device, Decision::Cores(*cores)),
        OwnerAction::Finish => {
            master.request_stop(StopRequest::Finish);
            return Ok(());
        }
        OwnerAction::Stop => {
            master.request_stop(StopRequest::Now);
            return Ok(());
        }
    };
    let number = device.parse().map_err(|_| "There is no such device.")?;
    master.decide(number, decision, Instant::now())
}
