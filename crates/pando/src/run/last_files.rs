//! Files that are written at the end of a run: the summary and the report.

use super::{OpenRun, StartError, report_page, summary, used};
use crate::{
    config::{Report, is_descriptor},
    files::{Temporary, is_pipe},
    master::{Ending, LastFigures},
};
use memchr::memmem;
use std::{
    fs,
    io::{self, Write},
    path::Path,
};

/// A field of each summary.
const FAILED_ATTEMPTS: &[u8] = b"\"failedAttempts\"";
/// The mark of a report.
const GENERATOR: &[u8] = b"<meta name=\"generator\" content=\"Pando\"";

/// Refuses files that cannot be written at the end, and files of others.
pub(super) fn check(report: &Report) -> Result<(), StartError> {
    if let Some(path) = &report.summary_file {
        check_place("--summary", path, "summary.json")?;
        let is_summary = |text: &[u8]| memmem::find(text, FAILED_ATTEMPTS).is_some();
        used::check_content("--summary", path, "a summary", is_summary)?;
    }
    if let Some(path) = &report.report_file {
        check_place("--report", path, "report.html")?;
        let is_report = |text: &[u8]| memmem::find(text, GENERATOR).is_some();
        used::check_content("--report", path, "a report", is_report)?;
    }
    Ok(())
}

/// Refuses a `path` of `option` at which no file can be, or cannot be written now. Leaves nothing
/// behind.
fn check_place(option: &str, path: &Path, example: &str) -> Result<(), StartError> {
    let refuse = |why: &str| Err(StartError(format!("{option} {}: {why}", path.display())));
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    if folder.is_some_and(|folder| !folder.is_dir()) {
        return refuse("this folder does not exist: create it first");
    }
    if fs::metadata(path).is_ok_and(|about| is_pipe(&about)) && !is_descriptor(path) {
        return refuse(&format!(
            "this is a pipe, which may have no reader: name a file, such as {example}"
        ));
    }
    if path.is_dir() {
        return refuse(&format!("this is a folder: name a file, such as {example}"));
    }
    match try_to_write(path) {
        Ok(()) => Ok(()),
        Err(error) => refuse(&format!("this file could not be written at the end: {error}")),
    }
}

/// The end of a run, for people and programs.
#[derive(Clone, Copy)]
pub(crate) struct RunEnd<'a> {
    pub(crate) last: &'a LastFigures,
    pub(crate) ending: &'a Ending,
    /// The exit status, before the files are written.
    pub(crate) status: i32,
    /// How to go on, in words; empty if nothing is left to do.
    pub(crate) advice: &'a str,
}

/// Prints the summary of a run and writes the files, as `report` says. Returns the errors.
pub(crate) fn write(report: &Report, open: &OpenRun, end: RunEnd) -> Vec<String> {
    summary::print(report, end, &open.master.console);
    let written = [summary::write(report, end), report_page::write(report, open, end)];
    written.into_iter().filter_map(Result::err).collect()
}

/// Writes the file of `option`, if there is one.
///
/// # Errors
/// When the file cannot be written, in words.
pub(super) fn write_file(
    option: &str,
    path: Option<&Path>,
    text: impl FnOnce() -> String,
) -> Result<(), String> {
    let Some(path) = path else { return Ok(()) };
    write_whole(path, &text())
        .map_err(|error| format!("{option} {} cannot be written: {error}", path.display()))
}

/// Takes the first steps of [`write_whole`], and removes what they make.
fn try_to_write(path: &Path) -> io::Result<()> {
    if is_special(path) { Ok(()) } else { Temporary::beside(path).map(drop) }
}

/// Whether the file at `path` cannot be replaced, such as a device or a file that is open already
/// (`/dev/fd/3`).
fn is_special(path: &Path) -> bool {
    let is_open = ["/dev/fd", "/proc"].iter().any(|folder| path.starts_with(folder));
    fs::metadata(path).is_ok_and(|about| is_open || !about.is_file())
}

/// Writes the whole file under another name first, so that nobody reads a part of it.
fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    if is_special(path) {
        return fs::write(path, text);
    }
    let (unfinished, mut file) = Temporary::beside(path)?;
    file.write_all(text.as_bytes())?;
    fs::rename(unfinished.path(), path)
}
