//! The figures of a run for its history: few, so that they cost little.

use super::{
    idle::{IdleCause, IdleCores},
    why::Situation,
};
use crate::master::{job::Job, state::RunState};
use std::{collections::HashMap, time::Instant};

/// See the module.
#[derive(Debug, Clone, Default)]
pub(crate) struct RunSample {
    /// The number of items with a result, or left out.
    pub(crate) done: u64,
    /// The number of results computed in this run.
    pub(crate) computed: u64,
    /// The cores that have a value to compute.
    pub(crate) busy_cores: u64,
    /// The cores that may compute.
    pub(crate) cores: u64,
    /// The cores that may compute and have no value, by the cause.
    pub(crate) idle: IdleCores,
    pub(crate) in_progress: u64,
    pub(crate) waiting: u64,
    pub(crate) failed_attempts: u64,
    /// The number of results of each device, by its number.
    pub(crate) items: HashMap<u64, u64>,
    /// The seconds since the start of the run.
    pub(crate) elapsed: f64,
}

impl RunSample {
    /// The figures at `now`.
    pub(super) fn of(state: &RunState, job: &Job, now: Instant) -> Self {
        let (registry, lender) = (state.registry(), state.items().lender());
        let cause = Situation::of(state, job, now).idle_cause();
        let devices = registry.iter().filter(|(_, device)| !device.is_replaced());
        let (mut busy_cores, mut cores, mut idle) = (0, 0, IdleCores::new());
        for (sub, device) in devices {
            let values = lender.held(sub) + device.loans().copies().count();
            let busy = u64::from(device.cores()).min(values as u64);
            cores += u64::from(device.cores());
            busy_cores += busy;
            let cause = if device.takes_part() { cause } else { IdleCause::Aside };
            *idle.entry(cause).or_default() += u64::from(device.cores()) - busy;
        }
        Self {
            done: state.settled(),
            computed: registry.statistics().total(),
            busy_cores,
            cores,
            idle,
            in_progress: lender.unfinished() as u64,
            waiting: state.items().waiting(),
            failed_attempts: state.retries().counts().1,
            items: registry.items_by_number(),
            elapsed: registry.statistics().elapsed(now).as_secs_f64(),
        }
    }
}
