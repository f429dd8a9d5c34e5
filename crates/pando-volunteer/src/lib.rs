//! A native volunteer of Pando: lends cores to a master, over any channel.
//!
//! - [`Host`] is the volunteer without I/O, threads and clock: frames of the master, events of the
//!   cores and the time go in; frames for the master and orders for the cores come out.
//! - [`Engine`] starts cores: [`ScriptEngine`] runs the job's function in processes of a JavaScript
//!   engine, and [`Program`] passes values to a program, or runs a command for each value.
//! - [`Runner`] finds the JavaScript engine of this machine, and a sandbox if functions are to be
//!   held.
//! - [`drive`] connects a host, an engine and a channel in memory. Drivers with a loop of their own
//!   have their [`Cores`] carry out the host's orders.

mod assets;
#[cfg(unix)]
mod child;
mod dispatch;
mod drive;
mod engine;
mod group;
mod host;
mod node;
mod program;
mod runner;
mod stray;

pub use assets::{CoreAssets, Fetching};
pub use drive::{Cores, First, drive};
pub use engine::{Core, CoreEvent, CoreEvents, CoreId, Engine};
pub use group::{Guard, Member, leader};
pub use host::{CoreOrder, Goodbye, Host, Introduction, PassedOn, PassedUp};
pub use node::{NodeError, killed_from_outside};
pub use program::{BadCommand, ExecCommand, Program, ProgramOptions, TALKED, ValueScript, shell};
pub use runner::{
    EngineChoice, Limits, Refusal, Runner, ScriptEngine, Wish, hidden_command, memory_per_core,
};
