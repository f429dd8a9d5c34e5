//! Plain requests.

use crate::server::{ConnectError, WebServer};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{HeaderMap, Request, StatusCode, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use url::Position;

/// The answer to a request.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// The status, such as 200 or 404.
    pub status: u16,
    /// The content.
    pub content: Bytes,
    headers: HeaderMap,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum GetError {
    /// There is no connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The server does not speak HTTP, or broke off, or its answer is too long; in words.
    #[error("{0}")]
    Broken(String),
}

impl Fetched {
    /// The value of a header, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether the server has what the request asked for.
    pub fn is_ok(&self) -> bool {
        self.status == StatusCode::OK.as_u16()
    }
}

impl WebServer {
    /// Requests `path`, which may have a query, below the address. An answer of more than `longest`
    /// bytes is an error.
    ///
    /// # Errors
    /// When there is no complete answer.
    pub async fn get(&self, path: &str, longest: usize) -> Result<Fetched, GetError> {
        let stream = self.connect().await?;
        let broken = |error: &dyn std::fmt::Display| GetError::Broken(error.to_string());
        let address = self.base().join(path).map_err(|error| broken(&error))?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| broken(&error))?;
        let request = Request::get(&address[Position::BeforePath..Position::AfterQuery])
            .header(header::HOST, address.authority())
            .header(header::CONNECTION, "close")
            .body(Empty::<Bytes>::new())
            .map_err(|error| broken(&error))?;
        let answer = async {
            let response = sender.send_request(request).await.map_err(|error| broken(&error))?;
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            let content = Limited::new(response.into_body(), longest).collect().await;
            let content = content.map_err(|error| broken(&error))?.to_bytes();
            Ok(Fetched { status, content, headers })
        };
        let driver = tokio::spawn(connection);
        let answer = answer.await;
        driver.abort();
        answer
    }
}
