//! Reads the input of a run on the command line: a thread reads when values are wanted.

use super::input::Splitter;
use crate::{
    console::printable,
    master::{
        files::{Files, Places},
        items::{Cut, Framing, InputError, Read, Taken, Unusable},
        resume::Resume,
        run::Master,
    },
    threads,
};
use serde_json::json;
use std::{io, path::PathBuf, sync::Arc};

/// The bytes of results handed over at a time.
const SLICE: usize = 1 << 20;

impl Master {
    /// Provides the items of the command line as input.
    pub(crate) fn provide(self: &Arc<Self>, values: Vec<Cut>) {
        let master = self.clone();
        if let Err(error) = threads::spawn("items", move || master.feed_items(values)) {
            self.end_input(Err(InputError::new(threads::refused(&error))));
        }
    }

    fn feed_items(&self, items: Vec<Cut>) {
        self.mind_numbers_of(&items, 0);
        let offered = self.offer(items.into_iter().map(|item| (item, None)));
        self.end_input(offered);
    }

    /// Reads `source` to its end, block by block, whenever some volunteer asks for values. Blocks.
    pub(crate) fn feed(&self, mut source: impl io::Read) {
        let mut splitter = Splitter::new(self.job.framing);
        let (mut values, mut before) = (Vec::new(), 0);
        // The first block is read at once, because an empty input must be noticed without any
        // volunteer.
        loop {
            let read = splitter.read(&mut source, &mut values);
            self.mind_numbers_of(&values, before);
            before += values.len() as u64;
            let offered = self.offer(values.drain(..).map(|value| (value, None)));
            self.lock().items_mut().note_bytes_read(splitter.bytes_cut());
            match offered.and(read) {
                Ok(true) => self.wait_until_wanted(),
                end => return self.end_input(end.map(|_| ())),
            }
        }
    }

    /// Reads the files called `names`, one at a time, whenever some volunteer asks for values.
    /// Blocks.
    pub(crate) fn feed_files(
        &self,
        files: &Files,
        names: impl Iterator<Item = Result<Cut, InputError>>,
    ) {
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
            let name = name?;
            let output = self.lock().items().lender().results_output();
            files.note_name(number - 1, &name, output);
            self.offer([files.take(number, name, &mut places)])?;
            self.wait_until_wanted();
        }
        Ok(())
    }

    fn wait_until_wanted(&self) {
        self.wait_for_input(|state| state.items().wants_input());
    }

    /// Adds items to the input. Items with results in the journal are handed over in slices, as
    /// the window has room. Blocks.
    ///
    /// # Errors
    /// When the journal belongs to other values: no item is added. When an unusable item
    /// ends the run: the items before it are added.
    pub(in crate::master) fn offer(
        &self,
        values: impl IntoIterator<Item = Taken>,
    ) -> Result<(), InputError> {
        let mut resume = self.resume();
        // The results stay open until the next call after the last one, because the end of the
        // input must be noticed without any volunteer.
        if resume.as_ref().is_some_and(Resume::is_over) {
            *resume = None;
            self.lock().items_mut().end_resuming();
        }
        let mut slice = Vec::new();
        let mut bytes = 0;
        let mut ends = Ok(());
        for (value, target) in values {
            let read = match (value, &mut *resume) {
                (Ok(value), None) => Read::Value(value),
                (Ok(value), Some(resume)) => resume
                    .resolve(value, target.as_deref(), &self.job)
                    .inspect_err(|_| self.abandon_journal())?,
                (Err(unusable), resume) => match self.fail_unusable(unusable) {
                    Ok(read) => {
                        resume.iter_mut().for_each(Resume::skip);
                        read
                    }
                    Err(error) => {
                        ends = Err(error);
                        break;
                    }
                },
            };
            if let Read::Finished(result) = &read {
                bytes += result.len();
            }
            slice.push((read, target));
            if bytes >= SLICE {
                self.hand_over(slice.drain(..));
                self.wait_until_wanted();
                bytes = 0;
            }
        }
        self.hand_over(slice);
        ends
    }

    /// Handles an unusable item: ends the run, or returns what takes the item's place.
    fn fail_unusable(&self, unusable: Unusable) -> Result<Read, InputError> {
        let (number, why) = (unusable.number, unusable.why.clone());
        let (read, line) = self.with(|state| state.fail_input(&self.job, unusable))?;
        self.events.write("failed", json!({"index": number, "kind": "input", "message": why}));
        line.into_iter().for_each(|line| self.console.say(printable(&line)));
        self.job.failed.iter().for_each(|list| list.keep_up());
        Ok(read)
    }

    fn hand_over(&self, reads: impl IntoIterator<Item = (Read, Option<PathBuf>)>) {
        self.with(|state| state.items_mut().add(reads));
    }

    /// Notes that no more values follow.
    pub(in crate::master) fn end_input(&self, how: Result<(), InputError>) {
        let resume = self.resume().take();
        if let (Ok(()), Some(resume)) = (&how, resume.filter(|resume| !resume.is_over())) {
            let (name, further) = (resume.name(), resume.further());
            let text = format!(
                "the input ends before the journal {name} does: {further} more had been read"
            );
            self.console.say(printable(&text));
        }
        self.with(|state| state.items_mut().end_input(how));
    }
}

/// The values of a byte stream, read on demand.
pub(crate) struct InputValues<R> {
    splitter: Splitter,
    source: R,
    cut: std::vec::IntoIter<Cut>,
    /// How the stream ended; the outer `Option` is empty until then, the inner one without an
    /// error.
    end: Option<Option<InputError>>,
}

impl<R: io::Read> InputValues<R> {
    /// Cuts `source` into values, from its start.
    pub(crate) fn new(source: R, framing: Framing) -> Self {
        Self { splitter: Splitter::new(framing), source, cut: Vec::new().into_iter(), end: None }
    }
}

impl<R: io::Read> Iterator for InputValues<R> {
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
