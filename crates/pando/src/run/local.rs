//! This machine's own cores: a volunteer like any other, over a channel in memory.

use super::function::{Function, Local};
use crate::{
    channel,
    cli::Cli,
    master::{Door, Master, attend},
    protocol::Path,
    volunteer::{Lend, lend},
};
use std::sync::Arc;

/// Lends the cores that `cli` grants; gives whether there are any.
pub(super) fn lend_cores(cli: &Cli, master: &Arc<Master>, function: Function) -> bool {
    let cores = granted(cli);
    let Some(Local { engine, first }) = function.local.filter(|_| cores > 0) else { return false };
    let (ours, theirs) = channel::pair();
    let lent = Lend { name: "this machine".into(), cores, token: String::new(), device: "local".into() };
    tokio::spawn(attend(master.clone(), Door { path: Path::Local, ..Door::default() }, ours));
    tokio::spawn(lend(lent, engine, first, theirs));
    true
}

pub(super) fn granted(cli: &Cli) -> usize {
    if cli.start_idle || cli.dom {
        return 0;
    }
    let there = std::thread::available_parallelism().map_or(1, usize::from);
    cli.cores.unwrap_or(there.saturating_sub(1).max(1))
}
