//! Pando maps a stream of values over the browsers and cores of one person's and their friends'
//! devices.
//!
//! Programs in Rust call [`Pando`]: a stream in, a stream out (see [`library`]). The program
//! `pando` is this library with the command line, standard input and standard output around it.
//! `ARCHITECTURE.md` describes the parts.

mod assets;
mod channel;
mod cli;
mod config;
mod demo;
mod events;
mod failed;
#[doc(hidden)]
pub mod fuzz;
mod gateway;
mod grid;
mod inspect;
#[doc(hidden)]
pub mod journal;
pub mod library;
mod master;
mod monitor;
mod remedy;
mod run;
mod server;
mod table;
mod uplink;

pub use config::OnError;
#[doc(hidden)]
pub use inspect::show_journal;
pub use library::{Error, Event, Feedback, Pando, Results};
#[doc(hidden)]
pub use {
    gateway::join,
    run::{demo, run as main},
};

use pando_process::{command_line, console, duration, files, number, secrets, threads, trace};
use pando_protocol::{ice, volunteer as protocol};
use pando_volunteer as volunteer;
use pando_web::embedded;
