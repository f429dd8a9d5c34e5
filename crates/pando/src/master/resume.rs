//! A run with a journal: results are written to the journal, and results of an earlier run are
//! read from the journal, each in its place in the order.

use super::{
    Core, Cut, Ending, InputError, Job, Master,
    attend::well_framed,
    input::{Read, Unusable},
};
use crate::{
    cli::OnError,
    console::printable,
    files,
    journal::{Entry, Kept, Known, Opened, Recorder, Replay, Store, digest},
    protocol::{Form, Value},
};
use bytes::Bytes;
use serde_json::json;
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Weak},
};
use stream_lender::{Ask, Index, SubStreamId};

/// The bytes of results handed over at a time.
const SLICE: usize = 1 << 20;

/// The results of an earlier run, while the input is read.
#[derive(Debug)]
pub(super) struct Resume {
    replay: Replay,
    name: String,
    /// Values that have changed since the earlier run are computed (`--journal-keep`).
    keep: bool,
    /// The index of the next value.
    next: Index,
}

/// An item as it was read, and the file for its result.
pub(super) type Taken = (Cut, Option<PathBuf>);

impl Master {
    /// Writes results to `journal`, and uses the results in it. With `keep`, values that have
    /// changed since are computed; otherwise such a value ends the run. Call this before anything
    /// is read.
    ///
    /// # Errors When the journal cannot be written.
    pub fn keep_journal(
        self: &Arc<Self>,
        journal: Opened,
        kept: Kept,
        keep: bool,
    ) -> anyhow::Result<()> {
        let path = journal.path().to_owned();
        let (replay, writer) = journal.go_on(kept)?;
        let master: Weak<Self> = Arc::downgrade(self);
        let failed = move |why| {
            if let Some(master) = master.upgrade() {
                master.with(|core| core.output_failed(why));
            }
        };
        let store =
            self.job.files.clone().map(|files| -> Store {
                Box::new(move |target, bytes| files.prepare(target, bytes))
            });
        let recorder = Recorder::start(&path, writer, store, failed)?;
        let resumes = replay.end() > 0;
        self.with(|core| (core.journal, core.resuming) = (Some(Arc::new(recorder)), resumes));
        let resume = Resume { replay, name: path.display().to_string(), keep, next: 0 };
        *self.resume.lock().expect("nobody panics with it") = resumes.then_some(resume);
        Ok(())
    }

    /// Waits until all results are in the journal.
    ///
    /// # Errors Why the journal cannot be written.
    pub fn finish_journal(&self) -> Result<(), String> {
        let journal = self.lock().journal.clone();
        journal.map_or(Ok(()), |journal| journal.finish())
    }

    /// Waits until all results are in the journal. If the journal is incomplete, a successful
    /// `ending` becomes an error.
    pub fn close_journal(&self, ending: Ending) -> Ending {
        let finished = self.finish_journal();
        self.look_after_journal();
        let fine = matches!(
            ending,
            Ending::Complete
                | Ending::ReaderLeft
                | Ending::SomeFailed(_)
                | Ending::Interrupted
                | Ending::CutShort(_)
        );
        match finished {
            Err(why) if fine => Ending::OutputFailed(why),
            _ => ending,
        }
    }

    /// Warns when the journal has been deleted.
    pub(super) fn look_after_journal(&self) {
        if self.lock().journal.as_ref().is_some_and(|journal| journal.was_deleted()) {
            self.console.say("warning: the journal was deleted while this run goes on: nothing can go on with it later");
        }
    }

    /// Feeds the items of the command line. Blocks.
    pub(super) fn feed_items(&self, items: Vec<Cut>) {
        self.mind_numbers_of(&items, 0);
        let offered = self.offer(items.into_iter().map(|item| (item, None)));
        self.end_input(offered);
    }

    /// Adds items to the input. Items with results in the journal are handed over in slices, as
    /// the window has room. Blocks.
    ///
    /// # Errors When the journal belongs to other values: no item is added. When an unusable item
    /// ends the run: the items before it are added.
    pub(super) fn offer(&self, values: impl IntoIterator<Item = Taken>) -> Result<(), InputError> {
        let mut resume = self.resume.lock().expect("nobody panics with it");
        // The results stay open until the next call after the last one, because the end of the
        // input must be noticed without any volunteer.
        if resume.as_ref().is_some_and(Resume::is_over) {
            *resume = None;
            self.lock().resuming = false;
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
                        resume.iter_mut().for_each(|resume| resume.next += 1);
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
        let report = match self.job.on_error {
            OnError::Stop => return Err(InputError::new(unusable.why)),
            OnError::Skip | OnError::Tell => None,
            OnError::Report => {
                Some(json!({"error": {"index": unusable.number, "message": unusable.why}}))
            }
        };
        self.events.write(
            "failed",
            json!({"index": unusable.number, "kind": "input", "message": unusable.why}),
        );
        self.console.say(printable(&unusable.told()));
        self.with(|core| core.failures.left_out_input());
        Ok(report.map_or(Read::LeftOut, |report| Read::Finished(report.to_string().into())))
    }

    fn hand_over(&self, reads: impl IntoIterator<Item = (Read, Option<PathBuf>)>) {
        self.with(|core| {
            core.reads_on = false;
            let mut lendable = false;
            for (read, target) in reads {
                lendable |= matches!(read, Read::Value(_));
                core.reads_on = !lendable;
                core.input.push(read);
                core.targets.extend(target);
            }
            core.lender.input_ready();
        });
    }

    /// Notes that no more values follow.
    pub(super) fn end_input(&self, how: Result<(), InputError>) {
        let resume = self.resume.lock().expect("nobody panics with it").take();
        if let (Ok(()), Some(resume)) = (&how, resume.filter(|resume| !resume.is_over())) {
            let further = resume.replay.end() - resume.next;
            let text = format!(
                "the input ends before the journal {} does: {further} more had been read",
                resume.name
            );
            self.console.say(printable(&text));
        }
        self.with(|core| {
            core.resuming = false;
            core.input.end(how);
            core.lender.input_ready();
            core.notice_end();
        });
    }

    /// Stops the journal, because the results of this run belong to other values.
    pub(crate) fn abandon_journal(&self) {
        if let Some(journal) = &self.lock().journal {
            journal.abandon();
        }
    }
}

impl Resume {
    /// Whether all results have been used.
    fn is_over(&self) -> bool {
        self.next >= self.replay.end()
    }

    /// Returns the result of `value`, the next of the input, or the value itself if its result is
    /// unknown.
    fn resolve(
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
                if target.is_none() && well_framed((Form::Bytes, result.clone()), job).is_ok() =>
            {
                Ok(Read::Finished(result))
            }
            Known::InFile(path, hash)
                if target.is_some_and(|target| is_there(target, &path, hash)) =>
            {
                Ok(Read::Finished(Bytes::new()))
            }
            Known::Another if !self.keep => Err(InputError::usage(format!(
                "item {} is another than when the journal {} was written: give the same input, name another journal, \
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

impl Core {
    /// Asks the lender for a value for `sub`. Finished items before this value take their places
    /// on the way.
    pub(super) fn ask(&mut self, sub: SubStreamId) -> Ask<Value> {
        loop {
            match self.lender.ask(sub, &mut self.input) {
                Ask::Wait if self.take_finished() => {}
                answer => return answer,
            }
        }
    }

    /// Moves finished items from the head of the input to the lender, as the window has room.
    /// Returns whether any was moved.
    pub(super) fn take_finished(&mut self) -> bool {
        let mut taken = false;
        while self.lender.has_room()
            && let Some(result) = self.input.pop_finished()
        {
            taken |= self.lender.read_finished(result).is_ok();
        }
        if taken {
            self.lender.input_ready();
            self.notice_end();
        }
        taken
    }

    /// Whether the input is to be read now.
    pub(super) fn wants_input(&self) -> bool {
        self.input.is_empty()
            && (self.lender.wants_input()
                || (self.resuming || self.reads_on) && self.lender.has_room())
    }

    /// The journal's entry for `index`, in case `result` is accepted.
    pub(super) fn entry(&self, index: Index, result: &Bytes) -> Option<Entry> {
        self.journal.as_ref()?;
        let place = usize::try_from(index.checked_sub(self.lender.output())?).ok()?;
        Some(Entry {
            index,
            value: self.lender.value(index)?.bytes.clone(),
            result: result.clone(),
            target: self.targets.get(place).cloned(),
        })
    }

    pub(super) fn record(&self, entry: Option<Entry>) {
        if let (Some(journal), Some(entry)) = (&self.journal, entry) {
            journal.record(entry);
        }
    }
}
