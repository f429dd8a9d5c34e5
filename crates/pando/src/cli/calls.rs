//! How the function is called.

use crate::duration::duration;
use clap::{Args, builder::BoolishValueParser as YesOrNo};
use std::time::Duration;

/// See the module.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Function")]
pub(crate) struct Calls {
    /// Apply this program instead of a function: one per core of this machine (no other device can
    /// join), it reads values as lines and answers each with a line
    #[arg(long, env = "PANDO_EXEC", value_name = "COMMAND")]
    pub(crate) exec: Option<String>,

    /// Run the function in the page (canvas, buttons, a person's judgement): implies --cores 0
    #[arg(long, env = "PANDO_DOM", value_parser = YesOrNo::new())]
    pub(crate) dom: bool,

    /// Calls of an asynchronous function open at a time on each core
    #[arg(long, env = "PANDO_CONCURRENCY", value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) concurrency: u32,

    /// Longest time for one call of the function, such as 500ms, 2s or 1h30m [default: none]
    #[arg(long, env = "PANDO_TIMEOUT", value_name = "DUR", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
}
