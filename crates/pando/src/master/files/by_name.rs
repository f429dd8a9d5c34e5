//! Files for programs (`--exec` with `--files`): a value is the path of a file, and Pando does not
//! read the file. The size and the time of the last change belong to the value, so that a journal
//! knows a file that has changed.

use super::Files;
use crate::{
    files::{self, FileId},
    protocol::{Form, Value},
};
use std::{
    fs::File,
    io,
    path::Path,
    time::{Duration, UNIX_EPOCH},
};

/// The identity of a file that can be read, and its value: the path, a NUL, size and time.
pub(super) fn look(path: &Path) -> io::Result<(FileId, Vec<u8>)> {
    let about = files::look(path, u64::MAX)?;
    let id = FileId::of_open(path, &File::open(path)?)?;
    let changed = about.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let changed = changed.unwrap_or(Duration::ZERO).as_nanos();
    Ok((id, format!("{}\0{} {changed}", path.display(), about.len()).into()))
}

impl Files {
    /// The path in a value of [`look`], as an argument of a program: a path is no option, even if
    /// it begins with `-`.
    pub(in crate::master) fn path_alone(&self, value: Value) -> Value {
        let length = memchr::memchr(0, &value.bytes).unwrap_or(value.bytes.len());
        let path = value.bytes.slice(..length);
        let bytes = match path.starts_with(b"-") {
            true => [b"./", &path[..]].concat().into(),
            false => path,
        };
        Value { bytes, form: Form::Text, ..value }
    }
}
