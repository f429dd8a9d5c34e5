//! Two pages with a bare data channel between them.

use crate::page::{LOOPBACK, PageServer};
use anyhow::Context;
use axum::extract::ws::Message;
use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use std::{net::SocketAddr, time::Duration};

const PAGE: &str = include_str!("peers.html");

/// What the pages do.
#[derive(Debug, Clone, clap::Args)]
pub struct PeersTask {
    /// Number of values
    #[arg(long, value_name = "N")]
    pub count: usize,
    /// Length of each value
    #[arg(long, value_name = "BYTES")]
    pub length: usize,
    /// Sends the values back
    #[arg(long)]
    pub echo: bool,
    /// A STUN server, from which the pages learn their addresses
    #[arg(long, value_name = "URL")]
    pub stun: Option<String>,
}

/// Two pages that connect to each other.
#[derive(Debug)]
pub struct Peers(PageServer);

impl Peers {
    /// The options of browsers whose pages connect to each other: a page shows its addresses.
    pub const BROWSER: &[&str] = &["--disable-features=WebRtcHideLocalIpsWithMdns"];

    /// Starts the server on a free port of the loopback device.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn serve() -> anyhow::Result<Self> {
        Self::serve_at(LOOPBACK).await
    }

    /// Starts the server at `address`.
    ///
    /// # Errors
    /// When the address cannot be used.
    pub async fn serve_at(address: SocketAddr) -> anyhow::Result<Self> {
        Ok(Self(PageServer::start(PAGE.into(), address).await?))
    }

    /// The address of both pages.
    pub fn url(&self) -> String {
        self.0.url()
    }

    /// Lets the page that came first send values to the other one. Returns the time for all values.
    ///
    /// # Errors
    /// When a page goes, or the values take longer than two minutes.
    pub async fn measure(&mut self, task: &PeersTask) -> anyhow::Result<Duration> {
        let PeersTask { count, length, echo, stun } = task;
        let mut pages = Vec::new();
        for role in ["offer", "answer"] {
            let mut page = self.0.next().await?;
            let task = json!({ "role": role, "count": count, "length": length, "echo": echo, "stun": stun });
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
