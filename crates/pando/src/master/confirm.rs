//! `--confirm COMMAND`: a result counts only after COMMAND has accepted it. Otherwise its value is
//! computed again.
//!
//! While the command runs, a sub-stream of its own holds the value, so that nothing is lost when
//! the device leaves.

use super::{Core, Master};
use crate::{
    console::printable,
    protocol::Failure,
    volunteer::{Guard, leader, shell},
};
use bytes::Bytes;
use serde_json::json;
use std::{
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};
use stream_lender::{Loan, SubStreamId};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::ChildStderr,
    sync::Semaphore,
};

/// The longest value, in bytes, which the command also receives in an environment variable.
const LONGEST_VARIABLE: usize = 64 * 1024;
/// The most bytes of the command's last output in a message.
const LAST_WORDS: usize = 1000;
/// How long the output of a finished command is still read.
const REST: Duration = Duration::from_millis(200);

/// A result waiting for confirmation.
#[derive(Debug)]
pub(crate) struct Unconfirmed {
    /// The sub-stream holding the value meanwhile.
    sub: SubStreamId,
    /// The session which answered.
    by: SubStreamId,
    pub(super) loan: Loan,
    device: String,
    result: Bytes,
}

impl Core {
    /// Takes the value of `loan` from `by`, and queues `result` for confirmation. Returns false if
    /// `by` did not hold the loan.
    pub(crate) fn hold_until_confirmed(
        &mut self,
        by: SubStreamId,
        loan: Loan,
        device: &str,
        result: Bytes,
    ) -> bool {
        if self.lender.hand_back(by, loan).is_err() {
            return false;
        }
        let sub = self.lender.open();
        self.lender.pause(sub);
        if self.lender.take_up(sub, loan).is_none() {
            self.lender.close(sub);
            return false;
        }
        self.held_back.unconfirmed += result.len() as u64;
        self.unconfirmed.push_back(Unconfirmed { sub, by, loan, device: device.into(), result });
        true
    }
}

/// Confirms results with `command`, several at a time, each within `timeout`, if given. Never
/// ends.
pub(crate) async fn confirm(
    master: Arc<Master>,
    command: String,
    timeout: Option<Duration>,
    guard: Guard,
) {
    let guard = Arc::new(guard);
    let at_once =
        Arc::new(Semaphore::new(std::thread::available_parallelism().map_or(2, usize::from)));
    loop {
        let Ok(permit) = at_once.clone().acquire_owned().await else { return };
        let unconfirmed = loop {
            if let Some(unconfirmed) = master.with(|core| core.unconfirmed.pop_front()) {
                break unconfirmed;
            }
            master.answered.notified().await;
        };
        let (master, command, guard) = (master.clone(), command.clone(), guard.clone());
        tokio::spawn(async move {
            let failed = match master.to_confirm(&unconfirmed) {
                // The run ended before the confirmation.
                None => return,
                Some(value) => run(&command, &unconfirmed, &value, timeout, guard).await.err(),
            };
            master.confirmed(unconfirmed, failed, Instant::now());
            drop(permit);
        });
    }
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
    child.env("PANDO_INDEX", (unconfirmed.loan.index + 1).to_string());
    child.env("PANDO_DEVICE", &unconfirmed.device);
    if let Some(text) = std::str::from_utf8(value)
        .ok()
        .filter(|text| text.len() <= LONGEST_VARIABLE && !text.contains('\0'))
    {
        child.env("PANDO_INPUT", text);
    }
    child.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = child
        .spawn()
        .map_err(|error| format!("the --confirm command cannot be started: {error}"))?;
    let member = guard.guard(&child);
    let mut input = child.stdin.take().expect("piped");
    let result = unconfirmed.result.clone();
    let writing = tokio::spawn(async move {
        // The command need not read its input.
        let _ = input.write_all(&result).await;
        let _ = input.write_all(b"\n").await;
    });
    let mut errors = child.stderr.take().expect("piped");
    let mut said = Vec::new();
    let ending = async {
        let reads = last_words(&mut errors, &mut said);
        tokio::pin!(reads);
        tokio::select! {
            status = child.wait() => return status,
            () = &mut reads => {}
        }
        child.wait().await
    };
    let ended = tokio::time::timeout(timeout.unwrap_or(Duration::MAX), ending).await;
    writing.abort();
    let Ok(ended) = ended else {
        member.kill();
        return Err(format!(
            "the --confirm command takes longer than {:?}",
            timeout.unwrap_or_default()
        ));
    };
    member.forget();
    match ended {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => {
            // Processes left behind by the command may keep its standard error open.
            let _ = tokio::time::timeout(REST, last_words(&mut errors, &mut said)).await;
            let said = String::from_utf8_lossy(&said).trim().to_owned();
            let said = if said.is_empty() { String::new() } else { format!(": {said}") };
            Err(format!("the --confirm command did not succeed ({status}){said}"))
        }
        Err(error) => Err(format!("the --confirm command cannot be waited for: {error}")),
    }
}

/// Reads to the end, and keeps the last bytes in `said`.
async fn last_words(errors: &mut ChildStderr, said: &mut Vec<u8>) {
    while errors.read_buf(said).await.is_ok_and(|count| count > 0) {
        said.drain(..said.len().saturating_sub(LAST_WORDS));
    }
}

impl Master {
    /// The value of a result to confirm; `None` when the run has ended before.
    pub(super) fn to_confirm(&self, unconfirmed: &Unconfirmed) -> Option<Bytes> {
        self.with(|core| {
            let value = core.lender.value(unconfirmed.loan.index).map(|value| value.bytes.clone());
            if value.is_none() {
                core.held_back.unconfirmed -= unconfirmed.result.len() as u64;
                core.lender.close(unconfirmed.sub);
            }
            value
        })
    }

    /// Accepts the result, or fails its value because of `failed`.
    pub(super) fn confirmed(&self, unconfirmed: Unconfirmed, failed: Option<String>, now: Instant) {
        let Unconfirmed { sub, by, loan, device, result } = unconfirmed;
        let kind = if failed.is_none() { "confirmed" } else { "unconfirmed" };
        self.events
            .write(kind, json!({"index": loan.index + 1, "device": device, "message": failed}));
        let line = self.with(|core| {
            core.held_back.unconfirmed -= result.len() as u64;
            let line = match failed {
                None => {
                    core.finish(sub, loan, result);
                    core.computed(by, loan.index, now);
                    core.succeeded(by)
                }
                Some(message) => {
                    let failure = Failure { message, stack: None, kind: "confirm".into() };
                    // If the session which answered still exists, its device takes the blame, and
                    // another device gets the value.
                    let _ = core.lender.hand_back(sub, loan);
                    let tried =
                        [by, sub].into_iter().find(|sub| core.lender.take_up(*sub, loan).is_some());
                    tried.and_then(|sub| {
                        core.attempt_failed(sub, loan, &failure, &device, &self.job, now)
                    })
                }
            };
            core.lender.close(sub);
            line
        });
        if let Some(line) = line {
            self.console.say(printable(&line));
        }
    }
}
