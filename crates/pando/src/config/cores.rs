//! This machine's cores: how many are lent, and with which engine.

use crate::{
    cli::Cli,
    threads,
    volunteer::{Limits, Wish, memory_per_core},
};
use std::env;

/// The engine for this machine's cores. The program `pando` has the hidden subcommands, and a Rust
/// program that uses the library has them not.
pub(super) fn engine(cli: &Cli, cores: usize, is_program: bool) -> Wish {
    Wish {
        engine: cli.devices.engine,
        held: cli.devices.sandbox.then(|| Limits { memory: memory_per_core(cores) }),
        helper: is_program.then(env::current_exe).and_then(Result::ok),
    }
}

/// The number of cores to lend; each is a process. A number above the limit is reduced, with a
/// note.
pub(super) fn cores(cli: &Cli, notes: &mut Vec<String>) -> usize {
    if cli.calls.dom && cli.devices.cores != Some(0) && !cli.devices.start_idle {
        notes.push("--dom: the function runs in volunteers' pages only, this machine's cores stay idle (as with --cores 0)".into());
    }
    if cli.devices.start_idle || cli.calls.dom {
        return 0;
    }
    let threads = threads::at_a_time();
    let asked = cli.devices.cores.unwrap_or(threads.saturating_sub(1).max(1));
    let most = threads::most_cores();
    if asked > most {
        let words = if threads == 1 { "thread" } else { "threads" };
        notes.push(format!(
            "--cores {asked}: {most} cores are lent, each a process; more is too much for a machine of {threads} {words}"
        ));
    }
    asked.min(most)
}
