//! The files of a run besides the files of its values: no two may be the same file, whatever names
//! and links lead there, and none may be somebody else's. And the standard streams, which may be
//! closed.

use super::StartError;
use crate::{
    config::{RunConfig, is_descriptor},
    files::{self, FileId, is_pipe},
    master::Use,
};
use std::{fs, io, path::Path};

/// Longest function, in bytes; bundles of whole applications have some millions.
const LONGEST_FUNCTION: u64 = 64 << 20;

/// Bytes of a file that show what it is.
const HEAD: u64 = 64 << 10;

const OUTPUT: &str = "standard output";
const ERRORS: &str = "standard error";
const EVENTS: &str = "--events";

/// Refuses if two files of `config` are the same file, and at least one use is writing.
pub(super) fn check(config: &RunConfig) -> Result<(), StartError> {
    refuse_pairs(&named(config))
}

/// Does the same for the files of `config` and the standard streams.
pub(super) fn check_with_streams(config: &RunConfig) -> Result<(), StartError> {
    refuse_pairs(&all(config))
}

/// Refuses a function whose file may not have an end, because the file is read as a whole.
pub(super) fn check_function(path: &Path) -> Result<(), StartError> {
    let refused =
        |why: &dyn std::fmt::Display| Err(StartError(format!("{}: {why}", path.display())));
    match files::look(path, LONGEST_FUNCTION) {
        Ok(about) if is_pipe(&about) && !is_descriptor(path) => {
            refused(&"this is a pipe, not a file: write the function into a file")
        }
        // A missing file or a folder is reported when the function is read.
        Err(error) if path.exists() && !path.is_dir() => refused(&error),
        _ => Ok(()),
    }
}

/// Refuses a file of `option` that is not `what`: the content of somebody else's file would be
/// lost.
pub(super) fn check_content(
    option: &str,
    path: &Path,
    what: &str,
    is_ours: impl Fn(&[u8]) -> bool,
) -> Result<(), StartError> {
    match files::head(path, HEAD) {
        Ok(start) if start.is_empty() || is_ours(&start) => Ok(()),
        // A missing file is created, and other errors are told when the file is written.
        Err(_) => Ok(()),
        Ok(_) => Err(StartError(format!(
            "{option} {}: this file is not {what} of pando, and its content would be lost: name another file, which need not exist",
            path.display()
        ))),
    }
}

/// The files that no result of `--files` may overwrite.
pub(super) fn all(config: &RunConfig) -> Vec<Use> {
    let input = config.reads_stdin().then(|| of_stream("standard input", &io::stdin(), false));
    let outputs = [of_stream(OUTPUT, &io::stdout(), true), of_stream(ERRORS, &io::stderr(), true)];
    input.into_iter().chain(outputs).flatten().chain(named(config)).collect()
}

/// Refuses a function on standard input, if the values are there too.
pub(super) fn check_function_on_stdin(path: &Path, config: &RunConfig) -> Result<(), StartError> {
    const NAMES: [&str; 3] = ["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"];
    if config.reads_stdin() && NAMES.iter().any(|name| path == Path::new(name)) {
        return Err(StartError(format!(
            "{}: standard input cannot give both the function and the values: give the values as ITEMS, or the function \
             by a file or by -e",
            path.display()
        )));
    }
    Ok(())
}

/// Whether the function comes from a pipe, which can be read only once.
pub(super) fn is_piped(path: &Path) -> bool {
    is_descriptor(path) && fs::metadata(path).is_ok_and(|about| is_pipe(&about))
}

fn refuse_pairs(used: &[Use]) -> Result<(), StartError> {
    for (at, one) in used.iter().enumerate() {
        let is_same = |other: &&Use| {
            other.id == one.id
                && (one.written || other.written)
                && [&*one.what, &other.what] != [OUTPUT, ERRORS]
        };
        if let Some(other) = used[at + 1..].iter().find(is_same) {
            let (one, other) = (&one.what, &other.what);
            return Err(StartError(format!(
                "{one} and {other} name one file, which cannot be both: give each its own"
            )));
        }
    }
    Ok(())
}

fn named(config: &RunConfig) -> Vec<Use> {
    let named = config.named_files().into_iter();
    named.filter_map(|(what, path, written)| of_path(what, path, written)).collect()
}

/// The use of the file at `path`; `None` for a device, which may have several uses.
fn of_path(what: &str, path: &Path, written: bool) -> Option<Use> {
    match fs::metadata(path) {
        Ok(about) if !(about.is_file() || what == EVENTS && is_pipe(&about)) => None,
        _ => Some(Use { what: what.into(), id: FileId::of(path), written }),
    }
}

/// The use of a stream's file; `None` if it is not a file. Standard output into a pipe is
/// included, because results would be mixed with events.
#[cfg(unix)]
fn of_stream(what: &str, stream: &impl std::os::fd::AsFd, written: bool) -> Option<Use> {
    let about = fs::File::from(stream.as_fd().try_clone_to_owned().ok()?).metadata().ok()?;
    let counts = about.is_file() || what == OUTPUT && is_pipe(&about);
    counts.then(|| Use { what: what.into(), id: FileId::of_metadata(&about), written })
}

#[cfg(not(unix))]
fn of_stream<S>(_: &str, _: &S, _: bool) -> Option<Use> {
    None
}

/// Whether standard input can be read. (Reading a stream that is only open for writing would look
/// like the end of the input.)
pub(super) fn input_is_open() -> bool {
    is_open(&io::stdin(), false)
}

/// Whether standard output can be written.
pub(super) fn output_is_open() -> bool {
    is_open(&io::stdout(), true)
}

/// Whether a stream is open in this direction. Streams found closed at the start of the process
/// are opened in the wrong direction; see `early.c`.
#[cfg(unix)]
fn is_open(stream: &impl std::os::fd::AsFd, for_writing: bool) -> bool {
    use rustix::fs::{OFlags, fcntl_getfl};
    let wrong = if for_writing { OFlags::RDONLY } else { OFlags::WRONLY };
    fcntl_getfl(stream).is_ok_and(|flags| flags & OFlags::RWMODE != wrong)
}

#[cfg(not(unix))]
fn is_open<S>(_: &S, _: bool) -> bool {
    true
}

/// The bytes that are left in the file at standard input; `None` if it is not a regular file.
#[cfg(unix)]
pub(super) fn bytes_on_stdin() -> Option<u64> {
    use std::{io::Seek, os::fd::AsFd};
    let mut file = fs::File::from(io::stdin().as_fd().try_clone_to_owned().ok()?);
    let about = file.metadata().ok().filter(fs::Metadata::is_file)?;
    about.len().checked_sub(file.stream_position().ok()?)
}

#[cfg(not(unix))]
pub(super) fn bytes_on_stdin() -> Option<u64> {
    None
}
