//! Two pages with a bare data channel between them.

use crate::page::PageServer;
use anyhow::Context;
use axum::extract::ws::Message;
use futures_util::{SinkExt, StreamExt};
use std::time::Duration;

const PAGE: &str = include_str!("peers.html");

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
        Ok(Self(PageServer::start(PAGE.into()).await?))
    }

    /// The address of both pages.
    pub fn url(&self) -> String {
        self.0.url()
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
            let mut page = self.0.next().await?;
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
