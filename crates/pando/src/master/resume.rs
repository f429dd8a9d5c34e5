//! The results of an earlier run in the journal, for the values that are read again.

use super::{
    items::{InputError, Read},
    job::{Job, check_framing},
};
use crate::{
    files,
    journal::{Known, Replay, digest},
    protocol::{Form, Value},
};
use bytes::Bytes;
use std::{fs, io, path::Path};
use stream_lender::Index;

/// The results of an earlier run, while the input is read.
#[derive(Debug)]
pub(crate) struct Resume {
    replay: Replay,
    name: String,
    /// Values that have changed since the earlier run are computed (`--journal-keep`).
    keep: bool,
    /// The index of the next value.
    next: Index,
}

impl Resume {
    /// Results of an earlier run, as far as they are in `replay`, the journal called `name`.
    pub(super) fn new(replay: Replay, name: String, keep: bool) -> Self {
        Self { replay, name, keep, next: 0 }
    }

    /// The name of the journal.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// How many more items the earlier run had read.
    pub(super) fn further(&self) -> u64 {
        self.replay.end() - self.next
    }

    /// Passes the next item, which needs no result of the earlier run.
    pub(super) fn skip(&mut self) {
        self.next += 1;
    }

    /// Whether all results have been used.
    pub(super) fn is_over(&self) -> bool {
        self.next >= self.replay.end()
    }

    /// Returns the result of `value`, the next of the input, or the value itself if its result is
    /// unknown.
    pub(super) fn resolve(
        &mut self,
        value: Value,
        target: Option<&Path>,
        job: &Job,
    ) -> Result<Read, InputError> {
        let index = self.next;
        self.next += 1;
        let cannot = |error: io::Error| {
            InputError::new(format!("the journal {} cannot be read: {error}", self.name))
        };
        match self.replay.look_up(index, &digest(&value.bytes)).map_err(cannot)? {
            // The earlier run may have had other options, so the result is checked again.
            Known::Result(result)
                if target.is_none()
                    && check_framing(index, &mut (Form::Bytes, result.clone()), job).is_ok() =>
            {
                Ok(Read::Finished(result))
            }
            Known::InFile(path, hash)
                if target.is_some_and(|target| is_there(target, &path, hash)) =>
            {
                Ok(Read::Finished(Bytes::new()))
            }
            Known::Another if !self.keep => Err(InputError::usage(format!(
                "item {} differs from the input with which the journal {} was written: give the same input, name another journal, \
                 or go on with the results of inputs that are the same by --journal-keep",
                index + 1,
                self.name
            ))),
            _ => Ok(Read::Value(value)),
        }
    }
}

/// Whether the file `target` is the one at `path`, unchanged since it was written.
fn is_there(target: &Path, path: &[u8], hash: [u8; 16]) -> bool {
    target.as_os_str().as_encoded_bytes() == path
        && files::look(target, u64::MAX).is_ok()
        && fs::read(target).is_ok_and(|bytes| digest(&bytes) == hash)
}
