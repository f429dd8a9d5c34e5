//! One run, from the command line to the exit status.

mod advice;
mod awake;
mod function;
mod job;
mod journal;
mod last_files;
mod listen;
mod local_cores;
mod monitoring;
mod open;
mod report_page;
mod signals;
mod status;
mod stdio;
mod summary;
mod urls;
mod used;

pub(crate) use last_files::{RunEnd, write as write_last_files};
pub(crate) use open::OpenRun;
pub(crate) use summary::hand_over;

use crate::{
    cli::Cli,
    config::{InputSource, RunConfig},
    console::{Console, printable},
    demo::{self, DemoOptions},
    master::{Ending, Left},
    number, threads, trace,
};
use signals::Stop;
use std::{collections::HashSet, io::IsTerminal, path::Path, sync::Arc, time::Duration};

/// How long the last messages on standard error may take.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How long writing the finished results may take once the run must stop.
const LAST_LINES: Duration = Duration::from_millis(500);

/// The message when the command of `--on-finish` takes too long after a request to stop.
const OVERDUE: &str = "stopped without waiting longer for the command of --on-finish";

/// Why a run cannot start, as text for people; the exit status is 2.
#[derive(Debug)]
pub(crate) struct StartError(pub(crate) String);

impl From<anyhow::Error> for StartError {
    fn from(error: anyhow::Error) -> Self {
        Self(format!("{error:#}"))
    }
}

/// Runs the program `pando` with the options of this process; returns the exit status.
pub fn run() -> i32 {
    execute(RunConfig::for_command_line(Cli::read()))
}

/// Runs `pando demo` with the options of this process; returns the exit status.
pub fn demo() -> i32 {
    execute(demo::config(DemoOptions::read()))
}

/// Executes a run in this process; returns the exit status.
fn execute(config: Result<RunConfig, String>) -> i32 {
    let Some(runtime) = threads::runtime(Some(2)) else { return 1 };
    let console = Console::start();
    raise_file_limit();
    let run = trace::start(&console)
        .and(config)
        .map(|config| runtime.block_on(deploy(config, console.clone())));
    let status = run.unwrap_or_else(|why| {
        console.say(format!("error: {}", printable(&why)));
        2
    });
    console.finish(LAST_WORDS);
    // A thread may be blocked in a call that does not end.
    runtime.shutdown_timeout(LAST_WORDS);
    status
}

/// Raises the limit on file descriptors, because each volunteer needs one.
pub(crate) fn raise_file_limit() {
    #[cfg(unix)]
    let _ = rlimit::increase_nofile_limit(u64::MAX);
}

/// Executes the run of `config`; returns the exit status.
async fn deploy(config: RunConfig, console: Console) -> i32 {
    let config = Arc::new(config);
    signals::outlive_long_files();
    let mut stop = Stop::listen(config.grace);
    let open = match open(&config, &mut stop, &console).await {
        Ok(open) => open,
        Err(Unbegun { status, words, is_stopped }) => {
            console.say(printable(&words));
            tokio::select! {
                () = summary::hand_over_unbegun(&config.report, status, words, &console) => {}
                () = stop.until_overdue() => console.say(OVERDUE),
            }
            if is_stopped {
                // The bundler's tasks would panic if the runtime ended before them.
                end_now(&console);
            }
            return status;
        }
    };
    if config.dry_run && !open.has_local {
        console.say("dry run: no value is computed, because the function needs a browser");
        return 0;
    }
    let ending = compute(&config, &open, &mut stop, &console).await;
    let status = close(&config, &open, ending, &mut stop, &console).await;
    match &config.mosaic {
        Some(mosaic) if status == 0 => demo::finish(mosaic, &console),
        _ => status,
    }
}

/// Why a run has not begun.
struct Unbegun {
    /// The exit status.
    status: i32,
    /// What people read.
    words: String,
    /// Whether somebody has stopped the start, which goes on in the background.
    is_stopped: bool,
}

impl From<StartError> for Unbegun {
    fn from(StartError(why): StartError) -> Self {
        Self { status: 2, words: format!("error: {why}"), is_stopped: false }
    }
}

/// Opens the run of `config`.
async fn open(
    config: &Arc<RunConfig>,
    stop: &mut Stop,
    console: &Console,
) -> Result<OpenRun, Unbegun> {
    if config.reads_stdin() && !used::input_is_open() {
        let why = "there are no values: standard input is closed, or not open for reading";
        return Err(StartError(why.into()).into());
    }
    if config.mosaic.is_none() && !used::output_is_open() {
        let words =
            "error: standard output cannot be written: it is closed, or not open for writing";
        return Err(Unbegun { status: 1, words: words.into(), is_stopped: false });
    }
    used::check_with_streams(config)?;
    check_places(config)?;
    // The start is a task of its own, so that blocking calls in it do not delay signals.
    let starting = tokio::spawn({
        let (config, console) = (config.clone(), console.clone());
        async move { OpenRun::start(&config, console).await }
    });
    tokio::select! {
        open = starting => Ok(open.unwrap_or_else(|_| at_fault(console))?),
        _ = stop.first_signal() => {
            let words = "stopped: nothing had been read yet".into();
            Err(Unbegun { status: 1, words, is_stopped: true })
        }
    }
}

/// Refuses names on the command line whose results would have no place of their own.
fn check_places(config: &RunConfig) -> Result<(), StartError> {
    let files = job::files(config, &[], HashSet::new()).filter(|_| config.reads_files());
    let (Some(files), InputSource::Items(names)) = (files, &config.input) else {
        return Ok(());
    };
    // Which files belong to the journal is only known after it is opened.
    let free = !config.journal.as_ref().is_some_and(|journal| journal.path.exists());
    let checked = files.check(names.iter().map(String::as_str), free);
    checked.map_err(|error| StartError(error.text))
}

/// Reads the input and writes the output, until the run ends or must stop; returns the ending.
async fn compute(config: &RunConfig, open: &OpenRun, stop: &mut Stop, console: &Console) -> Ending {
    let over_status = config.report.live && std::io::stdout().is_terminal();
    let mut ended = match stdio::start(&open.master, config, over_status) {
        Ok(ended) => ended,
        Err(error) => {
            console.say(format!("error: {}", threads::refused(&error)));
            end_now(console)
        }
    };
    tokio::select! {
        ending = &mut ended => ending.unwrap_or_else(|_| at_fault(console)),
        () = stop.until_forced(&open.master) => {
            open.master.give_up();
            match tokio::time::timeout(LAST_LINES, ended).await {
                Ok(ending) => ending.unwrap_or_else(|_| at_fault(console)),
                Err(_) => open.master.unread(),
            }
        }
    }
}

/// Closes a run that has come to `ending`, within the time for that; returns the exit status.
async fn close(
    config: &RunConfig,
    open: &OpenRun,
    ending: Ending,
    stop: &mut Stop,
    console: &Console,
) -> i32 {
    let (reported, journaled) = (config.tells_failures(), config.journal.is_some());
    let last = open.last_look();
    let (status, ending) = tokio::select! {
        ending = open.finish(ending.clone(), last.run.clone()) => {
            open.master.last_words().into_iter().for_each(|line| console.say(printable(&line)));
            conclude(&ending, reported, journaled, console);
            config.failed.iter().for_each(|path| tell_failed(path, &ending, console));
            let status = exit_status(&ending);
            let advice = advice::advice(config, &open.master, &last, &ending);
            let end = RunEnd { last: &last, ending: &ending, status, advice: &advice };
            let errors = last_files::write(&config.report, open, end);
            errors.iter().for_each(|error| console.say(format!("error: {error}")));
            (if errors.is_empty() { status } else { status.max(1) }, ending)
        }
        () = stop.until_overdue() => {
            conclude(&ending, reported, journaled, console);
            let journal = if journaled { "; the journal may lack the last results" } else { "" };
            console.say(format!("stopped without waiting longer for files and processes to close{journal}"));
            end_now(console)
        }
    };
    let advice = advice::advice(config, &open.master, &last, &ending);
    let end = RunEnd { last: &last, ending: &ending, status, advice: &advice };
    tokio::select! {
        () = hand_over(&config.report, end, console) => {}
        () = stop.until_overdue() => console.say(OVERDUE),
    }
    status
}

fn at_fault(console: &Console) -> ! {
    console.say("error: Pando has failed because of a bug (see above): the output is incomplete");
    end_now(console)
}

/// Ends the process with status 1, even if tasks are still running.
fn end_now(console: &Console) -> ! {
    console.finish(LAST_WORDS);
    std::process::exit(1)
}

/// The exit status of a run with this ending.
pub(crate) fn exit_status(ending: &Ending) -> i32 {
    match ending {
        Ending::Complete | Ending::ReaderLeft => 0,
        Ending::CannotRun(_) => 2,
        Ending::InputFailed(error) if error.usage => 2,
        Ending::InputFailed(_)
        | Ending::ItemFailed(..)
        | Ending::SomeFailed(_)
        | Ending::Interrupted
        | Ending::CutShort(_)
        | Ending::InDoubt(_)
        | Ending::OutputFailed(_) => 1,
    }
}

/// Prints how the run ended. `reported`: failures stand in the output in the place of results.
/// `journaled`: finished results are in a journal.
fn conclude(ending: &Ending, reported: bool, journaled: bool, console: &Console) {
    let why = match ending {
        Ending::Complete | Ending::ReaderLeft => return,
        Ending::SomeFailed(count) => {
            let (items, were) = if *count == 1 { ("item", "was") } else { ("items", "were") };
            let left_out = if reported { String::new() } else { format!(" and {were} left out") };
            console.say(format!("{count} {items} failed{left_out}"));
            return;
        }
        Ending::Interrupted => {
            console.say("stopped on request: values that were read are finished; the rest of the input was not read");
            return;
        }
        Ending::CutShort(left) => {
            console.say(stopped(left, journaled));
            return;
        }
        Ending::InDoubt(text) if journaled => {
            &format!("{text}\nThe same command computes the items of such devices again.")
        }
        Ending::InputFailed(error) => &error.text,
        Ending::CannotRun(text)
        | Ending::ItemFailed(_, text)
        | Ending::OutputFailed(text)
        | Ending::InDoubt(text) => text,
    };
    console.say(format!("error: {}", printable(why)));
}

/// Tells what to do with the items that failed, which are in the list at `path`.
fn tell_failed(path: &Path, ending: &Ending, console: &Console) {
    if let Ending::SomeFailed(_) | Ending::ItemFailed(..) = ending {
        let path = path.display();
        console
            .say(format!("failed items are in {path}: --only-failed {path} computes them again"));
    }
}

/// The message for a run that was cut short.
fn stopped(left: &Left, journaled: bool) -> String {
    let were = if left.items == 1 { "was" } else { "were" };
    let unread = match left.unread {
        0 => String::new(),
        unread if unread == left.items => ": nobody reads standard output".into(),
        unread => format!(", {unread} of them because nobody reads standard output"),
    };
    let goes_on = if journaled { "; the same command goes on there" } else { "" };
    format!(
        "stopped: {} {were} not finished{unread}{goes_on}",
        number::count(left.items as u64, "item")
    )
}
