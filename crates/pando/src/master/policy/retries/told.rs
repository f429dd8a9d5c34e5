//! What people are told of failures, apart from the lines of failed attempts.

use super::Retries;
use crate::master::policy::{RunContext, blame};

impl Retries {
    /// Sets the URL where tabs join.
    pub(crate) fn set_url(&mut self, url: &str) {
        self.notices.set_url(url);
    }

    /// Returns a message: tabs can compute the function, this machine's cores cannot, because of
    /// `why`.
    pub(crate) fn cannot_compute(&self, why: &str) -> String {
        self.notices.cannot_compute("it", why)
    }

    /// Takes the messages due now about failures that are no attempts.
    pub(crate) fn take_notices(&mut self, context: &mut RunContext) -> Vec<String> {
        self.notices.take_due(context.registry, context.now)
    }

    /// Returns a message, once, when items wait and all connected devices are unfit.
    pub(crate) fn tell_that_nobody_can(&mut self, context: &RunContext) -> Option<String> {
        let registry = &*context.registry;
        // The failures of this machine's cores have messages of their own.
        let has_guests = registry.devices().any(|device| device.is_active() && !device.is_local());
        let nobody_can =
            has_guests && !registry.devices().any(|device| blame::may_try(registry, device));
        if !nobody_can {
            self.notices.somebody_can();
            return None;
        }
        // While a device tries an item, perhaps no item waits, but nothing has changed for people.
        let waits = context.items.lender().oldest_returned();
        let index = waits.into_iter().chain(self.postponed.first()).min()?;
        self.notices.tell_of_nobody().then(|| {
            format!(
                "no device that is here can compute item {}, and those after it: the run goes on when another one joins",
                index + 1
            )
        })
    }

    /// Lines about failures that were counted and not told, at the end of the run.
    pub(crate) fn last_words(&self) -> Vec<String> {
        self.kinds.last_words()
    }
}
