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

/// The results of an earlier run, while the input is read.
#[derive(Debug)]
pub(crate) struct Resume {
    replay: Replay,
    name: String,
}

impl Resume {
    /// Results of an earlier run, as far as they are in `replay`, the journal called `name`.
    pub(super) fn new(replay: Replay, name: String) -> Self {
        Self { replay, name }
    }

    /// A message about results that the whole input has not asked for, if there are any.
    pub(super) fn last_words(&self) -> Option<String> {
        let (name, left, further) = (&self.name, self.replay.left(), self.replay.further());
        match self.replay.is_by_position() {
            true => (further > 0).then(|| {
                format!("the input ends before the journal {name} does: {further} more had been read")
            }),
            false => (left > 0).then(|| {
                format!("{left} results in the journal {name} are of values that this input has not (any more): they stay in it")
            }),
        }
    }

    /// Passes the next item, which is no value.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub(super) fn pass(&mut self) -> Result<(), InputError> {
        self.replay.pass().map_err(|error| cannot(&self.name, &error))
    }

    /// Whether all results have been used.
    pub(super) fn is_over(&self) -> bool {
        self.replay.left() == 0
    }

    /// Whether further results are likely to be found.
    pub(super) fn goes_on(&self) -> bool {
        self.replay.goes_on()
    }

    /// Returns the result of `value`, the next of the input, or the value itself if its result is
    /// unknown.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub(super) fn resolve(
        &mut self,
        value: Value,
        target: Option<&Path>,
        job: &Job,
    ) -> Result<Read, InputError> {
        let index = self.replay.next();
        let input = digest(&value.bytes);
        let path = target.map(|target| target.as_os_str().as_encoded_bytes());
        let mut known = self.replay.look_up(&input, path);
        loop {
            match known.map_err(|error| cannot(&self.name, &error))? {
                Known::Nothing => return Ok(Read::Value(value)),
                // The earlier run may have had other options, so the result is checked again.
                Known::Result(result)
                    if check_framing(index, &mut (Form::Bytes, result.clone()), job).is_ok() =>
                {
                    return Ok(Read::Finished(result));
                }
                Known::InFile(hash) if target.is_some_and(|target| is_there(target, hash)) => {
                    return Ok(Read::Finished(Bytes::new()));
                }
                Known::Result(_) | Known::InFile(_) => {}
            }
            known = self.replay.look_further(&input, path);
        }
    }
}

fn cannot(name: &str, error: &io::Error) -> InputError {
    InputError::new(format!("the journal {name} cannot be read: {error}"))
}

/// Whether the file `target` is there, unchanged since it was written.
fn is_there(target: &Path, hash: [u8; 16]) -> bool {
    files::look(target, u64::MAX).is_ok()
        && fs::read(target).is_ok_and(|bytes| digest(&bytes) == hash)
}
