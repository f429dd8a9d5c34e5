//! The configuration of a run: the user's options, checked once and sorted into typed parts.
//!
//! [`Cli`] only holds options. [`RunConfig`] is made of a [`Cli`] in one place, or refused in
//! words: all rules between options stand in [`combinations`]. Everything else in this crate works
//! with the parts of a [`RunConfig`].

mod combinations;
mod cores;
mod dry_run;
mod failure_limit;
mod gateway;
mod journal_options;
mod mosaic;
mod parts;
mod policies;
mod program;
mod server;
mod shape;
mod trust;

pub(crate) use combinations::check;
pub(crate) use failure_limit::FailureLimit;
pub(crate) use mosaic::Mosaic;
pub(crate) use parts::{
    FileOptions, FunctionSource, InputSource, JournalConfig, Report, SharedFunction,
};
pub use policies::OnError;
pub(crate) use policies::{BatchSize, Policies, SummaryOption, When};
pub(crate) use server::{DEFAULT_PORT, ServerConfig, Tls, is_blocked};
pub(crate) use shape::ShapeOptions;
pub(crate) use trust::TrustRule;

use crate::{
    assets::{AssetSource, Assets},
    cli::{Cli, Variable},
    console::Console,
    failed,
    grid::Grid,
    ice::IceServer,
    journal::JobFacts,
    master::{self, Framing},
    protocol::{Form, JobOptions},
    uplink::RelayClient,
    volunteer::Wish,
};
use cores::{cores, engine};
use pando_protocol::page::PageOptions;
use std::{
    collections::BTreeMap,
    io::{self, IsTerminal},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// The configuration of a run; see the module.
#[derive(Debug, Clone)]
pub(crate) struct RunConfig {
    pub(crate) function: FunctionSource,
    /// The variables of the environment for the function (`--env`).
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) input: InputSource,
    /// The number of values, if somebody knows.
    pub(crate) total: Option<u64>,
    pub(crate) framing: Framing,
    /// Values are names of files (`--files`), or results go to files (`--output-dir`).
    pub(crate) files: Option<FileOptions>,
    /// How values become items, and results lines.
    pub(crate) shape: ShapeOptions,
    /// A program in the loop gives values and hears of each result at once (`--sync-stdio`).
    pub(crate) sync: bool,
    /// The folder of files for the function (`--assets`).
    pub(crate) assets: Option<Arc<Assets>>,
    /// The engine of this machine's cores, and the sandbox that holds the function there.
    pub(crate) engine: Wish,
    /// How volunteers call the function.
    pub(crate) job: JobOptions,
    pub(crate) policies: Policies,
    /// The settings for volunteers' pages, except the hash of the function.
    pub(crate) page: PageOptions,
    /// How many cores of this machine are lent.
    pub(crate) cores: usize,
    /// The server for volunteers; `None` with `--local`, and mostly with `--exec`. Then only the
    /// monitoring page is served, on this machine.
    pub(crate) server: Option<ServerConfig>,
    /// The marks of an earlier run of this process, which volunteers know (`pando join --share`).
    pub(crate) last: JobFacts,
    /// The relay, and the right to use it.
    pub(crate) relay: Option<RelayClient>,
    pub(crate) ice_servers: Vec<IceServer>,
    /// The join token, if the user chose a token.
    pub(crate) token: Option<String>,
    /// Most connections at a time: of all addresses, and of each address.
    pub(crate) max_connections: (usize, usize),
    pub(crate) journal: Option<JournalConfig>,
    /// The file for items that failed for good.
    pub(crate) failed: Option<PathBuf>,
    /// The file for events.
    pub(crate) events: Option<PathBuf>,
    pub(crate) report: Report,
    /// The picture whose tiles are the results. They go there, and not to standard output.
    pub(crate) mosaic: Option<Mosaic>,
    /// Whether this machine is kept from falling asleep.
    pub(crate) keeps_awake: bool,
    /// The time to finish the values read so far, after a signal of another program.
    pub(crate) grace: Duration,
    /// Only the first value is computed, on this machine, and nothing is left behind (`--dry-run`).
    pub(crate) dry_run: bool,
    /// Messages for people about consequences of the options.
    pub(crate) notes: Vec<String>,
}

impl RunConfig {
    /// The configuration of a run on the command line.
    ///
    /// # Errors
    /// When the options make no sense together, in words for people.
    pub(crate) fn for_command_line(cli: Cli) -> Result<Self, String> {
        check(&cli)?;
        let grid = match cli.rows.grid.is_empty() {
            true => None,
            false => Some(Arc::new(Grid::new(cli.rows.grid.clone())?)),
        };
        let given = !cli.items.is_empty() || grid.is_some() || cli.failures.only_failed.is_some();
        let reads = cli.data.stdin || cli.data.sync_stdio || !given;
        let is_typed = reads && io::stdin().is_terminal();
        if is_typed && !cli.data.stdin && !cli.data.sync_stdio {
            return Err(
                "there are no values: name some (pando FUNCTION 1 2 3), pipe them in (seq 10 | pando FUNCTION), or type lines with --stdin"
                    .into(),
            );
        }
        // A status line would erase the text that the user is typing.
        let live = cli.messages.progress.or(|| Console::is_terminal() && !is_typed);
        let is_json = cli.data.json || ShapeOptions::new(&cli.rows).makes_objects();
        let input = match (&cli.failures.only_failed, grid) {
            (Some(path), _) => {
                InputSource::Failed { list: failed::read(path, is_json)?, path: path.clone() }
            }
            _ if reads => InputSource::Stdin,
            (None, Some(grid)) => InputSource::Grid(grid),
            (None, None) => InputSource::Items(cli.items.clone()),
        };
        let is_dry = cli.rows.dry_run;
        let config = Self::new(cli, input, live)?;
        Ok(if is_dry { config.into_dry_run() } else { config })
    }

    /// The configuration for a Rust program with a stream of values. `is_silent`: messages do not
    /// go to the terminal.
    ///
    /// # Errors
    /// As for [`for_command_line`](Self::for_command_line).
    pub(crate) fn for_stream(mut cli: Cli, is_silent: bool) -> Result<Self, String> {
        combinations::check_for_library(&cli)?;
        cli.data.json = true;
        if cli.failures.on_error == Some(OnError::Report) {
            cli.failures.on_error = Some(OnError::Tell);
        }
        Self::for_library(cli, is_silent)
    }

    /// The configuration for a Rust program that makes values from results.
    ///
    /// # Errors
    /// As for [`for_command_line`](Self::for_command_line).
    pub(crate) fn for_feedback(mut cli: Cli, is_silent: bool) -> Result<Self, String> {
        combinations::check_for_library(&cli)?;
        cli.data.sync_stdio = true;
        Self::for_library(cli, is_silent)
    }

    /// The terminal belongs to the calling program, so there is no status line by itself.
    fn for_library(mut cli: Cli, is_silent: bool) -> Result<Self, String> {
        check(&cli)?;
        if cli.messages.qr == When::Auto && is_silent {
            cli.messages.qr = When::Never;
        }
        let live = cli.messages.progress.or(|| false);
        Self::new(cli, InputSource::Stream, live)
    }

    /// The configuration for options that keep the rules.
    fn new(cli: Cli, input: InputSource, live: bool) -> Result<Self, String> {
        let mut notes = cli.notes.clone();
        let cores = cores(&cli, &mut notes);
        let shape = ShapeOptions::new(&cli.rows);
        let is_json = cli.data.json || cli.data.sync_stdio || shape.makes_objects();
        let form = if is_json { Form::Json } else { Form::Text };
        let policies = Policies::new(&cli);
        if let InputSource::Items(items) = &input {
            check_items(items, form, policies.on_error)?;
        }
        let total = match &input {
            InputSource::Items(items) => Some(items.len() as u64),
            InputSource::Failed { list, .. } => Some(list.items.len() as u64),
            InputSource::Grid(grid) => Some(grid.total()),
            InputSource::Stdin | InputSource::Stream => cli.data.total,
        };
        let total = shape.items_of(total);
        Ok(Self {
            total,
            framing: Framing { separator: if cli.data.null { 0 } else { b'\n' }, form },
            files: (cli.data.files || cli.data.output_dir.is_some()).then(|| FileOptions {
                reads: cli.data.files,
                output_dir: cli.data.output_dir.clone(),
                ext: cli.data.ext.clone(),
                overwrite: cli.data.overwrite,
            }),
            sync: cli.data.sync_stdio,
            shape,
            job: JobOptions {
                concurrency: cli.calls.concurrency,
                timeout: cli.calls.timeout.map(|timeout| timeout.as_millis() as u64),
                dom: cli.calls.dom,
                json: form == Form::Json || shape.chunk.is_some(),
                heartbeat: cli.devices.heartbeat.as_millis() as u64,
            },
            policies,
            page: PageOptions {
                function: String::new(),
                dom: cli.calls.dom,
                deny_net: cli.network.deny_net,
                assets: cli.calls.assets.is_some(),
                title: cli.devices.title.clone().unwrap_or_else(|| default_title(&cli)),
                from: cli.devices.from.clone().unwrap_or_default(),
                relay_url: String::new(),
                gateways: Vec::new(),
            },
            cores,
            engine: engine(&cli, cores, !matches!(input, InputSource::Stream)),
            server: ServerConfig::new(&cli)?,
            last: JobFacts::default(),
            relay: match cli.network.host {
                Some(host) => {
                    Some(RelayClient::new(&host, cli.network.secret.unwrap_or_default())?)
                }
                None => None,
            },
            ice_servers: cli.network.ice_servers,
            token: cli.network.token,
            max_connections: (
                cli.network.max_connections.unwrap_or(usize::MAX),
                cli.network.max_connections_per_address,
            ),
            journal: cli
                .keeping
                .journal
                .map(|path| JournalConfig { path, keep: cli.keeping.journal_keep }),
            failed: cli.failures.failed,
            events: cli.messages.events,
            report: Report {
                interval: cli.messages.reporting_interval,
                live,
                quiet: cli.messages.quiet,
                verbose: cli.messages.verbose,
                summary: match cli.messages.summary {
                    SummaryOption::Shown(when) => when.or(|| live),
                    SummaryOption::File(_) => false,
                },
                report_file: cli.messages.report,
                on_finish: cli.messages.on_finish,
                summary_file: match cli.messages.summary {
                    SummaryOption::File(path) => Some(path),
                    SummaryOption::Shown(_) => None,
                },
            },
            mosaic: None,
            keeps_awake: !cli.devices.allow_sleep,
            grace: cli.failures.grace,
            dry_run: false,
            notes,
            assets: match &cli.calls.assets {
                Some(folder) => Some(Arc::new(Assets::in_folder(folder)?)),
                None => None,
            },
            env: cli.calls.env.into_iter().map(|Variable(name, value)| (name, value)).collect(),
            function: match (cli.calls.exec, cli.function) {
                _ if cli.calls.eval.is_some() => {
                    FunctionSource::Inline(cli.calls.eval.unwrap_or_default())
                }
                (Some(text), _) => {
                    FunctionSource::Command { command: combinations::exec_command(&text)?, text }
                }
                (None, Some(path)) => FunctionSource::Module(path),
                (None, None) => return Err(combinations::NO_FUNCTION.into()),
            },
            input,
        })
    }

    /// Whether other devices can join, and not this machine's cores alone.
    pub(crate) fn takes_volunteers(&self) -> bool {
        self.server.as_ref().is_some_and(|server| server.takes_volunteers)
    }

    /// Whether the run has a monitoring page. Without a server for volunteers, a quiet run and a
    /// run of a Rust program have none.
    pub(crate) fn has_page(&self) -> bool {
        let is_silent = self.report.quiet || matches!(self.input, InputSource::Stream);
        self.server.is_some() || !is_silent && !self.dry_run
    }

    /// Whether values are names of files.
    pub(crate) fn reads_files(&self) -> bool {
        self.files.as_ref().is_some_and(|files| files.reads)
    }

    /// Whether values come from standard input.
    pub(crate) fn reads_stdin(&self) -> bool {
        matches!(self.input, InputSource::Stdin)
    }

    /// Where devices get the assets of the run from, if it has some.
    pub(crate) fn asset_source(&self) -> Option<AssetSource> {
        match &self.function {
            FunctionSource::Shared(shared) => shared.assets.clone().map(AssetSource::Run),
            _ => self.assets.clone().map(AssetSource::Folder),
        }
    }

    /// Whether the output tells of each failed item.
    pub(crate) fn tells_failures(&self) -> bool {
        self.sync || matches!(self.policies.on_error, OnError::Report | OnError::Tell)
    }

    /// The function's file.
    pub(crate) fn module(&self) -> Option<&Path> {
        match &self.function {
            FunctionSource::Module(path) => Some(path),
            FunctionSource::Inline(_)
            | FunctionSource::Embedded { .. }
            | FunctionSource::Shared(_)
            | FunctionSource::Command { .. } => None,
        }
    }

    /// The files in options, apart from the files of `--files`: the option, the path, and whether
    /// the run writes the file.
    pub(crate) fn named_files(&self) -> Vec<(&'static str, &Path, bool)> {
        let journal = self.journal.as_ref().map(|journal| ("--journal", &*journal.path, true));
        let failed = self.failed.as_deref().map(|path| ("--failed", path, true));
        let again = match &self.input {
            InputSource::Failed { path, .. } => Some(("--only-failed", &**path, false)),
            _ => None,
        };
        let events = self.events.as_deref().map(|path| ("--events", path, true));
        let summary = self.report.summary_file.as_deref().map(|path| ("--summary", path, true));
        let report = self.report.report_file.as_deref().map(|path| ("--report", path, true));
        let function = self.module().map(|path| ("the function", path, false));
        let tls = self.server.iter().flat_map(|server| server.tls.named_files());
        let others = [journal, failed, again, events, summary, report, function];
        others.into_iter().flatten().chain(tls).collect()
    }
}

/// The longest function of the command line that stands for itself on the volunteers' page.
const LONGEST_TITLE: usize = 60;

/// What the page says that the run computes: the name of the function's file, or a short function
/// of the command line; else empty.
fn default_title(cli: &Cli) -> String {
    if let Some(code) = cli.calls.eval.as_deref().map(str::trim) {
        let is_short = code.chars().count() <= LONGEST_TITLE && !code.contains(char::is_control);
        return if is_short { code.to_owned() } else { String::new() };
    }
    let path = cli.function.as_deref().filter(|path| !is_descriptor(path));
    let name = path.and_then(Path::file_name);
    name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Whether a path names an open file of this process, such as `/dev/fd/63`.
pub(crate) fn is_descriptor(path: &Path) -> bool {
    ["/dev", "/proc"].iter().any(|folder| path.starts_with(folder))
}

/// Refuses unusable items, if the run would end at the first unusable item.
fn check_items(items: &[String], form: Form, on_error: OnError) -> Result<(), String> {
    let values = master::values_of_items(items.to_vec(), form);
    match values.into_iter().find_map(Result::err) {
        Some(unusable) if on_error == OnError::Stop => Err(unusable.why),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
