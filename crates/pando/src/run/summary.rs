//! The summary at the end of a run: printed for people, or written to a file as data.

use super::last_files;
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

/// Prints or writes the summary of a run with this exit status, and returns the exit status.
pub(super) fn show(report: &Report, summary: &Summary, status: i32, console: &Console) -> i32 {
    if report.summary {
        console.say(summary.lines().join("\n"));
    }
    let text = || {
        let content = SummaryFile { status, summary };
        serde_json::to_string_pretty(&content).expect("it is plain data") + "\n"
    };
    last_files::write("--summary", report.summary_file.as_deref(), text, status, console)
}

/// Runs the command of `--on-finish`, with the summary on its standard input. Its output goes to
/// standard error, because standard output belongs to the results.
pub(super) async fn hand_over(report: &Report, summary: &Summary, status: i32, console: &Console) {
    let Some(command) = &report.on_finish else { return };
    if let Err(why) = run(command, &SummaryFile { status, summary }).await {
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
