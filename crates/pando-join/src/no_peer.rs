//! The place of `peer.rs` in a program without the feature `peers`: there are no peer connections,
//! and the compiler knows that.

use crate::{address::Address, dial::Loss, socket::SocketEvent};
use pando_client::WebServer;
use pando_protocol::volunteer::{Frame, Path};

/// The version of this program, for people.
pub(crate) const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (without peer connections)");
/// What this program cannot do at a relay, for people.
pub(crate) const LIMIT: Option<&str> = Some(
    "This program was built without peer connections: at a relay, all values travel through the relay.",
);

/// The way of a peer connection: there is none.
#[derive(Debug, Clone, Copy)]
pub(crate) enum PeerRoute {}

impl PeerRoute {
    pub(crate) const ALL: &[Self] = &[];

    pub(crate) fn words(self) -> &'static str {
        match self {}
    }

    pub(crate) fn path(self) -> Option<Path> {
        match self {}
    }
}

/// An open peer connection: there is none.
pub(crate) enum PeerSocket {}

impl PeerSocket {
    pub(crate) async fn next(&mut self, _: bool, _: bool) -> SocketEvent {
        match *self {}
    }

    pub(crate) fn send(&mut self, _: Frame) {
        match *self {}
    }

    pub(crate) async fn close(self) {
        match self {}
    }
}

pub(crate) async fn connect(
    route: PeerRoute,
    _: &WebServer,
    _: &Address,
) -> Result<PeerSocket, Loss> {
    match route {}
}
