//! The command line: the options and the form of each one's value. The rules between options are
//! in [`crate::config`].

use crate::{
    command_line,
    config::{BatchSize, OnError, SummaryOption, When},
    duration::duration,
    ice::IceServer,
};
use clap::{
    ArgMatches, CommandFactory, FromArgMatches, Parser, ValueEnum,
    builder::BoolishValueParser as YesOrNo, parser::ValueSource,
};
use std::{ffi::OsString, iter, net::IpAddr, path::PathBuf, time::Duration};

/// Maps a stream of values over the browsers and cores of your own and your friends' devices:
/// each line in becomes one line out, in order.
#[derive(Debug, Clone, Parser)]
#[command(name = "pando", version, about, allow_negative_numbers = true, args_override_self = true)]
#[command(
    after_help = "Values are lines. Results go to standard output in the order of their inputs, all else to standard error.\n\
    Exit status: 0 all done (or the reader left), 1 an input failed or the run was cut short, 2 wrong usage or a function that cannot be loaded.\n\n\
    Example:  seq 100 | pando square.js\n\n\
    pando demo    the first minute: a picture in tiles, computed by all devices that join\n\
    pando relay   the public server for volunteers outside the local network: see pando relay --help"
)]
pub(crate) struct Cli {
    /// JavaScript or TypeScript file with the function to apply
    pub(crate) function: Option<PathBuf>,

    /// Values to apply it to (default: the lines of standard input)
    #[arg(value_name = "ITEMS")]
    pub(crate) items: Vec<String>,

    /// Apply this program instead of a function: one per core of this machine (no other device can
    /// join), it reads values as lines and answers each with a line
    #[arg(long, env = "PANDO_EXEC", value_name = "COMMAND")]
    pub(crate) exec: Option<String>,

    /// Read values from standard input, one per line
    #[arg(long, env = "PANDO_STDIN", value_parser = YesOrNo::new())]
    pub(crate) stdin: bool,

    /// Separate values and results with NUL instead of newline
    #[arg(short = '0', long, env = "PANDO_NULL", value_parser = YesOrNo::new())]
    pub(crate) null: bool,

    /// Each value and each result is one JSON text
    #[arg(long, env = "PANDO_JSON", value_parser = YesOrNo::new())]
    pub(crate) json: bool,

    /// Put a program in the loop: ask it for values as cores become free, and tell it results at
    /// once, as JSON lines (see docs/sync-stdio.md)
    #[arg(long, env = "PANDO_SYNC_STDIO", value_parser = YesOrNo::new())]
    pub(crate) sync_stdio: bool,

    /// Values are names of files, relative to this folder: the function receives each one's bytes
    #[arg(long, env = "PANDO_FILES", value_parser = YesOrNo::new())]
    pub(crate) files: bool,

    /// With --files: write each result to the file of the same name below this folder, and print
    /// its path
    #[arg(long, env = "PANDO_OUTPUT_DIR", value_name = "DIR")]
    pub(crate) output_dir: Option<PathBuf>,

    /// With --output-dir: the ending of results' names, such as png, in place of the inputs'
    #[arg(long, env = "PANDO_EXT", value_name = "E", value_parser = ext)]
    pub(crate) ext: Option<String>,

    /// With --output-dir: write over files that are there already, though never over an input. All
    /// names are read before the first file is
    #[arg(long, env = "PANDO_OVERWRITE", value_parser = YesOrNo::new())]
    pub(crate) overwrite: bool,

    /// Port for volunteers [default: 5000 or the next free one; 0: any]
    #[arg(long, env = "PANDO_PORT", value_name = "PORT")]
    pub(crate) port: Option<u16>,

    /// Address to listen on
    #[arg(long, env = "PANDO_BIND", value_name = "ADDR", default_value = "0.0.0.0")]
    pub(crate) bind: IpAddr,

    /// Further host name by which volunteers may reach this machine (repeatable)
    #[arg(long, env = "PANDO_ALLOW_HOST", value_name = "NAME", value_delimiter = ',')]
    pub(crate) allow_host: Vec<String>,

    /// Serve volunteers by https, with a certificate made for this run, of which browsers warn
    #[arg(long, env = "PANDO_TLS", value_parser = YesOrNo::new())]
    pub(crate) tls: bool,

    /// Serve volunteers by https, with the certificate chain in this file, in PEM form
    #[arg(long, env = "PANDO_TLS_CERT", value_name = "FILE")]
    pub(crate) tls_cert: Option<PathBuf>,

    /// File with that certificate's private key, in PEM form
    #[arg(long, env = "PANDO_TLS_KEY", value_name = "FILE")]
    pub(crate) tls_key: Option<PathBuf>,

    /// Connections at a time [default: as many as the system has files for]
    #[arg(long, env = "PANDO_MAX_CONNECTIONS", value_name = "N")]
    pub(crate) max_connections: Option<usize>,

    /// Connections of one address at a time, those over loopback aside
    #[arg(
        long,
        env = "PANDO_MAX_CONNECTIONS_PER_ADDRESS",
        value_name = "N",
        default_value_t = 500
    )]
    pub(crate) max_connections_per_address: usize,

    /// Keep the function, in tabs, from the network: it reaches nothing but the server of its page
    /// (see docs/security.md)
    #[arg(long, env = "PANDO_DENY_NET", value_parser = YesOrNo::new())]
    pub(crate) deny_net: bool,

    /// Join token in the volunteers' URL [default: fresh per run]
    #[arg(long, env = "PANDO_TOKEN", hide_env_values = true, value_parser = token)]
    pub(crate) token: Option<String>,

    /// Let anyone who finds the port join: no token in the URL
    #[arg(long, env = "PANDO_OPEN_ACCESS", value_parser = YesOrNo::new())]
    pub(crate) open_access: bool,

    /// Relay through which volunteers outside the local network join, such as
    /// https://pando.example.org
    #[arg(long, env = "PANDO_HOST", value_name = "URL")]
    pub(crate) host: Option<String>,

    /// The secret of that relay, which its operator gives you
    #[arg(long, env = "PANDO_SECRET", value_name = "S", hide_env_values = true)]
    pub(crate) secret: Option<String>,

    /// STUN and TURN servers for direct connections, such as stun:stun.example.org:3478 or
    /// turn:USER:PASSWORD@HOST:PORT
    #[arg(
        long,
        env = "PANDO_ICE_SERVERS",
        hide_env_values = true,
        value_name = "URLS",
        value_delimiter = ','
    )]
    pub(crate) ice_servers: Vec<IceServer>,

    /// What volunteers' pages say that this run computes [default: the name of the function's file]
    #[arg(long, env = "PANDO_TITLE", value_name = "T", value_parser = page_text)]
    pub(crate) title: Option<String>,

    /// For whom it computes, on volunteers' pages: your name, a class, a project
    #[arg(long, env = "PANDO_FROM", value_name = "WHO", value_parser = page_text)]
    pub(crate) from: Option<String>,

    /// Open a volunteer tab in this machine's browser
    #[arg(long, env = "PANDO_OPEN", value_parser = YesOrNo::new())]
    pub(crate) open: bool,

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

    /// Run the function in the page (canvas, buttons, a person's judgement): implies --cores 0
    #[arg(long, env = "PANDO_DOM", value_parser = YesOrNo::new())]
    pub(crate) dom: bool,

    /// Calls of an asynchronous function open at a time on each core
    #[arg(long, env = "PANDO_CONCURRENCY", value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) concurrency: u32,

    /// Values per lent core, computing and queued: a number, or auto to follow its speed and
    /// distance
    #[arg(long, env = "PANDO_BATCH_SIZE", value_name = "auto|N", default_value = "auto", value_parser = batch_size)]
    pub(crate) batch_size: BatchSize,

    /// Values read and not yet output, at most
    #[arg(long, env = "PANDO_WINDOW", value_name = "N", default_value_t = 65_536, value_parser = clap::value_parser!(u32).range(1..=16_777_216))]
    pub(crate) window: u32,

    /// Longest time for one call of the function, such as 500ms, 2s or 1h30m [default: none]
    #[arg(long, env = "PANDO_TIMEOUT", value_name = "DUR", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,

    /// Further attempts at an input that failed, on other devices where there are any
    #[arg(long, env = "PANDO_RETRIES", value_name = "N", default_value_t = 2)]
    pub(crate) retries: u32,

    /// When there is nothing else to compute, lend the oldest unfinished value a second time, to
    /// an idle device: the first result counts
    #[arg(long, env = "PANDO_SPECULATE", value_parser = YesOrNo::new())]
    pub(crate) speculate: bool,

    /// Run this command for each result, with the result on its standard input; unless it
    /// succeeds, the input is computed again
    #[arg(long, env = "PANDO_CONFIRM", value_name = "COMMAND")]
    pub(crate) confirm: Option<String>,

    /// What follows when an input has failed for good: end the run there, leave it out, or put
    /// {"error":…} in its place (with --json) [default: stop]
    #[arg(long, env = "PANDO_ON_ERROR", value_name = "WHAT")]
    pub(crate) on_error: Option<OnError>,

    /// Time between signs of life; a device that is silent for three is gone
    #[arg(long, env = "PANDO_HEARTBEAT", value_name = "DUR", default_value = "5s", value_parser = duration)]
    pub(crate) heartbeat: Duration,

    /// After SIGTERM or SIGHUP: time to finish what has been read, before the run stops all the
    /// same
    #[arg(long, env = "PANDO_GRACE", value_name = "DUR", default_value = "25s", value_parser = duration)]
    pub(crate) grace: Duration,

    /// Append everything that happens to this file, one JSON object per line
    #[arg(long, env = "PANDO_EVENTS", value_name = "FILE")]
    pub(crate) events: Option<PathBuf>,

    /// Keep results in this file as they come: the same command, given again, goes on where this
    /// run ended, however that was
    #[arg(long, env = "PANDO_JOURNAL", value_name = "FILE")]
    pub(crate) journal: Option<PathBuf>,

    /// With --journal: go on with the results that are there although the function or its options
    /// have changed; inputs that have changed are computed
    #[arg(long, env = "PANDO_JOURNAL_KEEP", value_parser = YesOrNo::new())]
    pub(crate) journal_keep: bool,

    /// Let this machine fall asleep by itself during the run
    #[arg(long, env = "PANDO_ALLOW_SLEEP", value_parser = YesOrNo::new())]
    pub(crate) allow_sleep: bool,

    /// Time between reports and statistics
    #[arg(long, env = "PANDO_REPORTING_INTERVAL", value_name = "DUR", default_value = "3s", value_parser = duration)]
    pub(crate) reporting_interval: Duration,

    /// QR code of the URL on standard error
    #[arg(long, env = "PANDO_QR", value_name = "WHEN", default_value = "auto")]
    pub(crate) qr: When,

    /// Number of values, for the time left [default: known for items, and guessed from the bytes of
    /// a file on standard input]
    #[arg(long, env = "PANDO_TOTAL", value_name = "N")]
    pub(crate) total: Option<u64>,

    /// Summary at the end on standard error: items, time, a table of devices. Or write it to this
    /// file, as JSON
    #[arg(long, env = "PANDO_SUMMARY", value_name = "WHEN|FILE", default_value = "auto", value_parser = summary)]
    pub(crate) summary: SummaryOption,

    /// Write a report of the run to this file at the end: a web page that needs no network
    #[arg(long, env = "PANDO_REPORT", value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,

    /// Run this command at the end, with the summary as JSON on its standard input and the exit
    /// status in PANDO_STATUS
    #[arg(long, env = "PANDO_ON_FINISH", value_name = "COMMAND")]
    pub(crate) on_finish: Option<String>,

    /// Live status line on standard error
    #[arg(long, env = "PANDO_PROGRESS", value_name = "WHEN", default_value = "auto")]
    pub(crate) progress: When,

    /// Hide what the function prints and reports; with --local or --exec, also leave out the
    /// monitoring page
    #[arg(short, long, env = "PANDO_QUIET", value_parser = YesOrNo::new())]
    pub(crate) quiet: bool,

    /// Say more: why values go to other devices, and statistics at every --reporting-interval
    #[arg(short, long, env = "PANDO_VERBOSE", value_parser = YesOrNo::new())]
    pub(crate) verbose: bool,
}

impl Cli {
    /// Reads the command line and the environment. Wrong usage ends the process with status 2.
    pub(crate) fn read() -> Self {
        // The parser would take `-0` for a negative number.
        let mut options = true;
        let mut cli: Self = command_line::read(std::env::args_os().map(|arg| {
            options &= arg != "--";
            if options && arg == "-0" { "--null".into() } else { arg }
        }));
        if cli.exec.is_some() {
            // With --exec no function is named, so the first word is an item.
            cli.take_function_for_item();
        }
        cli
    }

    /// The defaults of all options, without the environment.
    pub(crate) fn defaults() -> Self {
        Self::from_arg_matches(&parse([]).expect("no option is required"))
            .expect("the defaults are values of their options")
    }

    /// Sets the options in `words`; all others stay.
    ///
    /// # Errors
    /// When a word is no option, or no value of its option, in words for people.
    pub(crate) fn set(&mut self, words: impl IntoIterator<Item = OsString>) -> Result<(), String> {
        let mut matches = parse(words)?;
        let by_default: Vec<_> = matches
            .ids()
            .filter(|id| matches.value_source(id.as_str()) == Some(ValueSource::DefaultValue))
            .cloned()
            .collect();
        for id in by_default {
            let _ = matches.try_clear_id(id.as_str());
        }
        let function = self.function.take();
        self.update_from_arg_matches(&matches).map_err(|error| told(&error))?;
        // A word without an option is an item, because the function is known.
        self.take_function_for_item();
        self.function = function;
        Ok(())
    }

    fn take_function_for_item(&mut self) {
        let word = self.function.take().map(|word| word.to_string_lossy().into_owned());
        self.items.splice(0..0, word);
    }
}

/// Parses `words` without the environment.
fn parse(words: impl IntoIterator<Item = OsString>) -> Result<ArgMatches, String> {
    let command = Cli::command().mut_args(|option| option.env(None::<&'static str>));
    let words = iter::once("pando".into()).chain(words);
    command.try_get_matches_from(words).map_err(|error| told(&error))
}

fn told(error: &clap::Error) -> String {
    error.to_string().trim_start_matches("error: ").trim_end().to_owned()
}

fn summary(text: &str) -> Result<SummaryOption, String> {
    match When::from_str(text, false) {
        Ok(when) => Ok(SummaryOption::Shown(when)),
        Err(_) if text.is_empty() => Err("give auto, always, never or a file".into()),
        Err(_) => Ok(SummaryOption::File(text.into())),
    }
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

    #[test]
    fn options_that_are_set_later_leave_the_others_as_they_are() {
        let mut cli = Cli::defaults();
        cli.function = Some("f.js".into());
        let mut set = |words: &[&str]| cli.set(words.iter().map(OsString::from));
        set(&["--port", "0", "--json", "--window", "7"]).unwrap();
        set(&["--retries=1", "--port", "5"]).unwrap();
        assert!(set(&["--cores", "many"]).unwrap_err().contains("'many' for '--cores <N>'"));
        assert_eq!((cli.port, cli.window, cli.retries, cli.json), (Some(5), 7, 1, true));
        assert_eq!((cli.function, cli.items), (Some("f.js".into()), Vec::new()));
    }
}
