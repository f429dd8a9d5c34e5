//! What follows a failure, and how a run ends early.

use crate::{
    config::{FailureLimit, OnError},
    duration::duration,
};
use clap::Args;
use std::{path::PathBuf, time::Duration};

/// See the module.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Failures")]
pub(crate) struct Failures {
    /// What follows when an input has failed for good: end the run there, leave it out, or put
    /// {"error":…} in its place (with --json) [default: stop]
    #[arg(long, env = "PANDO_ON_ERROR", value_name = "stop|skip|report")]
    pub(crate) on_error: Option<OnError>,

    /// Further attempts at an input that failed, on other devices where there are any
    #[arg(long, env = "PANDO_RETRIES", value_name = "N", default_value_t = 2)]
    pub(crate) retries: u32,

    /// With --on-error skip or report: end the run when more inputs than this have failed, or more
    /// than this share of the finished ones (judged from 100 on)
    #[arg(long, env = "PANDO_MAX_FAILURES", value_name = "N|P%", value_parser = FailureLimit::parse)]
    pub(crate) max_failures: Option<FailureLimit>,

    /// Write each input that has failed for good to this file, one JSON object per line; what the
    /// file had before goes
    #[arg(long, env = "PANDO_FAILED", value_name = "FILE")]
    pub(crate) failed: Option<PathBuf>,

    /// Compute only the inputs in this file, which --failed has written, in its order
    #[arg(long, env = "PANDO_ONLY_FAILED", value_name = "FILE")]
    pub(crate) only_failed: Option<PathBuf>,

    /// Run this command for each result, with the result on its standard input; unless it
    /// succeeds, the input is computed again
    #[arg(long, env = "PANDO_CONFIRM", value_name = "COMMAND")]
    pub(crate) confirm: Option<String>,

    /// After SIGTERM or SIGHUP: time to finish what has been read, before the run stops all the
    /// same
    #[arg(long, env = "PANDO_GRACE", value_name = "DUR", default_value = "25s", value_parser = duration)]
    pub(crate) grace: Duration,
}
