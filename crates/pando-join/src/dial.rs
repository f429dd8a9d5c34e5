//! Attempts to connect with the master, over each transport.

use crate::{
    address::Address,
    peer::{self, PeerRoute},
    settings::unconnected,
    socket::Socket,
};
use futures_util::StreamExt;
use pando_client::{SocketError, WebServer, WebSocket};
use std::time::Duration;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Error;

/// How long the opening of a WebSocket may take.
const CONNECTING: Duration = Duration::from_secs(15);
/// Longest message of the master, in bytes: a part and its header, or a long text message.
const LONGEST_MESSAGE: usize = 1 << 20;

/// The way to a master.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Transport {
    /// A peer connection, where a relay serves the address.
    Peer(PeerRoute),
    /// A WebSocket, to the master or through a relay.
    WebSocket,
}

impl Transport {
    /// The transports of one attempt to connect, best first.
    pub(crate) fn all(is_relay: bool) -> Vec<Self> {
        let routes = if is_relay { PeerRoute::ALL } else { &[] };
        routes.iter().copied().map(Self::Peer).chain([Self::WebSocket]).collect()
    }
}

/// Why there is no socket.
#[derive(Debug)]
pub(crate) enum Loss {
    /// The connection broke, or there is none.
    Broken(String),
    /// The server answers, and has no run at the address.
    NoRun,
}

/// Connects with the master of the run at `address`.
///
/// # Errors
/// When there is no connection.
pub(crate) async fn dial(
    transport: Transport,
    server: WebServer,
    address: Address,
) -> Result<Socket, Loss> {
    match transport {
        Transport::Peer(route) => peer::connect(route, &server, &address).await.map(Socket::Peer),
        Transport::WebSocket => {
            let (sink, stream) =
                web_socket(&server, &address, "socket", LONGEST_MESSAGE).await?.split();
            Ok(Socket::Web(sink, stream))
        }
    }
}

/// A WebSocket at `path` below the address, for messages up to `longest` bytes.
pub(crate) async fn web_socket(
    server: &WebServer,
    address: &Address,
    path: &str,
    longest: usize,
) -> Result<WebSocket, Loss> {
    match timeout(CONNECTING, server.socket(path, None, longest)).await {
        Ok(Ok(socket)) => Ok(socket),
        Ok(Err(SocketError::Connect(error))) => Err(Loss::Broken(unconnected(&error, address))),
        Ok(Err(SocketError::Request(why))) => Err(Loss::Broken(why)),
        Ok(Err(SocketError::Upgrade(error))) => Err(match *error {
            Error::Http(answer) if answer.status() == 404 => Loss::NoRun,
            Error::Http(answer) => {
                Loss::Broken(format!("{address} answers {}", answer.status().as_str()))
            }
            error => Loss::Broken(format!("{address} accepts no WebSocket ({error})")),
        }),
        Err(_) => Err(Loss::Broken(format!("{address} does not answer"))),
    }
}
