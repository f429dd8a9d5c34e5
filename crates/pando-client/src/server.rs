//! Connections to one server, and why there is none.

use crate::proxy::{proxy_for, tunnel};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use rustls_pki_types::ServerName;
use std::{
    io::{self, ErrorKind},
    sync::Arc,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        Error,
        client::IntoClientRequest,
        http::{HeaderValue, header::AUTHORIZATION},
        protocol::WebSocketConfig,
    },
};
use url::{Host, Url};

/// A WebSocket to a server.
pub type WebSocket = WebSocketStream<Box<dyn Stream>>;

/// Bytes both ways, encrypted or not.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A server at an address with the scheme `http` or `https`; cheap to clone.
#[derive(Debug, Clone)]
pub struct WebServer {
    base: Url,
    /// The rules for the server's certificate; `None` without TLS.
    tls: Option<Arc<ClientConfig>>,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The proxy is missing, unusable or refuses; in words with the remedy.
    #[error("{0}")]
    Proxy(String),
    /// The machine answers, and nothing listens at the port.
    #[error("connection refused")]
    Refused,
    /// The machine cannot be reached.
    #[error("{0}")]
    Unreachable(io::Error),
    /// The server's certificate is not trusted.
    #[error("{0}")]
    Certificate(io::Error),
    /// The server does not speak TLS.
    #[error("{0}")]
    NoTls(io::Error),
}

/// Why there is no WebSocket.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// There is no connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The server did not accept the WebSocket.
    #[error(transparent)]
    Upgrade(Box<Error>),
    /// The request cannot be written, in words.
    #[error("{0}")]
    Request(String),
}

impl WebServer {
    /// The server at `base`, whose scheme is `http` or `https` and whose path ends with `/`.
    ///
    /// # Errors
    /// When this machine cannot use TLS, in words.
    pub fn new(base: Url) -> Result<Self, String> {
        let tls = (base.scheme() == "https").then(trust).transpose()?;
        Ok(Self { base, tls })
    }

    /// The address.
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// Whether connections are encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.tls.is_some()
    }

    /// A connection, through a proxy if there is one, and encrypted if the address says so.
    ///
    /// # Errors
    /// When there is none.
    pub async fn connect(&self) -> Result<Box<dyn Stream>, ConnectError> {
        let proxy = proxy_for(&self.base, |name| std::env::var(name).ok());
        let plain = match proxy.map_err(ConnectError::Proxy)? {
            Some(proxy) => tunnel(&proxy, &self.base).await.map_err(ConnectError::Proxy)?,
            None => self.tcp().await?,
        };
        let _ = plain.set_nodelay(true);
        let Some(tls) = &self.tls else { return Ok(Box::new(plain)) };
        let name = ServerName::try_from(host(&self.base))
            .map_err(|error| ConnectError::Unreachable(io::Error::other(error)))?;
        match TlsConnector::from(tls.clone()).connect(name, plain).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error)
                if error
                    .get_ref()
                    .is_some_and(|inner| inner.to_string().contains("certificate")) =>
            {
                Err(ConnectError::Certificate(error))
            }
            Err(error) => Err(ConnectError::NoTls(error)),
        }
    }

    async fn tcp(&self) -> Result<TcpStream, ConnectError> {
        let name = host(&self.base);
        let port = self.base.port_or_known_default().unwrap_or(443);
        TcpStream::connect((&*name, port)).await.map_err(|error| match error.kind() {
            ErrorKind::ConnectionRefused => ConnectError::Refused,
            _ => ConnectError::Unreachable(error),
        })
    }

    /// A WebSocket at `path` below the address, for messages up to `longest` bytes. `bearer` is
    /// shown to the server, if there is one.
    ///
    /// # Errors
    /// When there is no connection, or the server refuses.
    pub async fn socket(
        &self,
        path: &str,
        bearer: Option<&str>,
        longest: usize,
    ) -> Result<WebSocket, SocketError> {
        let stream = self.connect().await?;
        let address =
            self.base.join(path).map_err(|error| SocketError::Request(error.to_string()))?;
        let request = address.as_str().replacen("http", "ws", 1).into_client_request();
        let mut request = request.map_err(|error| SocketError::Upgrade(Box::new(error)))?;
        if let Some(bearer) = bearer {
            let mut value = HeaderValue::from_str(&format!("Bearer {bearer}"))
                .map_err(|error| SocketError::Request(error.to_string()))?;
            value.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        let config = WebSocketConfig::default()
            .read_buffer_size(16 * 1024)
            .write_buffer_size(16 * 1024)
            .max_write_buffer_size(4 << 20)
            .max_message_size(Some(longest))
            .max_frame_size(Some(longest));
        let connected = client_async_with_config(request, stream, Some(config)).await;
        connected.map(|(socket, _)| socket).map_err(|error| SocketError::Upgrade(Box::new(error)))
    }
}

/// The host of a URL, as the system's resolver takes it.
fn host(url: &Url) -> String {
    match url.host() {
        Some(Host::Ipv6(address)) => address.to_string(),
        Some(host) => host.to_string(),
        None => String::new(),
    }
}

/// Trusts what this system trusts, and what browsers trust, because a fresh machine may have no
/// certificates of its own.
fn trust() -> Result<Arc<ClientConfig>, String> {
    let mut roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions();
    let config = config.map_err(|error| format!("TLS cannot be used: {error}"))?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}
