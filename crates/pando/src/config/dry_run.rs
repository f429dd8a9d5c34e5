//! `--dry-run`: a run over the first value alone, without traces.

use super::{FunctionSource, InputSource, OnError, RunConfig};
use crate::number::count;

impl RunConfig {
    /// The dry run of this run: says what would run, and computes the first value on this machine.
    pub(super) fn into_dry_run(mut self) -> Self {
        self.notes.splice(0..0, self.plan());
        self.dry_run = true;
        // A chunk is computed as a whole.
        let first = self.shape.chunk.unwrap_or(1);
        self.shape.head = Some(self.shape.head.map_or(first, |head| head.min(first)));
        self.total = None;
        (self.server, self.relay, self.journal, self.events) = (None, None, None, None);
        self.failed = None;
        (self.report.summary, self.report.summary_file) = (false, None);
        (self.report.report_file, self.report.on_finish) = (None, None);
        self.policies.confirm = None;
        (self.policies.trust, self.policies.verify_with) = (None, None);
        (self.policies.retries, self.policies.on_error) = (0, OnError::Stop);
        self.policies.speculate = false;
        self.keeps_awake = false;
        self.cores = if self.job.dom { 0 } else { 1 };
        if let Some(files) = &mut self.files {
            files.output_dir = None;
        }
        self.files = self.files.filter(|files| files.reads);
        self
    }

    /// What would run, in lines for people.
    fn plan(&self) -> Vec<String> {
        let function = match &self.function {
            FunctionSource::Module(path) => path.display().to_string(),
            FunctionSource::Inline(code) => format!("-e '{code}'"),
            FunctionSource::Embedded { name, .. } => (*name).to_owned(),
            FunctionSource::Shared(_) => "the function of another run".into(),
            FunctionSource::Command { text, .. } => format!("the program `{text}`"),
        };
        let from = match &self.input {
            InputSource::Items(_) => "the command line",
            InputSource::Stdin => "standard input",
            InputSource::Failed { .. } => "--only-failed",
            InputSource::Grid(_) => "--grid",
            InputSource::Stream => "a stream",
        };
        let items = if self.shape.chunk.is_some() { "chunk" } else { "value" };
        let values = match self.total {
            Some(total) => count(total, items),
            None => "values whose number is known at their end".into(),
        };
        let who = match (self.cores, self.takes_volunteers() || self.relay.is_some()) {
            (0, _) => "devices that join".into(),
            (cores, true) => {
                format!("{} of this machine and devices that join", count(cores as u64, "core"))
            }
            (cores, false) => format!("{} of this machine", count(cores as u64, "core")),
        };
        let mut lines =
            vec![format!("dry run: {function} would be applied to {values} from {from}, by {who}")];
        let policies = &self.policies;
        let order = if policies.order == stream_lender::Order::OfResults {
            "as they come"
        } else {
            "in order"
        };
        let on_error = match policies.on_error {
            OnError::Stop => "ends the run",
            OnError::Skip => "is left out",
            OnError::Report | OnError::Tell => "is reported in its place",
        };
        let timeout = self
            .job
            .timeout
            .map_or("without a timeout".to_owned(), |ms| format!("with a timeout of {ms} ms"));
        lines.push(format!(
            "dry run: results {order}, at most {} read and not yet output, calls {timeout}, {}; an item that fails for good {on_error}",
            count(policies.window as u64, items),
            match policies.retries {
                0 => "no further attempts".into(),
                retries => count(retries.into(), "further attempt"),
            }
        ));
        if let Some(dir) = self.files.as_ref().and_then(|files| files.output_dir.as_deref()) {
            lines.push(format!(
                "dry run: results would be written to files below {}",
                dir.display()
            ));
        }
        if let Some(journal) = &self.journal {
            lines.push(format!(
                "dry run: results would be kept in the journal {}",
                journal.path.display()
            ));
        }
        if let Some(rule) = policies.trust {
            let plan = rule.plan();
            lines.push(format!("dry run: {plan}; now, the cores of this machine compute alone"));
        }
        if let Some(command) = &policies.verify_with {
            lines
                .push(format!("dry run: two results that differ would be compared by `{command}`"));
        }
        if let Some(command) = &policies.confirm {
            lines.push(format!("dry run: each result would be confirmed by `{command}`"));
        }
        lines
    }
}
