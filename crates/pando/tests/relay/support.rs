//! A relay, and scripted masters and volunteers.

mod master;
mod relay;
mod socket;
pub(crate) mod turn;

pub(crate) use master::{Master, opening};
pub(crate) use relay::{Relay, SECRET};
pub(crate) use socket::{Message, Socket};

/// A key of a room.
pub(crate) const KEY: &str = "abcdefghijkmnpqrstuvwxyz23456789";
/// Another key.
pub(crate) const OTHER_KEY: &str = "98765432zyxwvutsrqpnmkjihgfedcba";
/// A small function.
pub(crate) const FUNCTION: &[u8] = b"/* the function */";
