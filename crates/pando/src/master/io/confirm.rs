//! Runs the command of `--confirm` for each result.

use super::judge::{judge, judge_all};
use crate::{
    console::printable,
    master::{policy::Unconfirmed, run::Master, state::RunState},
    volunteer::{Guard, leader, shell},
};
use bytes::Bytes;
use serde_json::json;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// The longest value, in bytes, which the command also receives in an environment variable.
const LONGEST_VARIABLE: usize = 64 * 1024;

/// Confirms results with `command`, several at a time, each within `timeout`, if given. Never
/// ends.
pub(crate) async fn confirm(
    master: Arc<Master>,
    command: String,
    timeout: Option<Duration>,
    guard: Guard,
) {
    let guard = Arc::new(guard);
    let next = || async {
        loop {
            if let Some(unconfirmed) = master.with(RunState::take_unconfirmed) {
                break unconfirmed;
            }
            master.wait_for_results().await;
        }
    };
    judge_all(next, |unconfirmed| {
        let (master, command, guard) = (master.clone(), command.clone(), guard.clone());
        async move {
            let failed = match master.to_confirm(&unconfirmed) {
                // The run ended before the confirmation.
                None => return,
                Some(value) => run(&command, &unconfirmed, &value, timeout, guard).await.err(),
            };
            master.confirmed(unconfirmed, failed, Instant::now());
        }
    })
    .await;
}

/// Runs the command for one result.
///
/// # Errors
/// Why the command did not accept the result, in words.
async fn run(
    command: &str,
    unconfirmed: &Unconfirmed,
    value: &[u8],
    timeout: Option<Duration>,
    guard: Arc<Guard>,
) -> Result<(), String> {
    let mut child = leader(shell(command));
    child.env("PANDO_INDEX", (unconfirmed.loan().index + 1).to_string());
    child.env("PANDO_DEVICE", unconfirmed.device());
    if let Some(text) = std::str::from_utf8(value)
        .ok()
        .filter(|text| text.len() <= LONGEST_VARIABLE && !text.contains('\0'))
    {
        child.env("PANDO_INPUT", text);
    }
    let input = vec![unconfirmed.result().clone(), Bytes::from_static(b"\n")];
    let (status, said) = judge("--confirm", child, input, timeout, guard).await?;
    match status.success() {
        true => Ok(()),
        false => Err(format!("the --confirm command did not succeed ({status}){said}")),
    }
}

impl Master {
    /// The value of a result to confirm; `None` when the run has ended before.
    pub(in crate::master) fn to_confirm(&self, unconfirmed: &Unconfirmed) -> Option<Bytes> {
        self.with(|state| state.start_to_confirm(unconfirmed))
    }

    /// Accepts the result, or fails its value because of `refused`.
    pub(in crate::master) fn confirmed(
        &self,
        unconfirmed: Unconfirmed,
        refused: Option<String>,
        now: Instant,
    ) {
        let kind = if refused.is_none() { "confirmed" } else { "unconfirmed" };
        let (index, device) = (unconfirmed.loan().index + 1, unconfirmed.device());
        self.events.write(kind, json!({"index": index, "device": device, "message": refused}));
        let (lines, shown) =
            self.with(|state| state.confirmed(unconfirmed, refused, (&self.job, now)));
        self.gallery.show(shown.into_iter().collect());
        for line in lines {
            self.console.say(printable(&line));
        }
    }
}
