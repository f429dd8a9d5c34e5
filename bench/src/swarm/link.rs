//! A WebSocket to the master, with configurable latency.

use anyhow::{Context, bail};
use futures_util::{SinkExt, StreamExt, stream::SplitSink, stream::SplitStream};
use pando_protocol::volunteer::Frame;
use std::time::{Duration, Instant};
use tokio::{
    net::TcpStream,
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::JoinHandle,
};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{Message, protocol::WebSocketConfig},
};

type Socket = WebSocketStream<TcpStream>;

/// The address of the master.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) host: String,
    /// The join token; empty with open access.
    pub(crate) token: String,
}

impl Address {
    /// Parses `http://HOST:PORT/` or `http://HOST:PORT/TOKEN/`, without the part from `#` on.
    pub(crate) fn parse(url: &str) -> Option<Self> {
        let rest = url.strip_prefix("http://")?.split('#').next()?;
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let token = path.trim_end_matches('/');
        let fine = !host.is_empty() && !token.contains('/');
        fine.then(|| Self { host: host.into(), token: token.into() })
    }

    fn socket(&self) -> String {
        let prefix = if self.token.is_empty() { String::new() } else { format!("/{}", self.token) };
        format!("ws://{}{prefix}/socket", self.host)
    }
}

/// An open link. Dropping the link cuts it, like a crash.
pub(crate) struct Link {
    /// The received messages. The latency is not applied to them.
    pub(crate) incoming: SplitStream<Socket>,
    outgoing: UnboundedSender<(Instant, Message)>,
    writer: JoinHandle<()>,
    delay: Duration,
}

impl Link {
    pub(crate) async fn open(address: &Address, delay: Duration) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(&address.host)
            .await
            .with_context(|| format!("{} cannot be reached", address.host))?;
        stream.set_nodelay(true)?;
        let config =
            WebSocketConfig::default().read_buffer_size(16 * 1024).write_buffer_size(16 * 1024);
        let (socket, _) =
            match client_async_with_config(address.socket(), stream, Some(config)).await {
                Ok(open) => open,
                Err(error) => bail!("{} does not let in: {error}", address.host),
            };
        let (sink, incoming) = socket.split();
        let (outgoing, queue) = unbounded_channel();
        let writer = tokio::spawn(write(sink, queue));
        Ok(Self { incoming, outgoing, writer, delay })
    }

    /// Sends `frame` after the latency. The queue is bounded because the master lends a bounded
    /// number of values.
    pub(crate) fn send(&self, frame: Frame, now: Instant) {
        let message = match frame {
            Frame::Text(text) => Message::Text(text.into()),
            Frame::Binary(bytes) => Message::Binary(bytes),
        };
        // If the writer has ended, the reader notices the end of the link.
        let _ = self.outgoing.send((now + self.delay, message));
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.writer.abort();
    }
}

async fn write(
    mut sink: SplitSink<Socket, Message>,
    mut queue: UnboundedReceiver<(Instant, Message)>,
) {
    while let Some((due, message)) = queue.recv().await {
        if due > Instant::now() {
            // What was due before must not wait for this message.
            if sink.flush().await.is_err() {
                return;
            }
            tokio::time::sleep_until(due.into()).await;
        }
        if sink.feed(message).await.is_err() || (queue.is_empty() && sink.flush().await.is_err()) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_urls_that_pando_says() {
        let socket = |url| Address::parse(url).map(|address| address.socket());
        assert_eq!(
            socket("http://127.0.0.1:5000/k7d2m9qx4t/").as_deref(),
            Some("ws://127.0.0.1:5000/k7d2m9qx4t/socket")
        );
        assert_eq!(
            socket("http://127.0.0.1:5000/#cores=1;").as_deref(),
            Some("ws://127.0.0.1:5000/socket")
        );
        assert_eq!(socket("http://127.0.0.1:5000/a/b"), None);
        assert_eq!(socket("k7d2m9qx4t"), None);
    }
}
