//! The program that other machines can run.

use super::{FunctionSource, RunConfig};
use crate::protocol::JobProgram;

impl RunConfig {
    /// The program that other machines can run for this run. A program that answers lines is not
    /// among them: a line too many at its end would shift results, and nobody would notice. Nor is
    /// a program for files, because their names mean nothing on other machines.
    pub(crate) fn program_for_others(&self) -> Option<JobProgram> {
        if let FunctionSource::Shared(shared) = &self.function {
            return shared.program.clone();
        }
        let FunctionSource::Command { command, text } = &self.function else { return None };
        let is_for_others = self.server.is_some()
            && command.is_per_value()
            && !self.reads_files()
            && self.assets.is_none();
        is_for_others.then(|| JobProgram {
            command: text.clone(),
            null: self.framing.separator == 0,
            files: self.files.as_ref().is_some_and(|files| files.output_dir.is_some()),
        })
    }
}
