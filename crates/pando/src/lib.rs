//! Pando maps a stream of values over the browsers and cores of one person's and their friends'
//! devices.
//!
//! The program `pando` is a thin shell around this library. Other programs call the library
//! through [`Pando`]: a stream in, a stream out (see [`library`]). `ARCHITECTURE.md` describes the
//! parts.

#[cfg(feature = "master")]
pub mod channel;
#[cfg(feature = "master")]
pub mod cli;
#[cfg(any(feature = "master", feature = "relay"))]
mod command_line;
pub mod console;
mod duration;
pub mod embedded;
#[cfg(feature = "master")]
pub mod events;
#[cfg(any(feature = "master", feature = "relay"))]
mod files;
#[doc(hidden)]
pub mod fuzz;
#[cfg(feature = "master")]
pub mod ice;
#[cfg(feature = "master")]
pub mod journal;
#[cfg(feature = "master")]
pub mod library;
#[cfg(feature = "master")]
pub mod master;
#[cfg(any(feature = "master", feature = "relay"))]
mod port;
#[cfg(feature = "master")]
pub mod protocol;
#[cfg(feature = "relay")]
pub mod relay;
#[cfg(feature = "master")]
mod remedy;
#[cfg(feature = "master")]
pub mod run;
#[cfg(feature = "master")]
mod secrets;
#[cfg(feature = "master")]
pub mod server;
mod threads;
#[cfg(feature = "master")]
pub mod uplink;
#[cfg(feature = "master")]
pub mod volunteer;

#[cfg(feature = "master")]
pub use library::{Error, Event, Feedback, Pando, Results};
