//! The command line, and what the port answers.

#[path = "../common/mod.rs"]
mod common;

mod devices;
mod http;
mod options;
mod promises;
mod protocol;
#[cfg(target_os = "linux")]
mod terminal;
