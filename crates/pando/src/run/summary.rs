//! The summary at the end of a run: printed for people, or written to a file as data.

use super::last_files::{self, RunEnd};
use crate::{config::Report, console::Console, master::Summary, volunteer::shell};
use serde::Serialize;
use std::process::Stdio;
#[cfg(unix)]
use std::{io, os::fd::AsFd};
use tokio::io::AsyncWriteExt;

/// The content of the file.
#[derive(Serialize)]
pub(super) struct SummaryFile<'a> {
    /// The exit status of the run.
    pub(super) status: i32,
    #[serde(flatten)]
    pub(super) summary: &'a Summary,
}

/// Prints the summary, if it is to be printed.
pub(super) fn print(report: &Report, end: RunEnd, console: &Console) {
    if report.summary {
        console.say(end.last.summary.lines().join("\n"));
    }
}

/// Writes the file of the summary, if there is one.
///
/// # Errors
/// When the file cannot be written, in words.
pub(super) fn write(report: &Report, end: RunEnd) -> Result<(), String> {
    let text = || {
        let content = SummaryFile { status: end.status, summary: &end.last.summary };
        serde_json::to_string_pretty(&content).expect("it is plain data") + "\n"
    };
    last_files::write_file("--summary", report.summary_file.as_deref(), text)
}

/// Runs the command of `--on-finish`, with the summary on its standard input. Its output goes to
/// standard error, because standard output belongs to the results.
pub(crate) async fn hand_over(report: &Report, end: RunEnd<'_>, console: &Console) {
    let Some(command) = &report.on_finish else { return };
    let content = SummaryFile { status: end.status, summary: &end.last.summary };
    if let Err(why) = run(command, &content).await {
        console.say(format!("--on-finish: {why}"));
    }
}

async fn run(command: &str, content: &SummaryFile<'_>) -> Result<(), String> {
    let text = serde_json::to_string(content).map_err(|error| error.to_string())? + "\n";
    let mut child = shell(command);
    child.env("PANDO_STATUS", content.status.to_string()).stdin(Stdio::piped()).kill_on_drop(true);
    #[cfg(unix)]
    if let Ok(errors) = io::stderr().as_fd().try_clone_to_owned() {
        child.stdout(errors);
    }
    let mut child = child.spawn().map_err(|error| format!("no shell can be started: {error}"))?;
    if let Some(mut input) = child.stdin.take() {
        // A command need not read its input.
        let _ = input.write_all(text.as_bytes()).await;
    }
    match child.wait().await {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("the command failed ({status})")),
        Err(error) => Err(format!("the command cannot be waited for: {error}")),
    }
}
