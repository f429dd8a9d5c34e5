//! Pando maps a stream of values over the browsers and cores of one person's and their friends' devices.
//!
//! The program `pando` is a thin shell around this library. Read `ARCHITECTURE.md` for the map.

pub mod channel;
pub mod cli;
pub mod console;
pub mod embedded;
pub mod events;
pub mod ice;
pub mod master;
pub mod protocol;
pub mod run;
pub mod server;
pub mod uplink;
pub mod volunteer;
