//! What a device says besides answers: its name and cores, long calls, parts of results, pongs, and
//! its goodbye.

use super::Exchange;
use crate::{
    master::{
        policy::{self, MissingFeature, watch},
        registry::LongCall,
    },
    protocol::Running,
};
use std::time::Duration;

/// The longest believable time of a call; longer reports are cut to this.
const LONGEST_CALL: Duration = Duration::from_secs(365 * 24 * 3600);

/// Why a session is closed, as far as the state is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leaving {
    /// The channel was lost, or the device was silent.
    Vanished,
    /// The device kept values without computing them.
    Unresponsive,
    /// Anything else.
    Otherwise,
}

impl Exchange<'_> {
    /// Changes the name or the number of cores of a device. Returns the old and the new name, if
    /// the name changes, whether the session may ask, and the room.
    pub(in crate::master) fn update(
        &mut self,
        name: Option<String>,
        cores: Option<u32>,
    ) -> (Option<(String, String)>, bool, usize) {
        let (sub, registry) = (self.sub, &mut *self.context.registry);
        if cores == Some(0) {
            self.context.items.lender_mut().pause(sub);
        }
        let names = name.and_then(|name| registry.rename(sub, &name));
        let Some(device) = registry.get_mut(sub) else { return (None, true, 0) };
        if let Some(cores) = cores {
            device.set_cores(cores, self.context.now);
        }
        (names, !device.waits_after_recall(), device.loans().room())
    }

    /// Notes that the device of a session leaves. Returns lines for people, and of how many values
    /// the device computed copies that other devices compute again.
    pub(in crate::master) fn leave(&mut self, how: Leaving) -> (Vec<String>, usize) {
        if how == Leaving::Vanished {
            self.surrender_suspects();
        }
        let Self { sub, context, retries, .. } = self;
        let mut lines = match how {
            Leaving::Vanished => retries.vanished(context, *sub),
            _ => Vec::new(),
        };
        let copies = self.leave_shared();
        let Self { sub, context, speculation, backpressure, .. } = self;
        let unresponsive = how == Leaving::Unresponsive;
        if let Some(mut device) = context.registry.leave(*sub, unresponsive, context.now) {
            speculation.left(&device);
            backpressure.left(&mut device);
            let words = context.registry.remember(device.key());
            lines.extend(words.map(|words| format!("{} {words}", device.name())));
        }
        (lines, copies)
    }

    /// Closes a session, whose values are lent again, besides `copies` that it computed. Returns
    /// how many these are.
    pub(in crate::master) fn close(&mut self, copies: usize) -> usize {
        let held = self.context.items.lender_mut().close(self.sub).len() + copies;
        self.context.registry.statistics_mut().left(held);
        held
    }

    /// Handles a device's report about long calls, or about loading the function for `loading`
    /// milliseconds.
    pub(in crate::master) fn started(&mut self, calls: &[Running], loading: Option<u64>) {
        let policy::RunContext { items, registry, job, now } = &mut self.context;
        let (sub, now, lender) = (self.sub, *now, items.lender());
        let tell_at = watch::long(registry.statistics().median(), job.options.dom);
        let Some(device) = registry.get_mut(sub) else { return };
        if let Some(ms) = loading {
            device.loads(Duration::from_millis(ms), now);
        }
        for Running { id: loan, ms } in calls {
            if lender.holds(sub, *loan) || device.loans().is_copy(*loan) {
                let time = Duration::from_millis(*ms).min(LONGEST_CALL);
                let since = now.checked_sub(time).unwrap_or(now);
                device.began(*loan, LongCall::new(since, tell_at), now);
            }
        }
    }

    /// Notes a pong, after `round_trip`: the first `arrived` values have arrived.
    pub(in crate::master) fn pong(&mut self, round_trip: Duration, arrived: Option<u64>) {
        if let Some(device) = self.context.registry.get_mut(self.sub) {
            device.pong(round_trip, arrived, self.context.now);
        }
    }

    /// Notes progress: a part of a result arrived, or the channel is not read at present.
    pub(in crate::master) fn worked(&mut self) {
        if let Some(device) = self.context.registry.get_mut(self.sub) {
            device.worked(self.context.now);
        }
    }

    /// Notes that `bytes` bytes of an incomplete result have arrived. Returns whether to keep them.
    pub(in crate::master) fn take_parts(&mut self, bytes: u64) -> bool {
        let policy::RunContext { items, registry, .. } = &mut self.context;
        self.backpressure.take_parts(items, registry, self.sub, bytes)
    }

    /// Adds a report of the function, and returns the name of the device.
    pub(in crate::master) fn report(&mut self, report: &serde_json::Value) -> Option<String> {
        let device = self.context.registry.get_mut(self.sub)?;
        device.reports_mut().add(report);
        Some(device.name().to_owned())
    }

    /// Returns advice to append to an error of the device.
    pub(in crate::master) fn hint(&self, missing: Option<&MissingFeature>) -> &'static str {
        policy::hint(self.context.registry, self.sub, missing, self.context.job)
    }
}
