//! Reads the input of a run on the command line: a thread reads when values are wanted.

use super::{
    chunk::Chunker,
    input::Splitter,
    source::{Combinations, Given, Head, Lines, Rows, Source},
};
use crate::{
    console::printable,
    grid::Grid,
    master::{
        files::{Files, Places},
        items::{Cut, Framing, InputError, Read, Taken, Unusable},
        policy::excerpt,
        resume::Resume,
        run::Master,
        shape::Packed,
    },
    threads,
};
use serde_json::json;
use std::{io, path::PathBuf, sync::Arc};

/// The most characters of a value that people are shown.
const SHOWN: usize = 200;
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
        self.feed_source(Given(items));
    }

    /// Reads the lines or rows of `source` to its end, block by block, whenever some volunteer asks
    /// for values. Blocks.
    pub(crate) fn feed(&self, source: impl io::Read) {
        match self.job.shape.table.clone() {
            None => self.feed_source(Lines::new(source, self.job.framing)),
            Some(table) => self.feed_source(Rows::new(source, table)),
        }
    }

    /// Makes the combinations of `grid`, whenever some volunteer asks for values. Blocks.
    pub(crate) fn feed_grid(&self, grid: Arc<Grid>) {
        if let Some(table) = &self.job.shape.table {
            table.columns.get_or_init(|| grid.names());
        }
        self.feed_source(Combinations::new(grid));
    }

    fn feed_source(&self, source: impl Source) {
        let ended = self.feed_blocks(source);
        self.end_input(ended);
    }

    fn feed_blocks(&self, source: impl Source) -> Result<(), InputError> {
        let mut source = Head { source, missing: self.job.shape.head };
        let numbered = self.job.files.clone().filter(|files| !files.reads);
        if let Some(files) = &numbered {
            files.make_folder()?;
        }
        let mut chunker = self.job.shape.chunks.clone().map(Chunker::new);
        let (mut values, mut before) = (Vec::new(), 0);
        // The first block is read at once, because an empty input must be noticed without any
        // volunteer.
        loop {
            let read = source.read(&mut values);
            if self.job.shows_first && before == 0 {
                self.show_first(values.first(), !matches!(read, Ok(true)));
            }
            self.mind_numbers_of(&values, before);
            let numbers = before + 1..;
            before += values.len() as u64;
            let cut = values.drain(..);
            let offered = match (&mut chunker, &numbered) {
                (None, None) if self.is_new(cut.as_slice()) => {
                    self.add_values(cut);
                    Ok(())
                }
                (None, None) => self.offer(cut.map(|value| (value, None))),
                (None, Some(files)) => {
                    self.offer(numbers.zip(cut).map(|(number, value)| files.place(number, value)))
                }
                (Some(chunker), _) => self.offer_chunks(chunker, cut, !matches!(read, Ok(true))),
            };
            self.lock().items_mut().note_bytes_read(source.bytes_cut());
            if !offered.and(read)? {
                return Ok(());
            }
            self.wait_until_wanted();
        }
    }

    /// Shows people the first value, if it is there, or says that there is none at the end.
    fn show_first(&self, first: Option<&Cut>, at_end: bool) {
        match first {
            Some(Ok(value)) => {
                let value = excerpt(&value.bytes, SHOWN);
                self.console.say(printable(&format!("dry run: the first value is {value}")));
            }
            None if at_end => self.console.say("dry run: there are no values"),
            _ => {}
        }
    }

    /// Reads the files called `names`, one at a time, whenever some volunteer asks for values.
    /// Blocks.
    pub(crate) fn feed_files(
        &self,
        files: &Files,
        names: impl Iterator<Item = Result<Cut, InputError>>,
    ) {
        let most = self.job.shape.head.map_or(usize::MAX, |head| head as usize);
        let names = names.take(most);
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
            if Some(number) == self.job.shape.head {
                break;
            }
            self.wait_until_wanted();
        }
        Ok(())
    }

    fn wait_until_wanted(&self) {
        self.wait_for_input(|state| state.items().wants_input());
    }

    /// Whether all values are to be computed: none is unusable or has a result in the journal.
    fn is_new(&self, values: &[Cut]) -> bool {
        self.resume().is_none() && values.iter().all(Result::is_ok)
    }

    /// Adds values that are to be computed and whose results are printed.
    fn add_values(&self, values: impl ExactSizeIterator<Item = Cut>) {
        let value = |value: Cut| value.unwrap_or_else(|_| unreachable!("it was looked at"));
        self.with(|state| state.items_mut().add_values(values.map(value)));
    }

    /// Adds items to the input. Items with results in the journal are handed over in slices, as
    /// the window has room. Blocks.
    ///
    /// # Errors
    /// When the journal cannot be read: no item is added. When an unusable item ends the run: the
    /// items before it are added.
    pub(in crate::master) fn offer(
        &self,
        values: impl IntoIterator<Item = Taken>,
    ) -> Result<(), InputError> {
        let mut resume = self.resume();
        // The input is read without any volunteer up to the next call after the last result,
        // because the end of the input must be noticed.
        if resume.as_ref().is_some_and(|resume| !resume.goes_on()) {
            self.lock().items_mut().end_resuming();
        }
        if resume.as_ref().is_some_and(Resume::is_over) {
            *resume = None;
        }
        let mut slice = Vec::new();
        let (mut bytes, mut earlier) = (0, 0);
        let mut ends = Ok(());
        for (value, target) in values {
            let failed = value.is_err();
            let input = self
                .job
                .packs()
                .then(|| value.as_ref().map(|value| value.bytes.clone()).unwrap_or_default());
            let read = match (value, &mut *resume) {
                // All values of the chunk are unusable.
                (Ok(value), resume) if self.job.shape.chunks.is_some() && value.bytes == "[]" => {
                    resume.iter_mut().try_for_each(Resume::pass)?;
                    Read::Finished(value.bytes)
                }
                (Ok(value), None) => Read::Value(value),
                (Ok(value), Some(resume)) => {
                    let read = resume.resolve(value, target.as_deref(), &self.job)?;
                    earlier += u64::from(matches!(read, Read::Finished(_)));
                    read
                }
                (Err(unusable), resume) => match self.fail_unusable(*unusable) {
                    Ok(read) => {
                        resume.iter_mut().try_for_each(Resume::pass)?;
                        read
                    }
                    Err(error) => {
                        ends = Err(error);
                        break;
                    }
                },
            };
            let read = match (read, input) {
                (Read::Finished(result), Some(input)) => {
                    Read::Finished(Packed::pack(&input, &result, failed))
                }
                (read, _) => read,
            };
            if let Read::Finished(result) = &read {
                bytes += result.len();
            }
            slice.push((read, target));
            if bytes >= SLICE {
                self.hand_over(slice.drain(..), earlier);
                self.wait_until_wanted();
                (bytes, earlier) = (0, 0);
            }
        }
        self.hand_over(slice, earlier);
        ends
    }

    /// Handles an unusable item: ends the run, or returns what takes the item's place.
    pub(super) fn fail_unusable(&self, unusable: Unusable) -> Result<Read, InputError> {
        let (number, why) = (unusable.number, unusable.why.clone());
        let (read, line) = self.with(|state| state.fail_input(&self.job, unusable))?;
        self.events.write("failed", json!({"index": number, "kind": "input", "message": why}));
        line.into_iter().for_each(|line| self.console.say(printable(&line)));
        self.job.failed.iter().for_each(|list| list.keep_up());
        Ok(read)
    }

    /// Adds items, of which so many have the result of an `earlier` run.
    fn hand_over(&self, reads: impl IntoIterator<Item = (Read, Option<PathBuf>)>, earlier: u64) {
        self.with(|state| state.items_mut().add(reads, earlier));
    }

    /// Notes that no more values follow.
    pub(in crate::master) fn end_input(&self, how: Result<(), InputError>) {
        let resume = self.resume().take();
        let words = resume.filter(|_| how.is_ok()).and_then(|resume| resume.last_words());
        words.into_iter().for_each(|words| self.console.say(printable(&words)));
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
