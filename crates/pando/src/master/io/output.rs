//! Writes the results of a run on the command line, in order, in a thread.

use crate::{
    journal::Recorder,
    master::{
        files::Files,
        items::Ending,
        run::Master,
        state::{Emitted, RunState},
    },
};
use bytes::Bytes;
use std::{
    io::{ErrorKind, Write},
    path::PathBuf,
    sync::Arc,
};
use stream_lender::Index;

/// About how many bytes are written at a time.
const BATCH: usize = 256 * 1024;
/// From this length on, results are written directly, not copied into a common buffer.
const LARGE: usize = 32 * 1024;

impl Master {
    /// Writes results to `sink` until the run ends. Blocks.
    pub(crate) fn drain(self: &Arc<Self>, mut sink: impl Write) -> Ending {
        let mut batch = OutputBatch::default();
        let journal = self.lock().journal();
        loop {
            self.job.failed.iter().for_each(|list| list.keep_up());
            let ending = self.collect(&mut batch);
            let stored = batch.store(
                journal.as_deref(),
                self.job.files.as_ref(),
                self.job.framing.separator,
            );
            if let Err(error) = batch.write(&mut sink) {
                return self.cannot_write(&error);
            }
            if let Err(why) = stored {
                self.lose_output();
                return Ending::OutputFailed(why);
            }
            if let Some(ending) = ending {
                return ending;
            }
        }
    }

    /// Ends the output because of `error`, and returns how the run ends.
    pub(in crate::master) fn cannot_write(&self, error: &std::io::Error) -> Ending {
        if error.kind() == ErrorKind::BrokenPipe {
            self.with(|state| state.drop_output(false));
            return Ending::ReaderLeft;
        }
        self.lose_output();
        Ending::OutputFailed(format!("standard output cannot be written: {error}"))
    }

    fn lose_output(&self) {
        self.with(|state| state.drop_output(true));
    }

    /// Waits for results and moves the next ones in order to `batch`.
    fn collect(&self, batch: &mut OutputBatch) -> Option<Ending> {
        let mut state = self.lock();
        loop {
            let ending = batch.take(&mut state, self.job.framing.separator);
            state.writes(batch.count);
            self.wake(&mut state);
            if ending.is_some() || !batch.is_empty() {
                return ending;
            }
            state = self.wait_for_output(state);
        }
    }
}

/// Results on their way to the output: short ones copied together, long ones as they are.
#[derive(Default)]
struct OutputBatch {
    pieces: Vec<Bytes>,
    /// Results for files. The path of each file is printed once the file is complete.
    files: Vec<(Index, PathBuf, Bytes)>,
    short: Vec<u8>,
    bytes: usize,
    /// The number of results in this batch.
    count: usize,
}

impl OutputBatch {
    fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    fn take(&mut self, state: &mut RunState, separator: u8) -> Option<Ending> {
        while self.bytes < BATCH {
            match state.emit() {
                Emitted::Item(index, result, target) => {
                    self.count += usize::from(result.is_ok());
                    match (result, target) {
                        (Ok(result), Some(target)) => self.push_file(index, target, result),
                        (Ok(result), None) => self.push(result, separator),
                        (Err(_), _) => {}
                    }
                }
                Emitted::Pending => return None,
                Emitted::Ended(ending) => return Some(ending),
            }
        }
        None
    }

    fn push(&mut self, result: Bytes, separator: u8) {
        self.bytes += result.len() + 1;
        if result.len() < LARGE {
            self.short.extend_from_slice(&result);
        } else {
            self.pieces.push(std::mem::take(&mut self.short).into());
            self.pieces.push(result);
        }
        self.short.push(separator);
    }

    fn push_file(&mut self, index: Index, target: PathBuf, result: Bytes) {
        self.bytes += result.len() + 1;
        self.files.push((index, target, result));
    }

    /// Writes the files, or waits until `journal` has written them, and adds their paths to the
    /// output, up to the first failure.
    fn store(
        &mut self,
        journal: Option<&Recorder>,
        to: Option<&Arc<Files>>,
        separator: u8,
    ) -> Result<(), String> {
        if let (Some(journal), true) = (journal, self.files.is_empty()) {
            journal.keep_up();
        }
        let files = std::mem::take(&mut self.files);
        let stored = match journal {
            Some(journal) if !files.is_empty() => journal.written(),
            _ => Ok(()),
        };
        let first_lost = stored.as_ref().err().map_or(Index::MAX, |unwritten| unwritten.first);
        for (index, target, result) in files {
            if index >= first_lost {
                break;
            }
            if let (None, Some(to)) = (journal, to) {
                let written = to.prepare(&target, &result).and_then(|put| put());
                written
                    .map_err(|error| format!("{} cannot be written: {error}", target.display()))?;
            }
            self.push(target.to_string_lossy().into_owned().into(), separator);
        }
        stored.map_err(|unwritten| unwritten.why)
    }

    fn write(&mut self, sink: &mut impl Write) -> std::io::Result<()> {
        for piece in self.pieces.drain(..) {
            sink.write_all(&piece)?;
        }
        sink.write_all(&self.short)?;
        self.short.clear();
        (self.bytes, self.count) = (0, 0);
        sink.flush()
    }
}
