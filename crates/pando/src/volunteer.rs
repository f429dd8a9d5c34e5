//! A native volunteer: lends this machine's cores through engines, over any channel.

mod core;
mod dispatch;
mod host;
mod node;

pub use self::core::{Core, CoreId, Engine, FromCore, Message, Voice};
pub use host::{First, Lend, lend};
pub use node::{Node, NodeError};
