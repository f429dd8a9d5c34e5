//! The summary at the end of a run: printed for people, or written to a file as data.

use super::{
    last_files::{self, RunEnd},
    monitoring,
};
use crate::{config::Report, console::Console, master::Summary, volunteer::shell};
use serde::Serialize;
use std::process::Stdio;
#[cfg(unix)]
use std::{io, os::fd::AsFd};
use tokio::io::AsyncWriteExt;

/// The content of the file.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SummaryFile<'a> {
    /// The exit status of the run.
    status: i32,
    /// How the run ended, in a sentence.
    exit_words: String,
    /// How to go on, in words; empty if nothing is left to do.
    advice: &'a str,
    #[serde(flatten)]
    summary: &'a Summary,
}

impl<'a> SummaryFile<'a> {
    /// The content for the end of a run.
    pub(super) fn of(end: RunEnd<'a>) -> Self {
        Self {
            status: end.status,
            exit_words: monitoring::words(end.ending),
            advice: end.advice,
            summary: &end.last.summary,
        }
    }
}

/// Prints the summary, if it is to be printed.
pub(super) fn print(report: &Report, end: RunEnd, console: &Console) {
    if report.summary {
        let advice = Some(end.advice.to_owned()).filter(|advice| !advice.is_empty());
        let lines: Vec<String> =
            end.last.summary.lines(Console::fits).into_iter().chain(advice).collect();
        console.say(lines.join("\n"));
    }
}

/// Writes the file of the summary, if there is one.
///
/// # Errors
/// When the file cannot be written, in words.
pub(super) fn write(report: &Report, end: RunEnd) -> Result<(), String> {
    let text =
        || serde_json::to_string_pretty(&SummaryFile::of(end)).expect("it is plain data") + "\n";
    last_files::write_file("--summary", report.summary_file.as_deref(), text)
}

/// Runs the command of `--on-finish`, with the summary on its standard input. Its output goes to
/// standard error, because standard output belongs to the results.
pub(crate) async fn hand_over(report: &Report, end: RunEnd<'_>, console: &Console) {
    hand_to_command(report, &SummaryFile::of(end), console).await;
}

/// Does the same for a run that has not begun; `exit_words` say why.
pub(super) async fn hand_over_unbegun(
    report: &Report,
    status: i32,
    exit_words: String,
    console: &Console,
) {
    let summary = &Summary::default();
    let content = SummaryFile { status, exit_words, advice: "", summary };
    hand_to_command(report, &content, console).await;
}

async fn hand_to_command(report: &Report, content: &SummaryFile<'_>, console: &Console) {
    let Some(command) = &report.on_finish else { return };
    if let Err(why) = run(command, content).await {
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
