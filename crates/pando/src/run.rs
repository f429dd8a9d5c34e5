//! One run, from the command line to the exit status.

mod awake;
mod ends;
mod function;
mod journal;
mod listen;
mod local;
mod open;
mod progress;
mod signals;
mod urls;
mod used;

pub(crate) use open::Open;

use crate::{
    cli::{Cli, OnError, When},
    console::{Console, printable},
    master::{self, Ending},
};
use std::{collections::HashSet, io::IsTerminal, time::Duration};

/// Time for last words on standard error.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Why a run cannot start: what is said, and exit status 2.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) String);

impl From<anyhow::Error> for Refused {
    fn from(error: anyhow::Error) -> Self {
        Self(format!("{error:#}"))
    }
}

/// Runs as `cli` says; gives the exit status.
pub fn run(cli: Cli) -> i32 {
    let console = Console::start();
    raise_file_limit();
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: threads cannot be started: {error}");
            return 1;
        }
    };
    let status = runtime.block_on(deploy(cli, console.clone())).unwrap_or_else(|Refused(why)| {
        console.say(format!("error: {}", printable(&why)));
        2
    });
    console.finish(LAST_WORDS);
    status
}

/// Each volunteer is a file descriptor.
fn raise_file_limit() {
    #[cfg(unix)]
    let _ = rlimit::increase_nofile_limit(u64::MAX);
}

async fn deploy(mut cli: Cli, console: Console) -> Result<i32, Refused> {
    signals::outlive_long_files();
    let from_stdin = cli.stdin || cli.sync_stdio || cli.items.is_empty();
    if from_stdin && !cli.stdin && !cli.sync_stdio && std::io::stdin().is_terminal() {
        return Err(Refused(
            "there are no values: name some (pando FUNCTION 1 2 3), pipe them in (seq 10 | pando FUNCTION), or type lines with --stdin"
                .into(),
        ));
    }
    if from_stdin && !used::input_is_open() {
        return Err(Refused("there are no values: standard input is closed, or not open for reading".into()));
    }
    if !used::output_is_open() {
        console.say("error: standard output cannot be written: it is closed, or not open for writing");
        return Ok(1);
    }
    if cli.on_error == OnError::Report && cli.files {
        return Err(Refused(
            "--on-error report puts JSON in place of results, and with --files those are no JSON: use --on-error skip".into(),
        ));
    }
    if cli.on_error == OnError::Report && !cli.json {
        return Err(Refused("--on-error report puts JSON in place of results: it needs --json".into()));
    }
    used::check_with_streams(&cli, from_stdin)?;
    let items = master::items(cli.items.clone(), open::framing(&cli).form);
    if let (OnError::Stop, Some(Err(unusable))) = (cli.on_error, items.iter().find(|item| item.is_err())) {
        return Err(Refused(unusable.why.clone()));
    }
    if let Some(files) = open::files(&cli, HashSet::new()) {
        // Which files are a journal's own is known once that is open.
        let free = !cli.journal.as_ref().is_some_and(|journal| journal.exists());
        files.check(cli.items.iter().map(String::as_str), free).map_err(|error| Refused(error.text))?;
    }
    if cli.progress == When::Auto && from_stdin && std::io::stdin().is_terminal() {
        // A status line would wipe away what is being typed.
        cli.progress = When::Never;
    }
    let over_status = open::shows_status(&cli) && std::io::stdout().is_terminal();
    let reported = cli.on_error == OnError::Report || cli.sync_stdio;
    let open = Open::start(&cli, console.clone()).await?;
    let ended = ends::start(&open.master, items, from_stdin, over_status);
    let ending = tokio::select! {
        ending = ended => ending.unwrap_or_else(|_| {
            console.say("error: Pando has failed by a fault of its own (above): the output is incomplete".to_owned());
            console.finish(LAST_WORDS);
            std::process::exit(1)
        }),
        () = signals::stopped(&open.master) => {
            let left = open.stop().await;
            console.say(format!("stopped: {left} item{} not finished", if left == 1 { " was" } else { "s were" }));
            return Ok(1);
        }
    };
    let ending = open.master.close_journal(ending);
    let ending = open.finish(ending).await;
    Ok(conclude(&ending, reported, &console))
}

/// Says how it ended, and gives the exit status. What failed may have been `reported` in its place.
fn conclude(ending: &Ending, reported: bool, console: &Console) -> i32 {
    let why = match ending {
        Ending::Complete | Ending::ReaderLeft => return 0,
        Ending::SomeFailed(count) => {
            let (items, were) = if *count == 1 { ("item", "was") } else { ("items", "were") };
            let left_out = if reported { String::new() } else { format!(" and {were} left out") };
            console.say(format!("{count} {items} failed{left_out}"));
            return 1;
        }
        Ending::Interrupted => {
            console.say("stopped on request: what had been read is finished");
            return 1;
        }
        Ending::CannotRun(why) => {
            console.say(format!("error: {}", printable(why)));
            return 2;
        }
        Ending::InputFailed(error) if error.usage => {
            console.say(format!("error: {}", printable(&error.text)));
            return 2;
        }
        Ending::InputFailed(error) => printable(&error.text),
        Ending::ItemFailed(_, text) => printable(text),
        Ending::OutputFailed(text) => printable(text),
    };
    console.say(format!("error: {why}"));
    1
}
