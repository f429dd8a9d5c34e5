//! Whether there are enough devices for the values that want another one, and who has a value.

use super::Trust;
use crate::{
    config::TrustRule,
    master::{
        items::Lender,
        job::Job,
        policy::RunContext,
        registry::{Device, Registry},
    },
    number::count,
};
use std::time::{Duration, Instant};
use stream_lender::{Index, SubStreamId};

/// How long a shortage lasts before people are told: devices often come in groups.
const NOTICE: Duration = Duration::from_secs(2);

/// Values that want another device than those that are connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shortage {
    /// The oldest of these values.
    pub(crate) index: Index,
    /// How many devices more this value wants.
    pub(crate) devices: usize,
    /// Whether the answers to this value differ.
    differ: bool,
    rule: String,
    /// How many devices are not trusted any more.
    caught: usize,
}

/// What people know of the present shortage.
#[derive(Debug, Default)]
pub(super) struct ShortageNotice {
    /// How many devices more are wanted.
    devices: usize,
    since: Option<Instant>,
    is_told: bool,
}

impl Trust {
    /// The shortage of devices, if the oldest value that wants another device can be given to none
    /// of those that are connected, whether they are busy or not.
    pub(crate) fn shortage(&self, lender: &Lender, registry: &Registry) -> Option<Shortage> {
        let index = self.wanting.iter().copied().find(|index| self.is_here(lender, *index))?;
        let is_able =
            |device: &Device| device.takes_part() && self.may_take(lender, registry, index, device);
        if registry.devices().any(is_able) {
            return None;
        }
        let item = self.open.get(&index)?;
        Some(Shortage {
            index,
            devices: item.missing(),
            differ: !matches!(self.rule, TrustRule::Copies(_)) && item.different() > 1,
            rule: self.rule.in_words(),
            caught: self.records.caught(),
        })
    }

    /// Returns a line for people, once, when there are too few devices for some time, and again
    /// when another number of devices is missing.
    pub(crate) fn tell_shortage(&mut self, context: &RunContext) -> Option<String> {
        let Some(shortage) = self.shortage(context.items.lender(), context.registry) else {
            self.notice = ShortageNotice::default();
            return None;
        };
        if shortage.devices != self.notice.devices {
            self.notice = ShortageNotice { devices: shortage.devices, ..ShortageNotice::default() };
        }
        let since = *self.notice.since.get_or_insert(context.now);
        let is_due = context.now.saturating_duration_since(since) >= NOTICE;
        (is_due && !std::mem::replace(&mut self.notice.is_told, true))
            .then(|| shortage.in_words(context.job))
    }

    /// Whether the values read so far can be finished by the connected devices: some device works,
    /// or may take the oldest value.
    pub(crate) fn gets_on(&self, lender: &Lender, registry: &Registry, now: Instant) -> bool {
        let Some((index, holder)) = lender.oldest() else { return true };
        // The command of --confirm or of --verify-with checks the value, or its failure is
        // postponed.
        if holder.is_some() && holder != self.keeper || self.comparisons.concerns(index) {
            return true;
        }
        let silence_limit = registry.silence_limit();
        registry.devices().filter(|device| !device.is_replaced()).any(|device| {
            let loans = device.loans();
            match loans.has_copies() {
                true => !loans.progress().is_stalled(silence_limit, now),
                false => device.takes_part() && self.may_take(lender, registry, index, device),
            }
        })
    }

    /// The session that computes a value held by the keeper; `None` if no device does.
    pub(crate) fn holder(&self, index: Index, holder: Option<SubStreamId>) -> Option<SubStreamId> {
        match holder == self.keeper {
            true => self.open.get(&index)?.computing().next(),
            false => holder,
        }
    }
}

impl Shortage {
    /// The sentence about the shortage.
    pub(crate) fn in_words(&self, job: &Job) -> String {
        let Self { index, devices, differ, rule, caught } = self;
        let more = count(*devices as u64, "more device");
        let differ = if *differ { ", because the answers so far differ" } else { "" };
        let caught = match caught {
            0 => String::new(),
            1 => "; 1 device is not trusted any more".into(),
            n => format!("; {n} devices are not trusted any more"),
        };
        format!(
            "{} waits for {more} that can compute it: by {rule}, no device gets a value twice{differ}{caught}",
            job.item(*index)
        )
    }
}
