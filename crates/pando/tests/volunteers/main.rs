//! Simulated volunteers that do things to a run that browsers do not do on purpose.

#[cfg(target_os = "linux")]
mod cluster;
mod gateway;
mod goodbyes;
mod join;
mod kept;
mod lending;
mod lies;
mod shapes;
mod trust;
mod unfit;

use pando_protocol::volunteer::Loan;
use pando_testing::{
    PandoCommand, numbers,
    volunteer::{answer, echo, error, fail, result, values},
};

/// A run with the values `1` to `count` and without local cores.
fn idle(count: u64) -> PandoCommand {
    PandoCommand::f("(x, cb) => cb(null, x)").args(["--cores", "0"]).stdin(numbers(count))
}

/// The first loan of a value.
fn first(index: u64) -> Loan {
    Loan::first(index)
}

/// The loan of a value that has been lent `number` times before.
fn again(index: u64, number: u32) -> Loan {
    Loan { index, number }
}
