//! The summary at the end of a run: printed for people, or written to a file as data.

use super::StartError;
use crate::{
    config::Report, console::Console, files::Temporary, master::Summary, volunteer::shell,
};
use serde::Serialize;
#[cfg(unix)]
use std::os::fd::AsFd;
use std::{
    fs,
    io::{self, Write},
    path::Path,
    process::Stdio,
};
use tokio::io::AsyncWriteExt;

/// The content of the file.
#[derive(Serialize)]
struct SummaryFile<'a> {
    /// The exit status of the run.
    status: i32,
    #[serde(flatten)]
    summary: &'a Summary,
}

/// Refuses a file for the summary that cannot be written.
pub(super) fn check(report: &Report) -> Result<(), StartError> {
    let Some(path) = &report.summary_file else { return Ok(()) };
    let refuse = |why: &str| Err(StartError(format!("--summary {}: {why}", path.display())));
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    if folder.is_some_and(|folder| !folder.is_dir()) {
        return refuse("this folder does not exist: create it first");
    }
    if path.is_dir() {
        return refuse("this is a folder: name a file, such as summary.json");
    }
    Ok(())
}

/// Prints or writes the summary of a run with this exit status, and returns the exit status.
pub(super) fn show(report: &Report, summary: &Summary, status: i32, console: &Console) -> i32 {
    if report.summary {
        console.say(summary.lines().join("\n"));
    }
    let Some(path) = &report.summary_file else { return status };
    match write(path, &SummaryFile { status, summary }) {
        Ok(()) => status,
        Err(error) => {
            console.say(format!("error: --summary {} cannot be written: {error}", path.display()));
            status.max(1)
        }
    }
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

/// Writes the whole file under another name first, so that nobody reads a part of it.
fn write(path: &Path, content: &SummaryFile) -> io::Result<()> {
    let text = serde_json::to_string_pretty(content)? + "\n";
    if fs::metadata(path).is_ok_and(|about| !about.is_file()) {
        return fs::write(path, text);
    }
    let (unfinished, mut file) = Temporary::beside(path)?;
    file.write_all(text.as_bytes())?;
    fs::rename(unfinished.path(), path)
}
