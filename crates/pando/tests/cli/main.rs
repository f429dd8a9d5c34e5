//! The command line, and the answers of the port.

mod devices;
mod environment;
mod help;
mod http;
mod options;
mod promises;
mod protocol;
#[cfg(target_os = "linux")]
mod terminal;
