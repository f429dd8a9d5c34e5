//! A native volunteer: lends this machine's cores over any channel, with an engine to run the
//! function.

mod core;
mod dispatch;
mod group;
mod host;
mod node;
mod program;
mod stray;

#[cfg(test)]
pub(crate) use dispatch::Dispatch;

pub(crate) use self::core::{CoreEvent, CoreId, Engine};
pub(crate) use group::{Guard, leader};
pub(crate) use host::{First, Lend, lend};
pub(crate) use node::Node;
pub(crate) use node::killed_from_outside;
pub(crate) use program::Program;
pub(crate) use program::{TALKED, shell};
