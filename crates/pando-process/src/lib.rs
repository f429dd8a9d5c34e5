//! What Pando's programs need of the process that they run in.
//!
//! - [`command_line`] reads options, and ends the process on wrong usage; [`duration`] reads and
//!   writes durations.
//! - [`console`] writes messages for people to standard error.
//! - [`threads`] starts threads, which a system may refuse.
//! - [`secrets`] hides secrets from the programs that Pando starts.
//! - [`signals`] waits for requests to end.
//! - [`trace`] tells developers what the program decides.
//! - [`number`] writes numbers for people.
//! - [`addresses`] lists the network addresses of this machine.
//! - [`files`] says what a file is, and whether two paths lead to the same one.

pub mod addresses;
pub mod command_line;
pub mod console;
pub mod duration;
pub mod files;
pub mod number;
pub mod secrets;
pub mod signals;
pub mod threads;
pub mod trace;
