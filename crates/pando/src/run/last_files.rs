//! Files that are written at the end of a run: the summary and the report.

use super::StartError;
use crate::{config::Report, console::Console, files::Temporary};
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

/// Writes the file of `option`, if there is one, and returns the exit status of a run that had
/// `status` before.
pub(super) fn write(
    option: &str,
    path: Option<&Path>,
    text: impl FnOnce() -> String,
    status: i32,
    console: &Console,
) -> i32 {
    let Some(path) = path else { return status };
    match write_whole(path, &text()) {
        Ok(()) => status,
        Err(error) => {
            console.say(format!("error: {option} {} cannot be written: {error}", path.display()));
            status.max(1)
        }
    }
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
