//! Runs the command of `--verify-with` for each pair of results that are not the same bytes.

use super::judge::{judge, judge_all};
use crate::{
    console::printable,
    master::{policy::trust::Comparison, run::Master, state::RunState},
    volunteer::{Guard, leader, shell},
};
use bytes::Bytes;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Compares results with `command`, several pairs at a time, each within `timeout`, if given.
/// Never ends.
pub(crate) async fn compare(
    master: Arc<Master>,
    command: String,
    timeout: Option<Duration>,
    guard: Guard,
) {
    let guard = Arc::new(guard);
    let next = || async {
        loop {
            if let Some(comparison) = master.with(RunState::take_comparison) {
                break comparison;
            }
            master.wait_for_comparison().await;
        }
    };
    judge_all(next, |comparison| {
        let (master, command, guard) = (master.clone(), command.clone(), guard.clone());
        async move {
            let equal = are_equal(&command, &comparison, &master, timeout, guard).await;
            master.compared(&comparison, equal);
        }
    })
    .await;
}

/// Whether the command takes two results for equal: status 0 means yes, 1 means no.
///
/// # Errors
/// Why the command gave no answer, in words.
async fn are_equal(
    command: &str,
    comparison: &Comparison,
    master: &Master,
    timeout: Option<Duration>,
    guard: Arc<Guard>,
) -> Result<bool, String> {
    let separator = Bytes::copy_from_slice(&[master.job.framing.separator]);
    let mut child = leader(shell(command));
    child.env("PANDO_INDEX", (comparison.index + 1).to_string());
    let [first, second] = comparison.results.clone();
    let input = vec![first, separator.clone(), second, separator];
    let (status, said) = judge("--verify-with", child, input, timeout, guard).await?;
    match status.code() {
        Some(0) => Ok(true),
        Some(1) => Ok(false),
        _ => Err(format!(
            "the --verify-with command gave no answer, which is status 0 or 1 ({status}){said}"
        )),
    }
}

impl Master {
    /// Notes the outcome of a comparison. Without an answer, the run ends.
    pub(in crate::master) fn compared(&self, comparison: &Comparison, equal: Result<bool, String>) {
        let lines = self.with(|state| match equal {
            Ok(equal) => state.compared(comparison, equal, (&self.job, Instant::now())),
            Err(why) => {
                state.mistrust(why);
                Vec::new()
            }
        });
        lines.iter().for_each(|line| self.console.say(printable(line)));
    }

    /// How the output is in doubt, in words; `None` if it is not.
    pub(crate) fn doubts(&self) -> Option<String> {
        self.lock().doubts()
    }
}
