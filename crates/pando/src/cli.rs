//! The command line.

use crate::{command_line, duration::duration, ice::IceServer};
use clap::{Parser, ValueEnum, builder::BoolishValueParser as YesOrNo};
use std::{net::IpAddr, path::PathBuf, time::Duration};

/// The port that is tried first, unless the user names one.
pub const DEFAULT_PORT: u16 = 5000;

/// Maps a stream of values over the browsers and cores of your own and your friends' devices:
/// each line in becomes one line out, in order.
#[derive(Debug, Clone, Parser)]
#[command(name = "pando", version, about, allow_negative_numbers = true, args_override_self = true)]
#[command(
    after_help = "Values are lines. Results go to standard output in the order of their inputs, all else to standard error.\n\
    Exit status: 0 all done (or the reader left), 1 an input failed or the run was cut short, 2 wrong usage or a function that cannot be loaded.\n\n\
    Example:  seq 100 | pando square.js\n\n\
    pando relay   the public server for volunteers outside the local network: see pando relay --help"
)]
pub struct Cli {
    /// JavaScript or TypeScript file with the function to apply
    #[arg(required_unless_present = "exec")]
    pub function: Option<PathBuf>,

    /// Values to apply it to (default: the lines of standard input)
    #[arg(value_name = "ITEMS")]
    pub items: Vec<String>,

    /// Apply this program instead of a function: one per core of this machine (no other device can
    /// join), it reads values as lines and answers each with a line
    #[arg(long, env = "PANDO_EXEC", value_name = "COMMAND", conflicts_with_all = ["dom", "host", "start_idle", "open"])]
    pub exec: Option<String>,

    /// Read values from standard input, one per line
    #[arg(long, env = "PANDO_STDIN", value_parser = YesOrNo::new(), conflicts_with = "items")]
    pub stdin: bool,

    /// Separate values and results with NUL instead of newline
    #[arg(short = '0', long, env = "PANDO_NULL", value_parser = YesOrNo::new())]
    pub null: bool,

    /// Each value and each result is one JSON text
    #[arg(long, env = "PANDO_JSON", value_parser = YesOrNo::new())]
    pub json: bool,

    /// Put a program in the loop: ask it for values as cores become free, and tell it results at
    /// once, as JSON lines (see docs/sync-stdio.md)
    #[arg(long, env = "PANDO_SYNC_STDIO", value_parser = YesOrNo::new(), conflicts_with_all = ["items", "stdin", "null", "files", "on_error"])]
    pub sync_stdio: bool,

    /// Values are names of files, relative to this folder: the function receives each one's bytes
    #[arg(long, env = "PANDO_FILES", value_parser = YesOrNo::new(), conflicts_with_all = ["json", "exec"])]
    pub files: bool,

    /// With --files: write each result to the file of the same name below this folder, and print
    /// its path
    #[arg(long, env = "PANDO_OUTPUT_DIR", value_name = "DIR", requires = "files")]
    pub output_dir: Option<PathBuf>,

    /// With --output-dir: the ending of results' names, such as png, in place of the inputs'
    #[arg(long, env = "PANDO_EXT", value_name = "E", requires = "output_dir", value_parser = ext)]
    pub ext: Option<String>,

    /// With --output-dir: write over files that are there already, though never over an input. All
    /// names are read before the first file is
    #[arg(long, env = "PANDO_OVERWRITE", value_parser = YesOrNo::new(), requires = "output_dir")]
    pub overwrite: bool,

    /// Port for volunteers [default: 5000 or the next free one; 0: any]
    #[arg(long, env = "PANDO_PORT", value_name = "PORT")]
    pub port: Option<u16>,

    /// Address to listen on
    #[arg(long, env = "PANDO_BIND", value_name = "ADDR", default_value = "0.0.0.0")]
    pub bind: IpAddr,

    /// Further host name by which volunteers may reach this machine (repeatable)
    #[arg(long, env = "PANDO_ALLOW_HOST", value_name = "NAME", value_delimiter = ',')]
    pub allow_host: Vec<String>,

    /// Serve volunteers by https, with a certificate made for this run, of which browsers warn
    #[arg(long, env = "PANDO_TLS", value_parser = YesOrNo::new(), conflicts_with_all = ["tls_cert", "local"])]
    pub tls: bool,

    /// Serve volunteers by https, with the certificate chain in this file, in PEM form
    #[arg(
        long,
        env = "PANDO_TLS_CERT",
        value_name = "FILE",
        requires = "tls_key",
        conflicts_with = "local"
    )]
    pub tls_cert: Option<PathBuf>,

    /// File with that certificate's private key, in PEM form
    #[arg(long, env = "PANDO_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,

    /// Connections at a time [default: as many as the system has files for]
    #[arg(long, env = "PANDO_MAX_CONNECTIONS", value_name = "N")]
    pub max_connections: Option<usize>,

    /// Connections of one address at a time, those over loopback aside
    #[arg(
        long,
        env = "PANDO_MAX_CONNECTIONS_PER_ADDRESS",
        value_name = "N",
        default_value_t = 500
    )]
    pub max_connections_per_address: usize,

    /// Keep the function, in tabs, from the network: it reaches nothing but the server of its page
    /// (see docs/security.md)
    #[arg(long, env = "PANDO_DENY_NET", value_parser = YesOrNo::new(), conflicts_with_all = ["exec", "local"])]
    pub deny_net: bool,

    /// Join token in the volunteers' URL [default: fresh per run]
    #[arg(long, env = "PANDO_TOKEN", hide_env_values = true, value_parser = token, conflicts_with = "open_access")]
    pub token: Option<String>,

    /// Let anyone who finds the port join: no token in the URL
    #[arg(long, env = "PANDO_OPEN_ACCESS", value_parser = YesOrNo::new())]
    pub open_access: bool,

    /// Relay through which volunteers outside the local network join, such as
    /// https://pando.example.org
    #[arg(
        long,
        env = "PANDO_HOST",
        value_name = "URL",
        requires = "secret",
        conflicts_with = "local"
    )]
    pub host: Option<String>,

    /// What that relay asks of those who use it
    #[arg(long, env = "PANDO_SECRET", value_name = "S", hide_env_values = true)]
    pub secret: Option<String>,

    /// STUN and TURN servers for direct connections, such as stun:stun.example.org:3478 or
    /// turn:USER:PASSWORD@HOST:PORT
    #[arg(
        long,
        env = "PANDO_ICE_SERVERS",
        hide_env_values = true,
        value_name = "URLS",
        value_delimiter = ','
    )]
    pub ice_servers: Vec<IceServer>,

    /// Open a volunteer tab in this machine's browser
    #[arg(long, env = "PANDO_OPEN", value_parser = YesOrNo::new())]
    pub open: bool,

    /// Cores of this machine to use, at most 32, or 4 for each of its threads if that is more
    /// [default: all but one, at least one; 0: none]
    #[arg(long, env = "PANDO_CORES", value_name = "N")]
    pub cores: Option<usize>,

    /// Use only this machine's cores, and open no port
    #[arg(long, env = "PANDO_LOCAL", value_parser = YesOrNo::new(), conflicts_with_all = ["start_idle", "port", "open", "dom"])]
    pub local: bool,

    /// Leave this machine's cores idle (as --cores 0)
    #[arg(long, env = "PANDO_START_IDLE", value_parser = YesOrNo::new(), conflicts_with = "cores")]
    pub start_idle: bool,

    /// Run the function in the page (canvas, buttons, a person's judgement): implies --cores 0
    #[arg(long, env = "PANDO_DOM", value_parser = YesOrNo::new())]
    pub dom: bool,

    /// Calls of an asynchronous function open at a time on each core
    #[arg(long, env = "PANDO_CONCURRENCY", value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub concurrency: u32,

    /// Values per lent core, computing and queued: a number, or auto to follow its speed and
    /// distance
    #[arg(long, env = "PANDO_BATCH_SIZE", value_name = "auto|N", default_value = "auto", value_parser = batch_size)]
    pub batch_size: BatchSize,

    /// Values read and not yet output, at most
    #[arg(long, env = "PANDO_WINDOW", value_name = "N", default_value_t = 65_536, value_parser = clap::value_parser!(u32).range(1..=16_777_216))]
    pub window: u32,

    /// Longest time for one call of the function, such as 500ms, 2s or 1h30m [default: none]
    #[arg(long, env = "PANDO_TIMEOUT", value_name = "DUR", value_parser = duration)]
    pub timeout: Option<Duration>,

    /// Further attempts at an input that failed, on other devices where there are any
    #[arg(long, env = "PANDO_RETRIES", value_name = "N", default_value_t = 2)]
    pub retries: u32,

    /// When there is nothing else to compute, lend the oldest unfinished value a second time, to
    /// an idle device: the first result counts
    #[arg(long, env = "PANDO_SPECULATE", value_parser = YesOrNo::new())]
    pub speculate: bool,

    /// Run this command for each result, with the result on its standard input; unless it
    /// succeeds, the input is computed again
    #[arg(long, env = "PANDO_CONFIRM", value_name = "COMMAND")]
    pub confirm: Option<String>,

    /// What follows when an input has failed for good: end the run there, leave it out, or put
    /// {"error":…} in its place (with --json)
    #[arg(long, env = "PANDO_ON_ERROR", value_name = "WHAT", default_value = "stop")]
    pub on_error: OnError,

    /// Time between signs of life; a device that is silent for three is gone
    #[arg(long, env = "PANDO_HEARTBEAT", value_name = "DUR", default_value = "5s", value_parser = duration)]
    pub heartbeat: Duration,

    /// After SIGTERM or SIGHUP: time to finish what has been read, before the run stops all the
    /// same
    #[arg(long, env = "PANDO_GRACE", value_name = "DUR", default_value = "25s", value_parser = duration)]
    pub grace: Duration,

    /// Append everything that happens to this file, one JSON object per line
    #[arg(long, env = "PANDO_EVENTS", value_name = "FILE")]
    pub events: Option<PathBuf>,

    /// Keep results in this file as they come: the same command, given again, goes on where this
    /// run ended, however that was
    #[arg(long, env = "PANDO_JOURNAL", value_name = "FILE", conflicts_with = "sync_stdio")]
    pub journal: Option<PathBuf>,

    /// With --journal: go on with the results that are there although the function or its options
    /// have changed; inputs that have changed are computed
    #[arg(long, env = "PANDO_JOURNAL_KEEP", value_parser = YesOrNo::new(), requires = "journal")]
    pub journal_keep: bool,

    /// Let this machine fall asleep by itself during the run
    #[arg(long, env = "PANDO_ALLOW_SLEEP", value_parser = YesOrNo::new())]
    pub allow_sleep: bool,

    /// Time between reports and statistics
    #[arg(long, env = "PANDO_REPORTING_INTERVAL", value_name = "DUR", default_value = "3s", value_parser = duration)]
    pub reporting_interval: Duration,

    /// QR code of the URL on standard error
    #[arg(long, env = "PANDO_QR", value_name = "WHEN", default_value = "auto")]
    pub qr: When,

    /// Live status line on standard error
    #[arg(long, env = "PANDO_PROGRESS", value_name = "WHEN", default_value = "auto")]
    pub progress: When,

    /// Hide what the function prints and reports
    #[arg(short, long, env = "PANDO_QUIET", value_parser = YesOrNo::new())]
    pub quiet: bool,

    /// Say more: statistics at every --reporting-interval
    #[arg(short, long, env = "PANDO_VERBOSE", value_parser = YesOrNo::new())]
    pub verbose: bool,
}

impl Cli {
    /// Reads the command line and the environment. Wrong usage ends the process with status 2.
    pub fn read() -> Self {
        // The parser would take `-0` for a negative number.
        let mut options = true;
        let mut cli: Self = command_line::read(std::env::args_os().map(|arg| {
            options &= arg != "--";
            if options && arg == "-0" { "--null".into() } else { arg }
        }));
        if cli.exec.is_some() {
            // With --exec no function is named, so the first word is an item.
            cli.items
                .splice(0..0, cli.function.take().map(|word| word.to_string_lossy().into_owned()));
        }
        cli
    }
}

/// The consequence of an input that failed for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnError {
    /// Inputs before it are finished, then the run ends.
    Stop,
    /// It has no output.
    Skip,
    /// Its output says so.
    Report,
    /// The output has an error in the place of the result: the library's form of `Report`.
    #[value(skip)]
    Tell,
}

/// When an optional display is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// When standard error is a terminal.
    Auto,
    /// In any case.
    Always,
    /// In no case.
    Never,
}

/// How many values a device holds per lent core.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchSize {
    /// The number follows the device's speed and distance.
    Auto,
    /// The number is fixed.
    Fixed(u32),
}

fn ext(text: &str) -> Result<String, String> {
    if text.trim_start_matches('.').is_empty() {
        return Err("give the ending of a name, such as png".into());
    }
    if text.contains(|c| std::path::is_separator(c) || c == '\0') {
        return Err("an ending has no path separator".into());
    }
    Ok(text.into())
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

fn token(text: &str) -> Result<String, String> {
    let fine = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if text.len() >= 4 && text.len() <= 64 && text.chars().all(fine) {
        Ok(text.into())
    } else {
        Err("give 4 to 64 letters, digits, `-` or `_`".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn negative_numbers_are_items_and_options_stand_anywhere() {
        let cli =
            Cli::try_parse_from(["pando", "f.js", "-1", "--json", "2", "-3.5", "--", "--json"])
                .unwrap();
        assert_eq!(cli.items, ["-1", "2", "-3.5", "--json"]);
        assert!(cli.json);
    }
}
