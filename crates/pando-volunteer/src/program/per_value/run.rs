//! One run of a command, for one value.

use super::output::{Errors, failed_with, result_of};
use crate::{
    engine::{CoreEvents, CoreId},
    group::Member,
    program::{MOST_BYTES, Program, ValueScript, command::VARIABLE, pipe::unread},
    stray::LAST_WORDS,
};
use bytes::{Bytes, BytesMut};
use pando_process::{duration::spoken, secrets};
use pando_protocol::volunteer::{Answer, Failure, Form, Loan, Value};
use std::{
    future,
    io::ErrorKind,
    process::ExitStatus,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::{Child, ChildStdout, Command},
    time::{sleep, sleep_until},
};

/// How often the system is asked to start a process.
const STARTS: u32 = 3;
/// How long Pando waits after the system has refused a process, times the number of refusals.
const PAUSE: Duration = Duration::from_millis(100);
/// How long lines on standard error are held back. The lines of a command that fails within this
/// time are told in its failure alone.
const HELD: Duration = Duration::from_secs(1);
/// The most bytes that are read at a time.
const BLOCK: usize = 64 * 1024;

/// See the module.
pub(super) struct ValueRun {
    pub(super) id: CoreId,
    pub(super) events: CoreEvents,
    pub(super) program: Program,
    pub(super) script: ValueScript,
}

/// The process group of a command, which ends when this value is dropped.
struct RunningCall {
    child: Child,
    /// The guarded group, until it is killed.
    member: Option<Member>,
}

impl RunningCall {
    /// Ends all processes of the group.
    fn end(&mut self) {
        self.member.take().iter().for_each(Member::kill);
    }
}

impl Drop for RunningCall {
    fn drop(&mut self) {
        self.end();
    }
}

impl ValueRun {
    /// Runs the command for `value`.
    pub(super) async fn compute(self, loan: Loan, value: Value) -> Answer {
        let began = Instant::now();
        let result = self.try_compute(loan, value).await;
        let result = result.map(|result| (Form::Bytes, result)).map_err(Box::new);
        Answer { loan, micros: began.elapsed().as_micros() as u64, result }
    }

    async fn try_compute(&self, loan: Loan, value: Value) -> Result<Bytes, Failure> {
        let mut running = self.start(loan, &value).await?;
        // The shell waits for a line, because its group is guarded only now.
        if let Some(mut go) = running.child.stdin.take() {
            let _ = go.write_all(b"\n").await;
        }
        let timeout = self.program.options.timeout;
        let overdue = async {
            match timeout {
                Some(timeout) => sleep(timeout).await,
                None => future::pending().await,
            }
        };
        let mut errors = Errors::new(self.id, self.events.clone());
        let mut output = BytesMut::new();
        let status = tokio::select! {
            status = follow(&mut running, &mut output, &mut errors) => status?,
            () = overdue => {
                errors.flush().await;
                let limit = spoken(timeout.unwrap_or_default());
                return Err(Failure::new(format!("no answer within {limit}"), "timeout"));
            }
        };
        if !status.success() {
            return Err(failed_with(status, &errors));
        }
        errors.flush().await;
        result_of(output, &self.program.options)
    }

    /// Starts the command; asks again if the system has no process for it.
    async fn start(&self, loan: Loan, value: &Value) -> Result<RunningCall, Failure> {
        let bytes = &value.bytes;
        let text = argument(bytes)?;
        for refusals in 1.. {
            let mut shell = Command::from(secrets::command("sh"));
            shell.arg("-c").arg(self.shell_script()).arg("sh").arg(&text);
            // A variable of the environment would be given to the command.
            shell.env_remove(VARIABLE);
            shell.env("PANDO_INDEX", (loan.index + 1).to_string());
            shell.env("PANDO_ATTEMPT", (value.attempt + 1).to_string());
            match self.program.start_child(shell) {
                Ok((child, member)) => return Ok(RunningCall { child, member: Some(member) }),
                Err(error) if error.kind() == ErrorKind::ArgumentListTooLong => {
                    let message = format!(
                        "it has {} bytes, and this system takes fewer in an argument of a program (about 128 KiB on Linux): leave \
                         {{}} out of the command, so that it reads values from its standard input",
                        bytes.len()
                    );
                    return Err(Failure::new(message, "argument"));
                }
                Err(_) if refusals < STARTS => sleep(PAUSE * refusals).await,
                Err(error) => {
                    let message = format!("the command cannot be started: {error}");
                    return Err(Failure::new(message, "start"));
                }
            }
        }
        unreachable!("the loop returns")
    }

    /// The script of the shell, which waits for a line on its standard input. If this process ends
    /// before, the command never begins.
    fn shell_script(&self) -> String {
        let check = if self.script.is_number {
            format!(
                "; case ${{{VARIABLE}#[-+]}} in ''|*[!0-9]*|0[0-9]*) echo 'the shell computes only with whole numbers (without \
                 leading zeros), and the value is none' >&2; exit 2;; esac"
            )
        } else {
            String::new()
        };
        format!(
            "read -r {VARIABLE} && exec </dev/null || exit; {VARIABLE}=$1; shift{check}\n{}",
            self.script.text
        )
    }
}

/// Reads all output of a command until its end, and ends the processes that it has left behind.
async fn follow(
    running: &mut RunningCall,
    output: &mut BytesMut,
    errors: &mut Errors,
) -> Result<ExitStatus, Failure> {
    let mut stdout = running.child.stdout.take();
    let mut stderr = running.child.stderr.take();
    let mut status = None;
    let live_at = tokio::time::Instant::now() + HELD;
    let mut ended_at = live_at;
    while status.is_none() || stdout.is_some() || stderr.is_some() {
        tokio::select! {
            ended = running.child.wait(), if status.is_none() => {
                let ended = ended.map_err(|error| {
                    Failure::new(format!("the command cannot be waited for: {error}"), "start")
                })?;
                status = Some(ended);
                running.end();
                ended_at = tokio::time::Instant::now();
            }
            more = read_output(&mut stdout, output) => {
                if !more? {
                    stdout = None;
                }
            }
            more = errors.read(&mut stderr) => {
                errors.show_lines().await;
                if !more {
                    stderr = None;
                }
            }
            () = sleep_until(live_at), if !errors.is_live() => errors.go_live().await,
            () = sleep_until(ended_at + LAST_WORDS), if status.is_some() => {
                // A process outside the group keeps the pipes open.
                let is_read = stdout.as_ref().is_none_or(|pipe| unread(pipe) == Some(0))
                    && stderr.as_ref().is_none_or(|pipe| unread(pipe) == Some(0));
                if is_read {
                    break;
                }
                ended_at = tokio::time::Instant::now();
            }
        }
    }
    status.ok_or_else(|| Failure::new("the command has no status", "start"))
}

/// Reads some of the output; returns false at its end.
async fn read_output(
    pipe: &mut Option<ChildStdout>,
    output: &mut BytesMut,
) -> Result<bool, Failure> {
    let Some(pipe) = pipe else { return future::pending().await };
    output.reserve(BLOCK.min(output.len().max(1024)));
    let read = pipe.read_buf(output).await;
    if output.len() > MOST_BYTES {
        return Err(Failure::new(format!("its result has more than {MOST_BYTES} bytes"), "length"));
    }
    Ok(matches!(read, Ok(1..)))
}

/// The value as an argument of a program.
#[cfg(unix)]
fn argument(value: &[u8]) -> Result<std::ffi::OsString, Failure> {
    use std::os::unix::ffi::OsStrExt;
    if value.contains(&0) {
        let message = "it holds a NUL byte, which no argument of a program can hold: leave {} out of the command, so that it reads \
                       values from its standard input";
        return Err(Failure::new(message, "argument"));
    }
    Ok(std::ffi::OsStr::from_bytes(value).to_owned())
}

/// Commands with `{}` are refused on this system.
#[cfg(not(unix))]
fn argument(_: &[u8]) -> Result<std::ffi::OsString, Failure> {
    Err(Failure::new("{} needs the shell of a Unix system", "argument"))
}
