//! The monitoring page of a run: its data, its streams, and what the owner asks for there.

mod actions;
mod agree;
mod figures;
mod page;
mod places;
mod report;
mod streams;
mod support;

use pando_protocol::volunteer::Loan;
use pando_testing::{
    PandoCommand, RunningProgram, get, numbers, request, until,
    volunteer::{answer, echo, error, fail, result, values},
};
use support::{EventReader, act, monitor, place, post, status, until_status};

/// A run with the values `1` to `count` and without local cores.
fn idle(count: u64) -> PandoCommand {
    PandoCommand::f("(x, cb) => cb(null, x)").args(["--cores", "0"]).stdin(numbers(count))
}

/// The first loan of a value.
fn first(index: u64) -> Loan {
    Loan::first(index)
}
