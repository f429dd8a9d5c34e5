//! The upper limit for a browser: a page that sends every WebSocket message back, and does nothing
//! else.

use crate::page::{LOOPBACK, PageServer};
use anyhow::{Context, bail};
use axum::extract::ws::Message;
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// The number of messages in flight: as many bytes as pando lends to a device.
const UNDER_WAY: usize = 8;

const PAGE: &str = "<!doctype html><title>Echo</title><script>
const socket = new WebSocket('ws://' + location.host + '/socket')
socket.binaryType = 'arraybuffer'
socket.onmessage = ({ data }) => typeof data === 'string' ? location.href = data : socket.send(data)
</script>";

/// A page with the echo.
#[derive(Debug)]
pub struct Echo(PageServer);

impl Echo {
    /// Starts the server on a free port of the loopback device.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn serve() -> anyhow::Result<Self> {
        Ok(Self(PageServer::start(PAGE.into(), LOOPBACK).await?))
    }

    /// The address of the page.
    pub fn url(&self) -> String {
        self.0.url()
    }

    /// Sends `count` messages of `length` bytes to the page, waits until all have come back, then
    /// directs the page to `next`. Returns the time for all messages.
    ///
    /// # Errors
    /// When the page does not connect, or a message comes back changed.
    pub async fn measure(
        &mut self,
        count: usize,
        length: usize,
        next: &str,
    ) -> anyhow::Result<Duration> {
        let (mut sink, mut stream) = self.0.next().await?.split();
        let messages: Vec<Bytes> =
            (0..UNDER_WAY + 1).map(|n| vec![b'a' + n as u8; length].into()).collect();
        let room = Semaphore::new(UNDER_WAY);
        let start = Instant::now();
        let send = async {
            for number in 0..count {
                room.acquire().await?.forget();
                sink.send(Message::Binary(messages[number % messages.len()].clone())).await?;
            }
            anyhow::Ok(())
        };
        let receive = async {
            for number in 0..count {
                let message = stream.next().await.context("the page went")??;
                if message.into_data() != messages[number % messages.len()] {
                    bail!("message {number} came back changed");
                }
                room.add_permits(1);
            }
            Ok(start.elapsed())
        };
        let ((), elapsed) = tokio::try_join!(send, receive)?;
        sink.send(Message::Text(next.into())).await?;
        Ok(elapsed)
    }
}
