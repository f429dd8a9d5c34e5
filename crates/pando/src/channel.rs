//! Channels between the master and its volunteers, whatever the transport ([`Channel`]).

mod websocket;

pub(crate) use pando_peers::{Channel, Peers, pair};
pub(crate) use websocket::carry;
