//! Pando maps a stream of values over the browsers and cores of one person's and their friends'
//! devices.
//!
//! The program `pando` is a thin shell around this library. Other programs call the library
//! through [`Pando`]: a stream in, a stream out (see [`library`]). `ARCHITECTURE.md` describes the
//! parts.

pub mod channel;
pub mod cli;
pub mod events;
#[doc(hidden)]
pub mod fuzz;
pub mod journal;
pub mod library;
pub mod master;
mod remedy;
pub mod run;
mod secrets;
pub mod server;
pub mod uplink;
pub mod volunteer;

pub use library::{Error, Event, Feedback, Pando, Results};

use pando_process::{command_line, console, duration, files, threads};
use pando_protocol::{ice, volunteer as protocol};
use pando_web::embedded;
