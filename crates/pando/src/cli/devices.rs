//! Which devices compute, and how they share the values.

use crate::{
    config::{BatchSize, TrustRule},
    duration::duration,
    volunteer::EngineChoice,
};
use clap::{Args, builder::BoolishValueParser as YesOrNo};
use std::time::Duration;

/// See the module.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Devices")]
pub(crate) struct Devices {
    /// Cores of this machine to use, at most 32, or 4 for each of its threads if that is more
    /// [default: all but one, at least one; 0: none]
    #[arg(long, env = "PANDO_CORES", value_name = "N")]
    pub(crate) cores: Option<usize>,

    /// Use only this machine's cores; nobody can join
    #[arg(long, env = "PANDO_LOCAL", value_parser = YesOrNo::new())]
    pub(crate) local: bool,

    /// Leave this machine's cores idle (as --cores 0)
    #[arg(long, env = "PANDO_START_IDLE", value_parser = YesOrNo::new())]
    pub(crate) start_idle: bool,

    /// Open a volunteer tab in this machine's browser
    #[arg(long, env = "PANDO_OPEN", value_parser = YesOrNo::new())]
    pub(crate) open: bool,

    /// What computes on this machine's cores: node, deno, bun, or embedded (in this program, 9 to 16
    /// times slower); auto is the first that is here, and with --sandbox the one that is held best
    #[arg(long, env = "PANDO_ENGINE", value_name = "NAME", default_value = "auto", value_parser = str::parse::<EngineChoice>)]
    pub(crate) engine: EngineChoice,

    /// Hold the function on this machine's cores: no files, no network, no other programs, limited
    /// memory (see docs/sandbox.md)
    #[arg(long, env = "PANDO_SANDBOX", value_parser = YesOrNo::new())]
    pub(crate) sandbox: bool,

    /// What volunteers' pages say that this run computes [default: the name of the function's file]
    #[arg(long, env = "PANDO_TITLE", value_name = "T", value_parser = page_text)]
    pub(crate) title: Option<String>,

    /// For whom it computes, on volunteers' pages: your name, a class, a project
    #[arg(long, env = "PANDO_FROM", value_name = "WHO", value_parser = page_text)]
    pub(crate) from: Option<String>,

    /// Values per lent core, computing and queued: a number, or auto to follow its speed and
    /// distance
    #[arg(long, env = "PANDO_BATCH_SIZE", value_name = "auto|N", default_value = "auto", value_parser = batch_size)]
    pub(crate) batch_size: BatchSize,

    /// Values read and not yet output, at most
    #[arg(long, env = "PANDO_WINDOW", value_name = "N", default_value_t = 65_536, value_parser = clap::value_parser!(u32).range(1..=16_777_216))]
    pub(crate) window: u32,

    /// When there is nothing else to compute, lend the oldest unfinished value a second time, to
    /// an idle device: the first result counts
    #[arg(long, env = "PANDO_SPECULATE", value_parser = YesOrNo::new())]
    pub(crate) speculate: bool,

    /// Give each value to N different devices, 2 to 100: its result is the JSON array of their
    /// answers, each as {"device":…,"result":…} (see docs/trust.md)
    #[arg(long, env = "PANDO_COPIES", value_name = "N", value_parser = clap::value_parser!(u32).range(2..=100))]
    pub(crate) copies: Option<u32>,

    /// Compare the results of different devices. N: a result counts when N devices have answered
    /// the same. P%: new devices are checked at each value, proven ones at this share of their
    /// values
    #[arg(long, env = "PANDO_VERIFY", value_name = "N|P%", value_parser = verify)]
    pub(crate) verify: Option<TrustRule>,

    /// With --verify: run this command to compare two results, which it reads as two lines; status
    /// 0 means that they are equal, 1 that they differ
    #[arg(long, env = "PANDO_VERIFY_WITH", value_name = "COMMAND")]
    pub(crate) verify_with: Option<String>,

    /// Time between signs of life; a device that is silent for three is gone
    #[arg(long, env = "PANDO_HEARTBEAT", value_name = "DUR", default_value = "5s", value_parser = duration)]
    pub(crate) heartbeat: Duration,

    /// Let this machine fall asleep by itself during the run
    #[arg(long, env = "PANDO_ALLOW_SLEEP", value_parser = YesOrNo::new())]
    pub(crate) allow_sleep: bool,
}

/// Most characters in a text for volunteers' pages.
const LONGEST_PAGE_TEXT: usize = 200;

fn page_text(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("give some words, or leave the option out".into());
    }
    if text.contains(char::is_control) {
        return Err("give one line, without control characters".into());
    }
    let length = text.chars().count();
    if length > LONGEST_PAGE_TEXT {
        return Err(format!(
            "{length} characters are too many for a page: give at most {LONGEST_PAGE_TEXT}"
        ));
    }
    Ok(text.into())
}

fn verify(text: &str) -> Result<TrustRule, String> {
    let wrong = || "give a number of devices, 2 to 100, or a share of the values such as 5%".into();
    if let Some(percent) = text.strip_suffix('%') {
        return match percent.trim_end().parse::<f64>() {
            Ok(percent) if percent > 0.0 && percent <= 100.0 => Ok(TrustRule::SpotChecks(percent)),
            _ => Err(wrong()),
        };
    }
    match text.parse() {
        Ok(devices @ 2..=100) => Ok(TrustRule::Quorum(devices)),
        _ => Err(wrong()),
    }
}

fn batch_size(text: &str) -> Result<BatchSize, String> {
    match text {
        "auto" => Ok(BatchSize::Auto),
        number => match number.parse() {
            Ok(n) if n > 0 => Ok(BatchSize::Fixed(n)),
            _ => Err("give `auto` or a number from 1 up".into()),
        },
    }
}
