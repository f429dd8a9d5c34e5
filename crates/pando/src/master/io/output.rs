//! Writes the results of a run on the command line in a thread, in order or as they come.

use super::reshape::Reshaper;
use crate::{
    config::OnError,
    console::printable,
    journal::Recorder,
    master::{
        files::Files,
        items::{Ending, Misfit},
        run::Master,
        shape::Packed,
        state::{Emitted, RunState},
    },
};
use bytes::Bytes;
use serde_json::json;
use std::{
    io::{ErrorKind, Write},
    mem,
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
        let mut batch = OutputBatch {
            reshaper: Reshaper::of(&self.job),
            stops: self.job.on_error == OnError::Stop,
            ..OutputBatch::default()
        };
        let journal = self.lock().journal();
        loop {
            self.job.failed.iter().for_each(|list| list.keep_up());
            let ending = self.collect(&mut batch);
            let stored = batch.store(
                journal.as_deref(),
                self.job.files.as_ref(),
                self.job.framing.separator,
            );
            let misfits = mem::take(&mut batch.misfits);
            let ending =
                if misfits.is_empty() { ending } else { self.fail_misfits(misfits, ending) };
            if let (Ok(()), Some(Ending::Complete | Ending::SomeFailed(_))) = (&stored, &ending) {
                batch.finish();
            }
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

    /// Fails items whose results have no place in the output. Returns how the run ends, if it does:
    /// by this failure, or by `ending`.
    fn fail_misfits(&self, misfits: Vec<Misfit>, ending: Option<Ending>) -> Option<Ending> {
        let count = misfits.len() as u64;
        for misfit in misfits {
            let told = self.with(|state| state.fail_output(&self.job, &misfit));
            let fields =
                json!({"index": misfit.index + 1, "kind": "output", "message": misfit.why});
            self.events.write("failed", fields);
            match told {
                Ok(line) => line.into_iter().for_each(|line| self.console.say(printable(&line))),
                Err(text) => {
                    return Some(self.with(|state| state.end_output_with(misfit.index, text)));
                }
            }
        }
        ending.map(|ending| match ending {
            Ending::Complete => Ending::SomeFailed(count),
            Ending::SomeFailed(others) => Ending::SomeFailed(others + count),
            other => other,
        })
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
    /// Results for files, whose paths are printed once the files are complete, and results that
    /// are printed in another shape.
    others: Vec<(Index, Option<PathBuf>, Bytes)>,
    reshaper: Option<Reshaper>,
    /// An item that fails ends the run.
    stops: bool,
    /// Values with no place in the output.
    misfits: Vec<Misfit>,
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
                    match result {
                        Ok(result) if target.is_some() || self.reshaper.is_some() => {
                            self.push_other(index, target, result);
                        }
                        Ok(result) => self.push(result, separator),
                        Err(_) => {}
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
            self.pieces.push(mem::take(&mut self.short).into());
            self.pieces.push(result);
        }
        self.short.push(separator);
    }

    fn push_other(&mut self, index: Index, target: Option<PathBuf>, result: Bytes) {
        self.bytes += result.len() + 1;
        self.others.push((index, target, result));
    }

    /// Writes the files, or waits until `journal` has written them, and adds their paths and the
    /// results in another shape to the output, up to the first failure.
    fn store(
        &mut self,
        journal: Option<&Recorder>,
        to: Option<&Arc<Files>>,
        separator: u8,
    ) -> Result<(), String> {
        let others = mem::take(&mut self.others);
        let stored = match journal {
            Some(journal) if others.iter().any(|(_, target, _)| target.is_some()) => {
                journal.written()
            }
            Some(journal) => {
                journal.keep_up();
                Ok(())
            }
            None => Ok(()),
        };
        let first_lost = stored.as_ref().err().map_or(Index::MAX, |unwritten| unwritten.first);
        for (index, target, result) in others {
            if index >= first_lost || self.stops && !self.misfits.is_empty() {
                break;
            }
            let packed = match self.reshaper {
                Some(_) => Packed::unpack(&result),
                None => Packed { input: Bytes::new(), result, failed: false },
            };
            // A report is printed.
            let target = target.filter(|_| !packed.failed);
            if let (None, Some(to), Some(target)) = (journal, to, &target) {
                let written = to.prepare(target, &packed.result).and_then(|put| put());
                written
                    .map_err(|error| format!("{} cannot be written: {error}", target.display()))?;
            }
            match (&mut self.reshaper, target) {
                (Some(reshaper), target) => {
                    let item = (&packed, target.as_deref());
                    let misfits = reshaper.put(index, item, self.stops, &mut self.short);
                    self.misfits.extend(misfits);
                }
                (None, Some(target)) => {
                    self.push(target.to_string_lossy().into_owned().into(), separator);
                }
                (None, None) => self.push(packed.result, separator),
            }
        }
        stored.map_err(|unwritten| unwritten.why)
    }

    /// Adds what follows the last result.
    fn finish(&mut self) {
        if let Some(reshaper) = &mut self.reshaper {
            reshaper.finish(&mut self.short);
        }
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
