//! What the owner of a run decides about a device.

/// The decisions about a device, which also hold for its later sessions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct OwnerRule {
    /// The device is lent nothing.
    pub(crate) paused: bool,
    /// The most cores that compute.
    pub(crate) cores: Option<u32>,
    /// The device is sent away.
    pub(crate) removed: bool,
}

impl OwnerRule {
    /// How many of the `offered` cores may compute.
    pub(super) fn cores_of(&self, offered: u32) -> u32 {
        if self.paused || self.removed { 0 } else { offered.min(self.cores.unwrap_or(u32::MAX)) }
    }
}
