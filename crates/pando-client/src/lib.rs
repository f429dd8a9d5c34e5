//! Connections of Pando's master and volunteers to web servers.
//!
//! A [`WebServer`] is one address. Connections to it go through the proxy that the environment
//! names, with TLS where the address says so. On a connection runs a WebSocket
//! ([`WebServer::socket`]) or one plain request ([`WebServer::get`]).

mod backoff;
mod get;
mod proxy;
mod server;

pub use backoff::{backoff, random};
pub use get::{Fetched, GetError};
pub use server::{ConnectError, SocketError, Stream, WebServer, WebSocket};
