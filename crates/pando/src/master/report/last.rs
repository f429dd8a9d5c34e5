//! The figures of a run at its end, for the summary, the monitoring page and the report.

use super::{RunSnapshot, Summary, WallTime};
use crate::master::{job::Job, state::RunState};
use pando_bundler::Bundle;
use std::collections::BTreeMap;

/// See the module. All figures are of one moment.
#[derive(Debug, Clone)]
pub(crate) struct LastFigures {
    pub(crate) summary: Summary,
    pub(crate) run: RunSnapshot,
    /// When each device was connected, by its number: the begin and the end of each stay, in
    /// seconds since 1970.
    pub(crate) stays: BTreeMap<u64, Vec<[f64; 2]>>,
}

impl LastFigures {
    pub(super) fn of(state: &RunState, job: &Job, time: &WallTime) -> Self {
        let stays = state.registry().stays(time.now).into_iter().map(|(number, stays)| {
            (number, stays.into_iter().map(|stay| stay.map(|end| time.unix_of(end))).collect())
        });
        Self {
            summary: Summary::of(state, job, time.now),
            run: RunSnapshot::of(state, job, time).of_end(),
            stays: stays.collect(),
        }
    }

    /// As this, with stacks that have places in the user's files.
    pub(super) fn traced(self, function: &Bundle) -> Self {
        Self { run: self.run.traced(function), ..self }
    }
}
