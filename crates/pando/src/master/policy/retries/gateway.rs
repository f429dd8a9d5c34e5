//! Failed attempts at a gateway, which makes one attempt each time when its run lends it a value.

use super::Retries;
use crate::master::registry::Registry;
use stream_lender::{Index, SubStreamId};

impl Retries {
    /// The sessions of the devices which have failed `index`, perhaps when the run lent it before.
    pub(crate) fn who_failed(&self, registry: &Registry, index: Index) -> Vec<SubStreamId> {
        if self.failures.is_clear() {
            return Vec::new();
        }
        let sessions = registry.iter();
        let failed = sessions.filter(|(_, device)| self.failures.has_failed(index, device.key()));
        failed.map(|(sub, _)| sub).collect()
    }
}
