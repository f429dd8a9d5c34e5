//! Files that are written at the end of a run: the summary and the report.

use super::{OpenRun, StartError, report_page, summary};
use crate::{
    config::Report,
    files::Temporary,
    master::{Ending, LastFigures},
};
use std::{
    fs,
    io::{self, Write},
    path::Path,
};

/// Refuses files that cannot be written at the end.
pub(super) fn check(report: &Report) -> Result<(), StartError> {
    let summary = ("--summary", &report.summary_file, "summary.json");
    let page = ("--report", &report.report_file, "report.html");
    for (option, path, example) in [summary, page] {
        path.as_deref().map_or(Ok(()), |path| check_place(option, path, example))?;
    }
    Ok(())
}

/// Refuses a `path` of `option` at which no file can be.
fn check_place(option: &str, path: &Path, example: &str) -> Result<(), StartError> {
    let refuse = |why: &str| Err(StartError(format!("{option} {}: {why}", path.display())));
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    if folder.is_some_and(|folder| !folder.is_dir()) {
        return refuse("this folder does not exist: create it first");
    }
    if path.is_dir() {
        return refuse(&format!("this is a folder: name a file, such as {example}"));
    }
    Ok(())
}

/// The end of a run, for people and programs.
#[derive(Clone, Copy)]
pub(crate) struct RunEnd<'a> {
    pub(crate) last: &'a LastFigures,
    pub(crate) ending: &'a Ending,
    /// The exit status, before the files are written.
    pub(crate) status: i32,
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

/// Writes the whole file under another name first, so that nobody reads a part of it.
fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|about| !about.is_file()) {
        return fs::write(path, text);
    }
    let (unfinished, mut file) = Temporary::beside(path)?;
    file.write_all(text.as_bytes())?;
    fs::rename(unfinished.path(), path)
}
