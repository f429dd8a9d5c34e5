//! WebSockets with time limits for every operation.

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use pando_testing::DEADLINE;
use serde_json::Value;
use std::sync::Arc;
use tokio::{net::TcpStream, time::timeout};
pub(crate) use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config,
    tungstenite::{Error, client::IntoClientRequest, http::HeaderValue},
};

/// A WebSocket after the upgrade.
#[derive(Debug)]
pub(crate) struct AsyncSocket(pub(crate) WebSocketStream<MaybeTlsStream<TcpStream>>);

impl AsyncSocket {
    /// Opens the socket at `url`. The error is the HTTP status of a refusal.
    pub(crate) async fn open(url: &str, headers: &[(&'static str, &str)]) -> Result<Self, u16> {
        Self::open_with(url, headers, None).await
    }

    /// Opens the socket at `url`, with the TLS configuration `tls`.
    pub(crate) async fn open_with(
        url: &str,
        headers: &[(&'static str, &str)],
        tls: Option<Arc<rustls::ClientConfig>>,
    ) -> Result<Self, u16> {
        let mut request = url.replacen("http", "ws", 1).into_client_request().expect("a URL");
        for (name, value) in headers {
            request.headers_mut().insert(*name, HeaderValue::from_str(value).expect("a header"));
        }
        let connecting =
            connect_async_tls_with_config(request, None, true, tls.map(Connector::Rustls));
        match timeout(DEADLINE, connecting).await.expect("it answers") {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{url}: {error}"),
        }
    }

    pub(crate) async fn send(&mut self, message: Message) {
        timeout(DEADLINE, self.0.send(message))
            .await
            .expect("it takes messages")
            .expect("it is open");
    }

    pub(crate) async fn text(&mut self, value: &Value) {
        self.send(Message::Text(value.to_string().into())).await;
    }

    pub(crate) async fn bytes(&mut self, bytes: impl Into<Bytes>) {
        self.send(Message::Binary(bytes.into())).await;
    }

    /// The next text, bytes or close message; `None` when the connection ends without a close
    /// message.
    #[track_caller]
    pub(crate) fn next(&mut self) -> impl Future<Output = Option<Message>> + Send {
        let caller = std::panic::Location::caller();
        async move {
            loop {
                let next = timeout(DEADLINE, self.0.next())
                    .await
                    .unwrap_or_else(|_| panic!("nothing came: {caller}"));
                match next? {
                    Ok(Message::Ping(_) | Message::Pong(_)) => {}
                    Ok(message) => return Some(message),
                    Err(_) => return None,
                }
            }
        }
    }

    /// The next message, parsed as JSON.
    #[track_caller]
    pub(crate) fn json(&mut self) -> impl Future<Output = Value> + Send {
        let caller = std::panic::Location::caller();
        let next = self.next();
        async move {
            match next.await {
                Some(Message::Text(text)) => serde_json::from_str(&text).expect("it is JSON"),
                other => panic!("no text but {other:?}: {caller}"),
            }
        }
    }

    /// Skips messages until the close message, and returns its code; `None` when the connection
    /// breaks.
    pub(crate) async fn closed(&mut self) -> Option<u16> {
        loop {
            match self.next().await {
                Some(Message::Close(frame)) => return frame.map(|frame| frame.code.into()),
                Some(_) => {}
                None => return None,
            }
        }
    }

    /// Drops the connection without a close message.
    pub(crate) fn vanish(self) {
        drop(self);
    }
}
