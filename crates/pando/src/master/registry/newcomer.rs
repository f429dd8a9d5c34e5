//! A device that joins: who it is, and what is known of it before any value is lent to it.

use crate::protocol::Path;
use std::sync::Arc;
use tokio::sync::Notify;

/// Who joins, as a hello introduces the device.
pub(crate) struct Newcomer {
    pub(crate) name: String,
    pub(crate) key: DeviceKey,
    pub(crate) page: Page,
    pub(crate) path: Path,
    pub(crate) cores: u32,
    pub(crate) wake: Arc<Notify>,
}

/// The identity of a device on any channel. A guest may claim the name of this machine's own
/// cores, so `local` tells them apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct DeviceKey {
    /// The identifier from the device's hello.
    pub(crate) device: Arc<str>,
    /// The device is this machine's own cores.
    pub(crate) local: bool,
}

/// What the HTTP request has told about the page of a volunteer, before any hello.
#[derive(Debug, Clone, Default)]
pub(crate) struct Page {
    /// The page was loaded over plain http from another machine, so that browsers withhold some
    /// features.
    pub(crate) insecure: bool,
    /// The browser, for example `Chrome 71`.
    pub(crate) browser: Option<String>,
}
