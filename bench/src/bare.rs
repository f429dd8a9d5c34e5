//! Upper limits for [`measures`](crate::measures): prototypes of a master and its volunteers with
//! the same libraries and nothing of Pando.
//!
//! [`master`] and [`volunteers`] map lines over WebSockets, in order, and nothing else. They know
//! no errors, no lost devices, no limits of memory beside their queue, no tokens and no fair
//! shares. The bodies of their messages have a number and a length for each value. [`Loop`] calls a
//! function in a page, [`Peers`] connects two pages, and [`copies`] passes bytes on between
//! sockets.

mod copies;
mod frame;
mod master;
mod page;
mod peers;
mod volunteers;

pub use copies::copies;
pub use master::master;
pub use page::Loop;
pub use peers::{Peers, PeersTask};
pub use volunteers::volunteers;
