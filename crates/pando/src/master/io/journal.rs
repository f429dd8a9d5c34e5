//! The journal of a run: results are written to it, and results of an earlier run are read from it.

use crate::{
    journal::{JobFacts, OpenJournal, Recorder, Store},
    master::{items::Ending, resume::Resume, run::Master},
};
use std::sync::{Arc, Weak};

impl Master {
    /// Writes results to `journal`, and uses the results in it. Call this before anything is read.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub(crate) fn keep_journal(
        self: &Arc<Self>,
        journal: OpenJournal,
        kept: JobFacts,
    ) -> anyhow::Result<()> {
        let path = journal.path().to_owned();
        let (replay, writer) = journal.go_on(kept)?;
        let master: Weak<Self> = Arc::downgrade(self);
        let failed = move |why| {
            if let Some(master) = master.upgrade() {
                master.with(|state| state.output_failed(why));
            }
        };
        let store =
            self.job.files.clone().map(|files| -> Store {
                Box::new(move |target, bytes| files.prepare(target, bytes))
            });
        let recorder = Recorder::start(&path, writer, store, failed)?;
        let resumes = replay.has_results();
        self.with(|state| state.items_mut().keep_journal(Arc::new(recorder), resumes));
        let resume = Resume::new(replay, path.display().to_string());
        *self.resume() = resumes.then_some(resume);
        Ok(())
    }

    /// Waits until all results are in the journal.
    ///
    /// # Errors
    /// Why the journal cannot be written.
    pub(crate) fn finish_journal(&self) -> Result<(), String> {
        let journal = self.lock().journal();
        journal.map_or(Ok(()), |journal| journal.finish())
    }

    /// Waits until all results are in the journal. If the journal is incomplete, a successful
    /// `ending` becomes an error.
    pub(crate) fn close_journal(&self, ending: Ending) -> Ending {
        let finished = self.finish_journal();
        self.look_after_journal();
        ending.unless_written(finished)
    }

    /// Ends the output if the list of failed items cannot be written.
    pub(in crate::master) fn look_after_failed(&self) {
        if let Some(why) = self.job.failed.as_ref().and_then(|list| list.failure()) {
            self.with(|state| state.output_failed(why));
        }
    }

    /// Waits until all failed items are in their list. If the list is incomplete, `ending` becomes
    /// an error, unless it is one already.
    pub(crate) fn close_failed(&self, ending: Ending) -> Ending {
        let finished = self.job.failed.as_ref().map_or(Ok(()), |list| list.finish());
        ending.unless_written(finished)
    }

    /// Warns when the journal has been deleted.
    pub(in crate::master) fn look_after_journal(&self) {
        if self.lock().items().journal().is_some_and(|journal| journal.take_deletion()) {
            self.console.say("warning: the journal was deleted during this run: a later run cannot continue from it");
        }
    }

    /// Stops the journal, because results of this run cannot be trusted.
    pub(crate) fn abandon_journal(&self) {
        if let Some(journal) = self.lock().items().journal() {
            journal.abandon();
        }
    }
}
