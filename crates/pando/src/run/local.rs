//! This machine's own cores: a volunteer like any other, over a channel in memory.

use super::function::{Function, Local};
use crate::{
    channel,
    cli::Cli,
    console::Console,
    master::{Door, Master, attend},
    protocol::Path,
    volunteer::{Lend, lend},
};
use std::sync::Arc;

/// Most cores lent: per thread of this machine, and in total on a small machine. More cores than
/// threads suit functions and programs with more waiting than computing.
const MOST_PER_THREAD: usize = 4;
const MOST_ANYWAY: usize = 32;

/// Lends the cores that `cli` grants; returns whether there are any.
pub(super) fn lend_cores(cli: &Cli, master: &Arc<Master>, function: Function) -> bool {
    let cores = granted(cli, &master.console);
    let Some(Local { engine, first }) = function.local.filter(|_| cores > 0) else { return false };
    let (ours, theirs) = channel::pair();
    let lent =
        Lend { name: "this machine".into(), cores, token: String::new(), device: "local".into() };
    tokio::spawn(attend(master.clone(), Door { path: Path::Local, ..Door::default() }, ours));
    tokio::spawn(lend(lent, engine, first, theirs));
    true
}

/// The number of cores that `cli` lends; each is a process. A number above the limit is reduced,
/// with a message to `console`.
pub(super) fn granted(cli: &Cli, console: &Console) -> usize {
    if cli.start_idle || cli.dom {
        return 0;
    }
    let there = std::thread::available_parallelism().map_or(1, usize::from);
    let asked = cli.cores.unwrap_or(there.saturating_sub(1).max(1));
    let most = (there * MOST_PER_THREAD).max(MOST_ANYWAY);
    if asked > most {
        let threads = if there == 1 { "thread" } else { "threads" };
        console.say(format!(
            "--cores {asked}: {most} cores are lent, each a process; more is too much for a machine of {there} {threads}"
        ));
    }
    asked.min(most)
}
