//! The upper limit for a browser: a page that sends every WebSocket message back, and does nothing
//! else.

use anyhow::{Context, bail};
use axum::{
    Router,
    extract::ws::{Message, WebSocket, WebSocketUpgrade},
    response::Html,
    routing::get,
};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use std::time::{Duration, Instant};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, mpsc},
};

/// The number of messages in flight: as many bytes as pando lends to a device.
const UNDER_WAY: usize = 8;

const PAGE: &str = "<!doctype html><title>Echo</title><script>
const socket = new WebSocket('ws://' + location.host + '/echo')
socket.binaryType = 'arraybuffer'
socket.onmessage = ({ data }) => typeof data === 'string' ? location.href = data : socket.send(data)
</script>";

/// A server for one page with the echo.
#[derive(Debug)]
pub struct Echo {
    /// The address of the page.
    pub url: String,
    sockets: mpsc::Receiver<WebSocket>,
}

impl Echo {
    /// Starts the server on a free port of the loopback device.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn serve() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/", listener.local_addr()?);
        let (came, sockets) = mpsc::channel(1);
        let echo = async move |upgrade: WebSocketUpgrade| {
            upgrade.on_upgrade(async move |socket| {
                let _ = came.send(socket).await;
            })
        };
        let app = Router::new().route("/", get(async || Html(PAGE))).route("/echo", get(echo));
        tokio::spawn(async { axum::serve(listener, app).await });
        Ok(Self { url, sockets })
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
        let came = tokio::time::timeout(Duration::from_secs(30), self.sockets.recv()).await;
        let socket = came.context("the page does not come")?.context("the server ended")?;
        let (mut sink, mut stream) = socket.split();
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
