//! Runs the command of `--confirm` for each result.

use crate::{
    console::printable,
    master::{policy::Unconfirmed, run::Master, state::RunState},
    volunteer::{Guard, leader, shell},
};
use bytes::Bytes;
use serde_json::json;
use std::{
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};
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
            if let Some(unconfirmed) = master.with(RunState::take_unconfirmed) {
                break unconfirmed;
            }
            master.wait_for_results().await;
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
    child.env("PANDO_INDEX", (unconfirmed.loan().index + 1).to_string());
    child.env("PANDO_DEVICE", unconfirmed.device());
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
    let result = unconfirmed.result().clone();
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
        let (line, shown) =
            self.with(|state| state.confirmed(unconfirmed, refused, (&self.job, now)));
        self.gallery.show(shown.into_iter().collect());
        if let Some(line) = line {
            self.console.say(printable(&line));
        }
    }
}
