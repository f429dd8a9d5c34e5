//! A server for one page, which connects back by a WebSocket.

use anyhow::Context;
use axum::{
    Router,
    extract::ws::{WebSocket, WebSocketUpgrade},
    response::Html,
    routing::get,
};
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};
use tokio::{net::TcpListener, sync::mpsc};

/// A free port of the loopback device.
pub(crate) const LOOPBACK: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
/// How long a page may take to connect.
const LONGEST: Duration = Duration::from_secs(30);

/// See the module. The page opens its WebSocket at `/socket`.
#[derive(Debug)]
pub(crate) struct PageServer {
    /// The address of the server.
    pub(crate) address: SocketAddr,
    sockets: mpsc::Receiver<WebSocket>,
}

impl PageServer {
    /// Serves `page` at `address`.
    pub(crate) async fn start(page: String, address: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (came, sockets) = mpsc::channel(2);
        let socket = async move |upgrade: WebSocketUpgrade| {
            upgrade.on_upgrade(async move |socket| drop(came.send(socket).await))
        };
        let app = Router::new().route("/", get(async || Html(page))).route("/socket", get(socket));
        tokio::spawn(async { axum::serve(listener, app).await });
        Ok(Self { address, sockets })
    }

    /// The address of the page.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// The WebSocket of the next page that comes.
    pub(crate) async fn next(&mut self) -> anyhow::Result<WebSocket> {
        let came = tokio::time::timeout(LONGEST, self.sockets.recv()).await;
        came.context("the page does not come")?.context("the server ended")
    }
}
