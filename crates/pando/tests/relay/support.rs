//! A relay, and scripted masters and volunteers.

mod master;

mod socket;
pub(crate) mod turn;

pub(crate) use master::{ScriptedMaster, opening};
pub(crate) use pando_testing::{RelayProcess, SECRET};
pub(crate) use socket::{AsyncSocket, Message};

/// A key of a room.
pub(crate) const KEY: &str = "abcdefghijkmnpqrstuvwxyz23456789";
/// Another key.
pub(crate) const OTHER_KEY: &str = "98765432zyxwvutsrqpnmkjihgfedcba";
/// A small function.
pub(crate) const FUNCTION: &[u8] = b"/* the function */";
