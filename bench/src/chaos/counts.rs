//! Counts of events over all runs.

use super::{context::Context, master::Life};
use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

/// The counts over all runs.
#[derive(Debug, Default)]
pub(super) struct FaultCounts {
    values: AtomicU64,
    volunteers: AtomicU64,
    steps: AtomicU64,
    tabs: AtomicU64,
    local: AtomicU64,
    journals: AtomicU64,
    relays: AtomicU64,
    restarts: AtomicU64,
}

impl fmt::Display for FaultCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |count: &AtomicU64| count.load(Relaxed);
        write!(
            f,
            "{} values, {} volunteers by hand, {} things that happened to them, {} runs with a tab, {} with local cores, {} with a journal, {} with a relay, {} restarts of the master",
            of(&self.values),
            of(&self.volunteers),
            of(&self.steps),
            of(&self.tabs),
            of(&self.local),
            of(&self.journals),
            of(&self.relays),
            of(&self.restarts)
        )
    }
}

impl FaultCounts {
    /// Adds one run to the counts.
    pub(super) fn add(&self, context: &Context, lives: &[Life]) {
        let plan = &context.plan;
        let told = context.told().len() as u64;
        self.values.fetch_add(context.count, Relaxed);
        self.volunteers.fetch_add(plan.volunteers.len() as u64, Relaxed);
        self.steps.fetch_add(told, Relaxed);
        self.tabs.fetch_add(plan.tab.is_some().into(), Relaxed);
        self.local.fetch_add(plan.job.has_local_cores().into(), Relaxed);
        self.journals.fetch_add(plan.job.journal.into(), Relaxed);
        self.relays.fetch_add(plan.relay.is_some().into(), Relaxed);
        self.restarts.fetch_add(lives.len() as u64 - 1, Relaxed);
    }
}
