//! The two threads at the ends of a run: one reads the input when values are wanted, the other
//! writes results in order.

use super::{Core, Cut, Files, Framing, InputError, Left, Master, files::Places, input::Splitter};
use crate::{journal::Recorder, protocol::Form};
use bytes::Bytes;
use std::{
    io::{ErrorKind, Read, Write},
    path::PathBuf,
    sync::Arc,
};
use stream_lender::{Index, Output};

/// About how many bytes are written at a time.
const BATCH: usize = 256 * 1024;
/// From this length on, results are written directly, not copied into a common buffer.
const LARGE: usize = 32 * 1024;

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Every item read has its output.
    Complete,
    /// The reader of the output has gone.
    ReaderLeft,
    /// The input failed. All items before the error are output.
    InputFailed(InputError),
    /// This item failed for good and ended the run. All items before are output.
    ItemFailed(Index, String),
    /// Every item read has its output, except this number of failed items.
    SomeFailed(u64),
    /// No device can ever run the function.
    CannotRun(String),
    /// The run was told to stop. All items read are output.
    Interrupted,
    /// The run was told to stop. Some of the items read are left without an output.
    CutShort(Left),
    /// The output cannot be written.
    OutputFailed(String),
}

impl Master {
    /// Reads `source` to its end, block by block, whenever some volunteer asks for values. Blocks.
    pub fn feed(&self, mut source: impl Read) {
        let mut splitter = Splitter::new(self.job.framing);
        let (mut values, mut before) = (Vec::new(), 0);
        // The first block is read at once, because an empty input must be noticed without any
        // volunteer.
        loop {
            let read = splitter.read(&mut source, &mut values);
            self.mind_numbers_of(&values, before);
            before += values.len() as u64;
            let offered = self.offer(values.drain(..).map(|value| (value, None)));
            match offered.and(read) {
                Ok(true) => self.wait_until_wanted(),
                end => return self.end_input(end.map(|_| ())),
            }
        }
    }

    pub(super) fn mind_numbers_of(&self, values: &[Cut], before: u64) {
        if self.job.framing.form == Form::Json {
            let values = (before + 1..).zip(values);
            values.for_each(|(number, value)| {
                value.iter().for_each(|value| self.mind_numbers(number, value))
            });
        }
    }

    /// Reads the files called `names`, one at a time, whenever some volunteer asks for values.
    /// Blocks.
    pub fn feed_files(&self, files: &Files, names: impl Iterator<Item = Result<Cut, InputError>>) {
        let ended = if files.overwrite {
            // All inputs must be known before any file is overwritten.
            files
                .all_first(names)
                .and_then(|names| self.feed_each_file(files, names.into_iter().map(Ok)))
        } else {
            self.feed_each_file(files, names)
        };
        self.end_input(ended);
    }

    fn feed_each_file(
        &self,
        files: &Files,
        names: impl Iterator<Item = Result<Cut, InputError>>,
    ) -> Result<(), InputError> {
        files.make_folder()?;
        let mut places = Places::default();
        for (number, name) in (1..).zip(names) {
            self.offer([files.take(number, name?, &mut places)])?;
            self.wait_until_wanted();
        }
        Ok(())
    }

    pub(super) fn wait_until_wanted(&self) {
        let mut core = self.lock();
        while !core.wants_input() {
            core = self.input_wanted.wait(core).expect("no task panics while it holds the lock");
        }
    }

    /// Writes results to `sink` until the run ends. Blocks.
    pub fn drain(self: &Arc<Self>, mut sink: impl Write) -> Ending {
        let mut batch = Batch::default();
        let journal = self.lock().journal.clone();
        loop {
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
    pub(super) fn cannot_write(&self, error: &std::io::Error) -> Ending {
        if error.kind() == ErrorKind::BrokenPipe {
            self.with(|core| core.lender.drop_output());
            return Ending::ReaderLeft;
        }
        self.lose_output();
        Ending::OutputFailed(format!("standard output cannot be written: {error}"))
    }

    fn lose_output(&self) {
        self.with(|core| {
            core.output_lost = true;
            core.lender.drop_output();
        });
    }

    /// Waits for results and moves the next ones in order to `batch`.
    fn collect(&self, batch: &mut Batch) -> Option<Ending> {
        let mut core = self.lock();
        loop {
            let ending = batch.take(&mut core, self.job.framing.separator);
            core.being_written = batch.count;
            self.wake(&mut core);
            if ending.is_some() || !batch.is_empty() {
                return ending;
            }
            core.output_waits = true;
            core = self.output_ready.wait(core).expect("no task panics while it holds the lock");
        }
    }
}

impl Core {
    /// Tells the lender that the input has ended or failed, once no value is left before the end.
    pub(super) fn notice_end(&mut self) {
        // While a value waits to be lent again, an ask gets this value and does not look at the
        // input.
        if self.input.has_only_its_end() && self.lender.waiting() == 0 {
            let sub = self.lender.open();
            let _ = self.lender.ask(sub, &mut self.input);
            self.lender.close(sub);
        }
    }
}

/// The values of a byte stream, read on demand.
pub struct Values<R> {
    splitter: Splitter,
    source: R,
    cut: std::vec::IntoIter<Cut>,
    /// How the stream ended; the outer `Option` is empty until then, the inner one without an
    /// error.
    end: Option<Option<InputError>>,
}

impl<R: Read> Values<R> {
    /// Cuts `source` into values, from its start.
    pub fn new(source: R, framing: Framing) -> Self {
        Self { splitter: Splitter::new(framing), source, cut: Vec::new().into_iter(), end: None }
    }
}

impl<R: Read> Iterator for Values<R> {
    type Item = Result<Cut, InputError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(value) = self.cut.next() {
                return Some(Ok(value));
            }
            if let Some(end) = &mut self.end {
                return end.take().map(Err);
            }
            let mut values = Vec::new();
            match self.splitter.read(&mut self.source, &mut values) {
                Ok(true) => {}
                Ok(false) => self.end = Some(None),
                Err(error) => self.end = Some(Some(error)),
            }
            self.cut = values.into_iter();
        }
    }
}

/// Results on their way to the output: short ones copied together, long ones as they are.
#[derive(Default)]
struct Batch {
    pieces: Vec<Bytes>,
    /// Results for files. The path of each file is printed once the file is complete.
    files: Vec<(Index, PathBuf, Bytes)>,
    short: Vec<u8>,
    bytes: usize,
    /// The number of results in this batch.
    count: usize,
}

impl Batch {
    fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    fn take(&mut self, core: &mut Core, separator: u8) -> Option<Ending> {
        while self.bytes < BATCH {
            match core.lender.next_output() {
                Output::Item(index, result) => {
                    let target = core.targets.pop_front();
                    self.count += usize::from(result.is_some());
                    match (result, target) {
                        (Some(result), Some(target)) => self.push_file(index, target, result),
                        (Some(result), None) => self.push(result, separator),
                        (None, _) => {}
                    }
                }
                Output::Pending => return None,
                Output::Failed(error) => return Some(core.ending(Some(error))),
                Output::Done => return Some(core.ending(None)),
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
