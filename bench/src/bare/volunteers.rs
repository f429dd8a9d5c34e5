//! The prototypes of volunteers: each answers every value with itself.

use super::frame;
use anyhow::Context;
use futures_util::{SinkExt, StreamExt, future::try_join_all};
use tokio::net::TcpStream;
use tokio_tungstenite::{client_async, tungstenite::Message};

/// Joins the master at `url` as `count` volunteers, until the master ends.
///
/// # Errors
/// When the master cannot be reached, or sends a broken message.
pub async fn volunteers(url: &str, count: usize) -> anyhow::Result<()> {
    let host = url.trim_start_matches("http://").trim_end_matches('/');
    let mut sockets = Vec::new();
    for _ in 0..count {
        let stream = TcpStream::connect(host).await.context("the master cannot be reached")?;
        stream.set_nodelay(true)?;
        sockets.push(client_async(format!("ws://{host}/socket"), stream).await?.0);
    }
    println!("all joined");
    let volunteers = sockets.into_iter().map(|mut socket| {
        tokio::spawn(async move {
            while let Some(Ok(message)) = socket.next().await {
                let Message::Binary(message) = message else { continue };
                let mut answer = Vec::with_capacity(message.len());
                frame::read(&message, |number, value| frame::push(&mut answer, number, &value))?;
                if socket.send(Message::Binary(answer.into())).await.is_err() {
                    break;
                }
            }
            anyhow::Ok(())
        })
    });
    try_join_all(volunteers).await?.into_iter().collect()
}
