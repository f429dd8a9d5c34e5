//! What people and programs learn of the run.

use crate::{
    config::{SummaryOption, When},
    duration::duration,
};
use clap::{Args, ValueEnum, builder::BoolishValueParser as YesOrNo};
use std::{path::PathBuf, time::Duration};

/// See the module.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Messages")]
pub(crate) struct Messages {
    /// Live status line on standard error
    #[arg(long, env = "PANDO_PROGRESS", value_name = "auto|always|never", default_value = "auto")]
    pub(crate) progress: When,

    /// Summary at the end on standard error: items, time, a table of devices. Or write it to this
    /// file, as JSON
    #[arg(long, env = "PANDO_SUMMARY", value_name = "auto|always|never|FILE", default_value = "auto", value_parser = summary)]
    pub(crate) summary: SummaryOption,

    /// Write a report of the run to this file at the end: a web page that needs no network
    #[arg(long, env = "PANDO_REPORT", value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,

    /// Run this command at the end, also of a run that fails or cannot begin, with the summary as
    /// JSON on its standard input and the exit status in PANDO_STATUS
    #[arg(long, env = "PANDO_ON_FINISH", value_name = "COMMAND")]
    pub(crate) on_finish: Option<String>,

    /// Append everything that happens to this file, one JSON object per line
    #[arg(long, env = "PANDO_EVENTS", value_name = "FILE")]
    pub(crate) events: Option<PathBuf>,

    /// QR code of the URL on standard error
    #[arg(long, env = "PANDO_QR", value_name = "auto|always|never", default_value = "auto")]
    pub(crate) qr: When,

    /// Hide what the function prints and reports; with --local or --exec, also leave out the
    /// monitoring page
    #[arg(short, long, env = "PANDO_QUIET", value_parser = YesOrNo::new())]
    pub(crate) quiet: bool,

    /// Say more: why values go to other devices, and statistics at every --reporting-interval
    #[arg(short, long, env = "PANDO_VERBOSE", value_parser = YesOrNo::new())]
    pub(crate) verbose: bool,

    /// Time between reports and statistics
    #[arg(long, env = "PANDO_REPORTING_INTERVAL", value_name = "DUR", default_value = "3s", value_parser = duration)]
    pub(crate) reporting_interval: Duration,
}

fn summary(text: &str) -> Result<SummaryOption, String> {
    match When::from_str(text, false) {
        Ok(when) => Ok(SummaryOption::Shown(when)),
        Err(_) if text.is_empty() => Err("give auto, always, never or a file".into()),
        Err(_) => Ok(SummaryOption::File(text.into())),
    }
}
