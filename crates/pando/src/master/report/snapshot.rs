//! The state of a run at one moment, for the monitoring page and for programs. `docs/monitoring.md`
//! says what each figure means.

mod devices;

pub(crate) use devices::{DeviceFigures, ReportFigures};

use super::{
    WallTime, micros, millis,
    why::{ENDED, Situation},
};
use crate::master::{forecast::Remaining, job::Job, registry::Contribution, state::RunState};
use pando_bundler::Bundle;
use serde::Serialize;

/// See the module. Times are in seconds, items are numbered from 1.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RunSnapshot {
    pub(crate) now: f64,
    pub(crate) started: f64,
    pub(crate) elapsed: f64,
    pub(crate) state: RunPhase,
    /// Why nothing is computed, in one sentence; empty while values are computed.
    pub(crate) why: String,
    pub(crate) progress: ProgressFigures,
    pub(crate) window: WindowFigures,
    pub(crate) failures: FailureFigures,
    pub(crate) devices: Vec<DeviceFigures>,
    prints: Vec<PrintedEntry>,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RunPhase {
    Running,
    /// No more input is read, and the run ends early.
    Finishing,
    Finished,
}

/// How much is done, and how much is left.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProgressFigures {
    pub(crate) done: u64,
    /// Results computed in this run.
    pub(crate) computed: u64,
    pub(crate) total: Option<u64>,
    total_is_certain: bool,
    pub(crate) per_second: f64,
    pub(crate) seconds_left: Option<f64>,
}

/// Where the items between input and output are.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WindowFigures {
    pub(crate) read: u64,
    pub(crate) output: u64,
    pub(crate) in_progress: u64,
    /// Results that wait for the result of an earlier item, or for the reader of the output.
    pub(crate) waiting: u64,
    pub(crate) limit: u64,
    blocked_by: Option<BlockingItem>,
}

/// The item for which all results wait.
#[derive(Debug, Clone, Serialize)]
struct BlockingItem {
    item: u64,
    /// The name of the device that has the item; empty if no device has it.
    device: String,
    seconds: f64,
}

/// What failed, or was computed again.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FailureFigures {
    pub(crate) items: u64,
    pub(crate) attempts: u64,
    pub(crate) lent_again: u64,
    pub(crate) copies: u64,
    last: Vec<FailedEntry>,
}

/// A failed attempt; its number counts all failed attempts of the run.
#[derive(Debug, Clone, Serialize)]
struct FailedEntry {
    number: u64,
    time: f64,
    item: u64,
    input: String,
    device: String,
    message: String,
    stack: String,
}

/// Something that the function printed; its number counts all of the run.
#[derive(Debug, Clone, Serialize)]
struct PrintedEntry {
    number: u64,
    time: f64,
    device: String,
    item: Option<u64>,
    level: String,
    text: String,
    count: u64,
}

impl RunSnapshot {
    /// The state at `time`. The stacks have places in the bundle.
    pub(super) fn of(state: &RunState, job: &Job, time: &WallTime) -> Self {
        let elapsed = state.registry().statistics().elapsed(time.now).as_secs_f64();
        let contributions = state.registry().contributions(time.now);
        let device = |device: &Contribution| DeviceFigures::of(device, state, time);
        Self {
            now: millis(time.unix),
            started: millis(time.unix - elapsed),
            elapsed: millis(elapsed),
            state: match state.shutdown().is_ending() || state.retries().ends_run() {
                true => RunPhase::Finishing,
                false => RunPhase::Running,
            },
            why: Situation::of(state, job, time.now).words(),
            progress: ProgressFigures::of(state, job, time),
            window: WindowFigures::of(state, job, time),
            failures: FailureFigures::of(state, job, time),
            devices: contributions.iter().map(device).collect(),
            prints: printed(state, time),
        }
    }

    /// As this, with stacks that have places in the user's files.
    pub(super) fn traced(mut self, function: &Bundle) -> Self {
        for failed in &mut self.failures.last {
            failed.stack = function.trace(&failed.stack);
        }
        self
    }

    /// As this, as the state of a run that has ended.
    pub(crate) fn of_end(self) -> Self {
        Self { state: RunPhase::Finished, why: ENDED.into(), ..self }
    }
}

impl ProgressFigures {
    fn of(state: &RunState, job: &Job, time: &WallTime) -> Self {
        let (done, total) = (state.settled(), state.items().total(job.size));
        let statistics = state.registry().statistics();
        let remaining = Remaining {
            items: total.map(|(total, _)| total.saturating_sub(done)),
            usual: statistics.median(),
            oldest_call: state.registry().oldest_call(time.now),
        };
        let left = state.forecast().time_left(remaining);
        Self {
            done,
            computed: statistics.total(),
            total: total.map(|(total, _)| total),
            total_is_certain: total.is_some_and(|(_, is_certain)| is_certain),
            per_second: millis(statistics.per_second(time.now)),
            seconds_left: left.map(|left| millis(left.as_secs_f64())),
        }
    }
}

impl WindowFigures {
    fn of(state: &RunState, job: &Job, time: &WallTime) -> Self {
        let (lender, waiting) = (state.items().lender(), state.items().waiting());
        Self {
            read: lender.values_read(),
            output: lender.results_output(),
            in_progress: lender.unfinished() as u64,
            waiting,
            limit: job.window as u64,
            blocked_by: BlockingItem::of(state, time)
                .filter(|_| !lender.has_output() && (waiting > 0 || lender.is_full())),
        }
    }
}

impl BlockingItem {
    fn of(state: &RunState, time: &WallTime) -> Option<Self> {
        let (index, holder) = state.items().lender().oldest()?;
        let device = state.computed_by(index, holder);
        let device = device.and_then(|sub| state.registry().get(sub));
        Some(Self {
            item: index + 1,
            device: device.map_or(String::new(), |device| device.name().to_owned()),
            seconds: millis(state.oldest().age(index, time.now).as_secs_f64()),
        })
    }
}

impl FailureFigures {
    fn of(state: &RunState, job: &Job, time: &WallTime) -> Self {
        let (items, attempts) = state.retries().counts();
        let last = state.retries().newest().iter().map(|(number, failed)| FailedEntry {
            number,
            time: time.unix_of(failed.at),
            item: job.number(failed.item),
            input: failed.input.clone(),
            device: failed.device.clone(),
            message: failed.message.clone(),
            stack: failed.stack.clone(),
        });
        Self {
            items,
            attempts,
            lent_again: state.registry().statistics().lent_again(),
            copies: state.speculation().copies(),
            last: last.collect(),
        }
    }
}

fn printed(state: &RunState, time: &WallTime) -> Vec<PrintedEntry> {
    let printed = state.printed().iter().map(|(number, line)| PrintedEntry {
        number,
        time: time.unix_of(line.at),
        device: line.device.clone(),
        item: line.item,
        level: line.level.clone(),
        text: line.text.clone(),
        count: line.count,
    });
    printed.collect()
}

/// A time in seconds with six digits.
fn seconds(time: Option<f64>) -> Option<f64> {
    time.map(micros)
}
