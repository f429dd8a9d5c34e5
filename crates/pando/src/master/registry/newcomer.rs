//! A device that joins: who it is, and what is known of it before any value is lent to it.

use super::Traffic;
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
    /// Whether the device is a browser, and not a program with cores.
    pub(crate) is_browser: bool,
    /// Whether the page was loaded again: it may work now, whatever is known of it.
    pub(crate) reloaded: bool,
    pub(crate) wake: Arc<Notify>,
    pub(crate) traffic: Arc<Traffic>,
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
    /// The operating system, for example `Android`.
    pub(crate) system: Option<&'static str>,
}

/// What a device is, and how it is connected.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Origin {
    pub(crate) is_browser: bool,
    /// The browser and its system, in words; may be empty.
    pub(crate) browser: String,
    pub(crate) path: Path,
}

impl Page {
    /// The browser and its system, in words; may be empty.
    pub(super) fn words(&self) -> String {
        match (&self.browser, self.system) {
            (Some(browser), Some(system)) => format!("{browser} on {system}"),
            (browser, system) => browser.as_deref().or(system).unwrap_or_default().to_owned(),
        }
    }
}
