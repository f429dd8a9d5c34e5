//! Messages for people about devices that cannot compute, each message once.

use crate::master::registry::{DeviceKey, Registry};
use std::{
    collections::VecDeque,
    mem,
    time::{Duration, Instant},
};

/// How long a message about a device's first failure waits: a device that fails everything quickly
/// is judged by then.
const NOTICE: Duration = Duration::from_secs(2);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Notices {
    /// People know that no connected device can compute the waiting items.
    told_of_nobody: bool,
    /// People know that some items need a browser, not this machine's cores.
    told_of_browsers: bool,
    /// Queued messages about failures which are no attempts, each with its time. A message is
    /// dropped if people have heard about the device by then.
    queue: VecDeque<(Instant, DeviceKey, String)>,
    /// The URL where tabs join, for messages.
    url: String,
}

impl Notices {
    /// Sets the URL where tabs join.
    pub(super) fn set_url(&mut self, url: &str) {
        self.url = url.into();
    }

    /// Returns a message: tabs can compute `what`, this machine's cores cannot.
    pub(super) fn cannot_compute(&self, what: &str, message: &str) -> String {
        format!(
            "this machine's cores cannot compute {what} ({message}: a browser has it): waiting for tabs at {}; \
             --dom if it needs a page (document, window)",
            self.url
        )
    }

    /// Notes that people are told of items for browsers only, and returns whether this is the
    /// first time.
    pub(super) fn tell_of_browsers(&mut self) -> bool {
        !mem::replace(&mut self.told_of_browsers, true)
    }

    /// Notes that people are told that no connected device can compute an item, and returns
    /// whether this is news.
    pub(super) fn tell_of_nobody(&mut self) -> bool {
        !mem::replace(&mut self.told_of_nobody, true)
    }

    /// Notes that some connected device may compute an item.
    pub(super) fn somebody_can(&mut self) {
        self.told_of_nobody = false;
    }

    /// Queues the message `line` about a failure of the device `key`.
    pub(super) fn queue(&mut self, key: DeviceKey, line: String, now: Instant) {
        self.queue.push_back((now + NOTICE, key, line));
    }

    /// Takes the messages due now.
    pub(super) fn take_due(&mut self, registry: &mut Registry, now: Instant) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some((_, key, line)) = self.queue.pop_front_if(|(due, ..)| now >= *due) {
            if registry
                .evidence_mut()
                .fitness_mut(&key)
                .is_some_and(|fitness| fitness.take_notice())
            {
                lines.push(line);
            }
        }
        lines
    }
}
