//! How items are lent, tried again and given up, and when optional displays are shown.

use super::{FailureLimit, TrustRule};
use crate::cli::Cli;
use clap::ValueEnum;
use std::path::PathBuf;
use stream_lender::Order;

/// How items are lent, tried again and given up.
#[derive(Debug, Clone)]
pub(crate) struct Policies {
    pub(crate) batch_size: BatchSize,
    /// The most items that are read and not yet output.
    pub(crate) window: usize,
    /// The order of the output.
    pub(crate) order: Order,
    pub(crate) retries: u32,
    pub(crate) speculate: bool,
    /// The command that confirms each result.
    pub(crate) confirm: Option<String>,
    pub(crate) on_error: OnError,
    /// How many items may fail before the run ends.
    pub(crate) max_failures: Option<FailureLimit>,
    /// How many devices compute each value, unless this is one.
    pub(crate) trust: Option<TrustRule>,
    /// The command that compares two results.
    pub(crate) verify_with: Option<String>,
}

/// How many values a device holds per lent core.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BatchSize {
    /// The number follows the device's speed and distance.
    Auto,
    /// The number is fixed.
    Fixed(u32),
}

/// The consequence of an input that failed for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnError {
    /// Inputs before the failed input are finished, then the run ends.
    Stop,
    /// The input has no output.
    Skip,
    /// The output has an error in the place of the result.
    Report,
    /// The same as `Report` for the library, whose outputs are not text.
    #[doc(hidden)]
    #[value(skip)]
    Tell,
}

/// When an optional display is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    /// When standard error is a terminal.
    Auto,
    /// In any case.
    Always,
    /// In no case.
    Never,
}

/// Where the summary at the end goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SummaryOption {
    /// To standard error.
    Shown(When),
    /// To this file, as JSON.
    File(PathBuf),
}

impl Policies {
    /// The policies for the options of `cli`.
    pub(super) fn new(cli: &Cli) -> Self {
        Self {
            batch_size: batch_size(cli),
            window: window(cli),
            order: if cli.rows.unordered { Order::OfResults } else { Order::OfInput },
            retries: cli.failures.retries,
            speculate: cli.devices.speculate,
            confirm: cli.failures.confirm.clone(),
            on_error: cli.failures.on_error.unwrap_or(OnError::Stop),
            max_failures: cli.failures.max_failures,
            trust: TrustRule::new(cli),
            verify_with: cli.devices.verify_with.clone(),
        }
    }
}

impl When {
    /// Whether the display is shown, if `by_itself` is the answer for [`When::Auto`].
    pub(crate) fn or(self, by_itself: impl FnOnce() -> bool) -> bool {
        match self {
            Self::Auto => by_itself(),
            Self::Always => true,
            Self::Never => false,
        }
    }
}

/// The window counts values, also in chunks.
fn window(cli: &Cli) -> usize {
    (u64::from(cli.devices.window) / cli.rows.chunk.unwrap_or(1)).max(1) as usize
}

/// A program in the loop is asked for values as cores become free, and not before.
fn batch_size(cli: &Cli) -> BatchSize {
    match cli.devices.batch_size {
        BatchSize::Auto if cli.data.sync_stdio => BatchSize::Fixed(cli.calls.concurrency),
        size => size,
    }
}
