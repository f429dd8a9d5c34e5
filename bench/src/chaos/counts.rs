//! Counts of events over all runs.

use super::{context::Context, job::Shape, master::Life, trust::RandomTrust};
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
    machines: AtomicU64,
    gateways: AtomicU64,
    local: AtomicU64,
    journals: AtomicU64,
    relays: AtomicU64,
    restarts: AtomicU64,
    edits: AtomicU64,
    chunks: AtomicU64,
    tables: AtomicU64,
    copies: AtomicU64,
    quorums: AtomicU64,
    spot_checks: AtomicU64,
    liars: AtomicU64,
    caught: AtomicU64,
    doubts: AtomicU64,
}

impl fmt::Display for FaultCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |count: &AtomicU64| count.load(Relaxed);
        write!(
            f,
            "{} values, {} volunteers by hand, {} things that happened to them, {} runs with a tab, {} machines, {} of them gateways, {} with local cores, {} with a journal, {} with a relay, {} restarts of the master, {} of them with another input; {} runs with chunks, {} with tables, {} with copies, {} with verification, {} with spot checks; {} liars, {} of them caught, {} runs in doubt",
            of(&self.values),
            of(&self.volunteers),
            of(&self.steps),
            of(&self.tabs),
            of(&self.machines),
            of(&self.gateways),
            of(&self.local),
            of(&self.journals),
            of(&self.relays),
            of(&self.restarts),
            of(&self.edits),
            of(&self.chunks),
            of(&self.tables),
            of(&self.copies),
            of(&self.quorums),
            of(&self.spot_checks),
            of(&self.liars),
            of(&self.caught),
            of(&self.doubts)
        )
    }
}

impl FaultCounts {
    /// Adds one run to the counts.
    pub(super) fn add(&self, context: &Context, lives: &[Life]) {
        let plan = &context.plan;
        let told = context.told().len() as u64;
        self.values.fetch_add(context.count(), Relaxed);
        self.volunteers.fetch_add(plan.volunteers.len() as u64, Relaxed);
        self.steps.fetch_add(told, Relaxed);
        self.tabs.fetch_add(plan.tab.is_some().into(), Relaxed);
        self.machines.fetch_add(plan.machines.len() as u64, Relaxed);
        let gateways = plan.machines.iter().filter(|machine| machine.shares).count();
        self.gateways.fetch_add(gateways as u64, Relaxed);
        self.local.fetch_add(plan.job.has_local_cores().into(), Relaxed);
        self.journals.fetch_add(plan.job.journal.into(), Relaxed);
        self.relays.fetch_add(plan.relay.is_some().into(), Relaxed);
        self.restarts.fetch_add(lives.len() as u64 - 1, Relaxed);
        let edits = plan.edits.iter().take(lives.len() - 1).filter(|edits| **edits).count();
        self.edits.fetch_add(edits as u64, Relaxed);
        let shape = match plan.job.shape {
            Shape::Plain => None,
            Shape::Chunk(_) => Some(&self.chunks),
            Shape::Table => Some(&self.tables),
        };
        let trust = plan.job.trust.map(|trust| match trust {
            RandomTrust::Copies(_) => &self.copies,
            RandomTrust::Quorum(_) => &self.quorums,
            RandomTrust::SpotChecks(_) => &self.spot_checks,
        });
        for count in shape.into_iter().chain(trust) {
            count.fetch_add(1, Relaxed);
        }
        let liars = plan.volunteers.iter().filter(|volunteer| volunteer.lie.is_some()).count();
        self.liars.fetch_add(liars as u64, Relaxed);
        let said = |words: &str| -> usize {
            lives.iter().map(|life| life.said.matches(words).count()).sum()
        };
        self.caught.fetch_add(said(" is not trusted any more: ") as u64, Relaxed);
        self.doubts.fetch_add((said("may be wrong") > 0).into(), Relaxed);
    }
}
