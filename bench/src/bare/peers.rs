//! Two pages with a bare data channel between them.

use anyhow::Context;
use axum::{
    Router,
    extract::ws::{Message, WebSocket, WebSocketUpgrade},
    response::Html,
    routing::get,
};
use futures_util::{SinkExt, StreamExt};
use std::{net::SocketAddr, time::Duration};
use tokio::{net::TcpListener, sync::mpsc};

const PAGE: &str = include_str!("peers.html");

/// A server for two pages that connect to each other.
#[derive(Debug)]
pub struct Peers {
    port: u16,
    sockets: mpsc::Receiver<WebSocket>,
}

impl Peers {
    /// The options of browsers whose pages connect to each other: a page shows its addresses.
    pub const BROWSER: &[&str] = &["--disable-features=WebRtcHideLocalIpsWithMdns"];

    /// Starts the server at `address`.
    ///
    /// # Errors
    /// When the address is taken.
    pub async fn serve(address: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let port = listener.local_addr()?.port();
        let (came, sockets) = mpsc::channel(2);
        let socket = async move |upgrade: WebSocketUpgrade| {
            upgrade.on_upgrade(async move |socket| drop(came.send(socket).await))
        };
        let app = Router::new().route("/", get(async || Html(PAGE))).route("/socket", get(socket));
        tokio::spawn(async { axum::serve(listener, app).await });
        Ok(Self { port, sockets })
    }

    /// The address of both pages at this host.
    pub fn url(&self, host: &str) -> String {
        format!("http://{host}:{}/", self.port)
    }

    /// Lets the page that came first send `count` values of `length` bytes to the other one, which
    /// sends them back with `echo`. Returns the time for all values.
    ///
    /// # Errors
    /// When a page goes, or the values take longer than two minutes.
    pub async fn measure(
        &mut self,
        count: usize,
        length: usize,
        echo: bool,
    ) -> anyhow::Result<Duration> {
        let mut pages = Vec::new();
        for role in ["offer", "answer"] {
            let mut page = self.sockets.recv().await.context("the server ended")?;
            let task =
                serde_json::json!({ "role": role, "count": count, "length": length, "echo": echo });
            page.send(Message::Text(task.to_string().into())).await?;
            pages.push(page.split());
        }
        let (mut to_answer, mut from_answer) = pages.pop().context("two pages came")?;
        let (mut to_offer, mut from_offer) = pages.pop().context("two pages came")?;
        let pass = async {
            loop {
                let (message, to) = tokio::select! {
                    message = from_offer.next() => (message, &mut to_answer),
                    message = from_answer.next() => (message, &mut to_offer),
                };
                let message = message.context("a page went")??;
                match message.to_text()?.strip_prefix("took ") {
                    Some(millis) => {
                        return anyhow::Ok(Duration::from_secs_f64(millis.parse::<f64>()? / 1e3));
                    }
                    None => to.send(message).await?,
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(120), pass).await.context("it takes too long")?
    }
}
