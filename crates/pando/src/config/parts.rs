//! The parts of the configuration: where function and values come from, where results go, and what
//! people are told.

use crate::{
    failed::FailedList,
    grid::Grid,
    protocol::JobProgram,
    volunteer::{Engine, ExecCommand},
};
use pando_join::RemoteAssets;
use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

/// Where the function comes from.
#[derive(Debug, Clone)]
pub(crate) enum FunctionSource {
    /// A JavaScript or TypeScript file, or a pipe with JavaScript.
    Module(PathBuf),
    /// JavaScript of the command line (`--eval`).
    Inline(String),
    /// The text of a JavaScript file of this program, and the name that people see.
    Embedded { name: &'static str, source: &'static str },
    /// The function or the program of another run (`pando join --share`).
    Shared(SharedFunction),
    /// A command for this machine's shell (`--exec`): its text, and how it is run.
    Command { text: String, command: ExecCommand },
}

impl FunctionSource {
    /// The command that runs once per value, or answers lines (`--exec`).
    pub(crate) fn command(&self) -> Option<&ExecCommand> {
        match self {
            Self::Command { command, .. } => Some(command),
            _ => None,
        }
    }
}

/// The function of another run, as volunteers get it.
#[derive(Clone)]
pub(crate) struct SharedFunction {
    /// The bundle; empty if a program computes.
    pub(crate) code: String,
    /// The hash of the bundle.
    pub(crate) hash: String,
    /// The program that computes in place of a function.
    pub(crate) program: Option<JobProgram>,
    /// The engine of this machine's cores, if they compute.
    pub(crate) engine: Option<Arc<dyn Engine>>,
    /// The assets, if the run has some.
    pub(crate) assets: Option<RemoteAssets>,
}

impl fmt::Debug for SharedFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedFunction").field("hash", &self.hash).finish_non_exhaustive()
    }
}

/// Where values come from.
#[derive(Debug, Clone)]
pub(crate) enum InputSource {
    /// The command line.
    Items(Vec<String>),
    /// Standard input.
    Stdin,
    /// The items in the file at `path`, which failed in another run.
    Failed { path: PathBuf, list: FailedList },
    /// All combinations of the values in the options.
    Grid(Arc<Grid>),
    /// The Rust program around the library, or another run.
    Stream,
}

/// The options about files of values and of results.
#[derive(Debug, Clone)]
pub(crate) struct FileOptions {
    /// Whether values are names of files (`--files`).
    pub(crate) reads: bool,
    /// The folder for results; without one, results are printed.
    pub(crate) output_dir: Option<PathBuf>,
    /// The ending of results' names, in place of the inputs'.
    pub(crate) ext: Option<String>,
    /// Whether files that are there are written over.
    pub(crate) overwrite: bool,
}

/// The journal of a run.
#[derive(Debug, Clone)]
pub(crate) struct JournalConfig {
    pub(crate) path: PathBuf,
    /// Whether results are used although the job has changed.
    pub(crate) keep: bool,
}

/// Messages for people while the run goes on.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    /// The time between reports and statistics.
    pub(crate) interval: Duration,
    /// Whether there is a live status line.
    pub(crate) live: bool,
    /// Whether output and reports of the function are hidden.
    pub(crate) quiet: bool,
    /// Whether statistics are printed.
    pub(crate) verbose: bool,
    /// Whether the summary at the end is printed.
    pub(crate) summary: bool,
    /// The file for the summary.
    pub(crate) summary_file: Option<PathBuf>,
    /// The file for the report.
    pub(crate) report_file: Option<PathBuf>,
    /// The command that gets the summary.
    pub(crate) on_finish: Option<String>,
}
