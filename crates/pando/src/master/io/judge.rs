//! Runs a command of the user that judges results, and gives its answer by its exit status.

use crate::volunteer::Guard;
use bytes::Bytes;
use std::{
    process::{ExitStatus, Stdio},
    sync::Arc,
    thread,
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::{ChildStderr, Command},
    sync::Semaphore,
};

/// The most bytes of the command's last output in a message.
const LAST_WORDS: usize = 1000;
/// How long the output of a finished command is still read.
const REST: Duration = Duration::from_millis(200);

/// Judges what `next` gives, as many at a time as this machine has threads. Never ends.
pub(super) async fn judge_all<T, N, F>(next: impl Fn() -> N, judge_one: impl Fn(T) -> F)
where
    N: Future<Output = T>,
    F: Future<Output = ()> + Send + 'static,
{
    let at_once = Arc::new(Semaphore::new(thread::available_parallelism().map_or(2, usize::from)));
    loop {
        let Ok(permit) = at_once.clone().acquire_owned().await else { return };
        let judging = judge_one(next().await);
        tokio::spawn(async move {
            judging.await;
            drop(permit);
        });
    }
}

/// Runs the command of `option` with `input` on its standard input, within `timeout`, if given.
/// Returns its exit status and, unless it succeeded, its last words for a message.
///
/// # Errors
/// Why the command gave no answer, in words.
pub(super) async fn judge(
    option: &str,
    mut command: Command,
    input: Vec<Bytes>,
    timeout: Option<Duration>,
    guard: Arc<Guard>,
) -> Result<(ExitStatus, String), String> {
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command
        .spawn()
        .map_err(|error| format!("the {option} command cannot be started: {error}"))?;
    let member = guard.guard(&child);
    let mut stdin = child.stdin.take().expect("piped");
    let writing = tokio::spawn(async move {
        // The command need not read its input.
        for bytes in input {
            let _ = stdin.write_all(&bytes).await;
        }
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
            "the {option} command takes longer than {:?}",
            timeout.unwrap_or_default()
        ));
    };
    member.forget();
    match ended {
        Ok(status) if status.success() => Ok((status, String::new())),
        Ok(status) => {
            // Processes left behind by the command may keep its standard error open.
            let _ = tokio::time::timeout(REST, last_words(&mut errors, &mut said)).await;
            let said = String::from_utf8_lossy(&said).trim().to_owned();
            Ok((status, if said.is_empty() { said } else { format!(": {said}") }))
        }
        Err(error) => Err(format!("the {option} command cannot be waited for: {error}")),
    }
}

/// Reads to the end, and keeps the last bytes in `said`.
async fn last_words(errors: &mut ChildStderr, said: &mut Vec<u8>) {
    while errors.read_buf(said).await.is_ok_and(|count| count > 0) {
        said.drain(..said.len().saturating_sub(LAST_WORDS));
    }
}
