//! Pando maps a stream of values over the browsers and cores of one person's and their friends' devices.
//!
//! The program `pando` is a thin shell around this library. Other programs call it by [`Pando`]: a stream in, a stream out (see [`library`]).
//! Read `ARCHITECTURE.md` for the map.

#[cfg(feature = "master")]
pub mod channel;
#[cfg(feature = "master")]
pub mod cli;
pub mod console;
mod duration;
pub mod embedded;
#[cfg(feature = "master")]
pub mod events;
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
pub mod server;
#[cfg(feature = "master")]
pub mod uplink;
#[cfg(feature = "master")]
pub mod volunteer;

#[cfg(feature = "master")]
pub use library::{Error, Event, Feedback, Pando, Results};
