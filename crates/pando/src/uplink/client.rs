//! Connections to the relay, and why there is none, in words.

use super::proxy::{proxy_for, tunnel};
use pando_protocol::relay::LinkId;
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};
use rustls_pki_types::ServerName;
use std::{io::ErrorKind, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        Error,
        client::IntoClientRequest,
        http::{HeaderValue, StatusCode, header::AUTHORIZATION},
        protocol::WebSocketConfig,
    },
};
use url::{Host, Url};

/// A WebSocket to the relay.
pub(super) type RelaySocket = WebSocketStream<Box<dyn Stream>>;

/// Bytes both ways, encrypted or not.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Time for one connection to stand.
const CONNECTING: Duration = Duration::from_secs(15);
/// Longest message of the relay itself, in bytes.
const LONGEST_WORD: usize = 64 << 10;
/// Longest message of a volunteer that comes over a link.
const LONGEST_MESSAGE: usize = 1 << 20;
/// Longest URL of a room.
const LONGEST_URL: usize = 1000;

/// A relay, and what lets this machine use it.
#[derive(Debug, Clone)]
pub(crate) struct RelayClient {
    base: Url,
    secret: String,
    /// Its certificates are checked so; none without TLS.
    tls: Option<Arc<ClientConfig>>,
}

/// Why there is no connection: what happened and what to do.
#[derive(Debug)]
pub(super) struct ConnectError(pub(super) String);

impl RelayClient {
    /// The relay at `address`: a URL; `https` when it names no scheme.
    ///
    /// # Errors
    /// When it is no such address, in words.
    pub(crate) fn new(address: &str, secret: String) -> Result<Self, String> {
        let wrong = |why: &str| {
            format!(
                "--host {address}: {why}: give the relay's address, such as https://pando.example.org"
            )
        };
        let full =
            if address.contains("://") { address.to_owned() } else { format!("https://{address}") };
        let mut base = Url::parse(&full).map_err(|error| wrong(&error.to_string()))?;
        let scheme = match base.scheme() {
            "http" | "ws" => "http",
            "https" | "wss" => "https",
            other => return Err(wrong(&format!("{other:?} is not http or https"))),
        };
        if !base.has_host() {
            return Err(wrong("it names no host"));
        }
        if HeaderValue::from_str(&format!("Bearer {secret}")).is_err() || secret.trim().is_empty() {
            return Err("--secret: it is empty, or has characters that cannot be sent".into());
        }
        // `set_scheme` refuses to leave ws for http.
        base = Url::parse(&full.replacen(base.scheme(), scheme, 1))
            .map_err(|error| wrong(&error.to_string()))?;
        base.set_query(None);
        base.set_fragment(None);
        // It is printed; and a relay takes no name and password.
        let _ = (base.set_username(""), base.set_password(None));
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        let tls = (scheme == "https").then(trust).transpose()?;
        Ok(Self { base, secret, tls })
    }

    /// Its address, as this machine knows it.
    pub(super) fn address(&self) -> &str {
        self.base.as_str()
    }

    /// Where volunteers find the room at `token`: where the relay says, unless that is no such place.
    pub(super) fn room(&self, said: &str, token: &str) -> String {
        let is_fine = |url: &Url| {
            matches!(url.scheme(), "http" | "https")
                && url.path().ends_with(&format!("/{token}/"))
                && [url.query(), url.fragment(), url.password()].iter().all(Option::is_none)
                && url.username().is_empty()
        };
        let said = Some(said)
            .filter(|said| said.len() <= LONGEST_URL)
            .and_then(|said| Url::parse(said).ok())
            .filter(is_fine);
        said.map_or_else(|| format!("{}{token}/", self.base), String::from)
    }

    /// Whether browsers keep some things from its pages.
    pub(super) fn is_insecure(&self) -> bool {
        self.tls.is_none() && !crate::server::is_loopback(self.base.host_str().unwrap_or_default())
    }

    /// Opens a control socket.
    pub(super) async fn control(&self) -> Result<RelaySocket, ConnectError> {
        self.connect("rooms", &self.secret, LONGEST_WORD).await
    }

    /// Opens this machine's end of a link.
    pub(super) async fn link(
        &self,
        token: &str,
        id: &LinkId,
        key: &str,
    ) -> Result<RelaySocket, ConnectError> {
        self.connect(&format!("rooms/{token}/links/{}", id.as_str()), key, LONGEST_MESSAGE).await
    }

    async fn connect(
        &self,
        path: &str,
        bearer: &str,
        longest: usize,
    ) -> Result<RelaySocket, ConnectError> {
        match timeout(CONNECTING, self.handshake(path, bearer, longest)).await {
            Ok(Ok(socket)) => Ok(socket),
            Ok(Err(Obstacle::Words(text))) => Err(ConnectError(text)),
            Ok(Err(Obstacle::WebSocket(error))) => Err(ConnectError(self.explain(&error).await)),
            Err(_) => Err(ConnectError(self.silence().await)),
        }
    }

    async fn handshake(
        &self,
        path: &str,
        bearer: &str,
        longest: usize,
    ) -> Result<RelaySocket, Obstacle> {
        let stream = self.stream().await.map_err(Obstacle::Words)?;
        let address = self.base.join(path).map_err(|error| Obstacle::Words(error.to_string()))?;
        let mut request = address
            .as_str()
            .replacen("http", "ws", 1)
            .into_client_request()
            .map_err(Obstacle::WebSocket)?;
        let mut value = HeaderValue::from_str(&format!("Bearer {bearer}"))
            .map_err(|error| Obstacle::Words(error.to_string()))?;
        value.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, value);
        let config = WebSocketConfig::default()
            .read_buffer_size(16 * 1024)
            .write_buffer_size(16 * 1024)
            .max_write_buffer_size(4 << 20)
            .max_message_size(Some(longest))
            .max_frame_size(Some(longest));
        let connected = client_async_with_config(request, stream, Some(config)).await;
        connected.map(|(socket, _)| socket).map_err(Obstacle::WebSocket)
    }

    /// A connection to the relay, through a proxy where there is one, encrypted where its address says so.
    async fn stream(&self) -> Result<Box<dyn Stream>, String> {
        let plain = match proxy_for(&self.base, |name| std::env::var(name).ok())? {
            Some(proxy) => tunnel(&proxy, &self.base).await?,
            None => self.tcp().await?,
        };
        let _ = plain.set_nodelay(true);
        let Some(tls) = &self.tls else { return Ok(Box::new(plain)) };
        let name = ServerName::try_from(host(&self.base))
            .map_err(|error| format!("{}: {error}", self.base))?;
        match TlsConnector::from(tls.clone()).connect(name, plain).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error)
                if error
                    .get_ref()
                    .is_some_and(|inner| inner.to_string().contains("certificate")) =>
            {
                Err(format!(
                    "the relay at {} has a certificate that this machine does not trust ({error}): fix it, or set SSL_CERT_FILE to its authority's certificate",
                    self.base
                ))
            }
            Err(error) => Err(format!(
                "the relay at {} speaks no TLS ({error}): is its address http instead of https?",
                self.base
            )),
        }
    }

    async fn tcp(&self) -> Result<TcpStream, String> {
        let name = host(&self.base);
        let stream =
            TcpStream::connect((&*name, self.base.port_or_known_default().unwrap_or(443))).await;
        stream.map_err(|error| match error.kind() {
            ErrorKind::ConnectionRefused => {
                format!("no relay runs at {} (connection refused): see that it is started, and its port", self.base)
            }
            _ => format!(
                "the relay at {} cannot be reached ({error}): see its name, and whether this machine is on line",
                self.base
            ),
        })
    }

    async fn explain(&self, error: &Error) -> String {
        let base = &self.base;
        match error {
            Error::Http(answer) if answer.status() == StatusCode::UNAUTHORIZED => {
                format!("the relay at {base} refuses this --secret: ask its operator for one")
            }
            Error::Http(answer) if answer.status() == StatusCode::TOO_MANY_REQUESTS => {
                format!(
                    "the relay at {base} has too many wrong secrets or requests from this address: see --secret, and try again in a minute"
                )
            }
            Error::Http(answer)
                if answer.status() == StatusCode::NOT_FOUND && !self.is_relay().await =>
            {
                format!(
                    "there is no Pando relay at {base} (it answered {}): see the address",
                    answer.status()
                )
            }
            Error::Http(answer) if answer.status().is_server_error() => {
                format!(
                    "the relay at {base} is not there at the moment (it answered {}): try again later",
                    answer.status()
                )
            }
            _ if self.is_relay().await => format!("{} ({error})", self.blocked()),
            _ => format!("the relay at {base} cannot be used ({error})"),
        }
    }

    async fn silence(&self) -> String {
        if self.is_relay().await {
            return self.blocked();
        }
        format!(
            "the relay at {} does not answer: see its address, and whether this machine is on line",
            self.base
        )
    }

    fn blocked(&self) -> String {
        let remedy =
            if self.base.scheme() == "http" { ", or a relay with TLS (https)" } else { "" };
        format!(
            "the relay at {} answers, but this network blocks WebSockets: use another network{remedy}",
            self.base
        )
    }

    /// Whether the relay answers a plain request. Asked only to explain an upgrade that failed; TLS is not looked into.
    async fn is_relay(&self) -> bool {
        let ask = async {
            let mut stream = self.stream().await.ok()?;
            let host = self.base.authority();
            let request = format!(
                "GET {}healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n",
                self.base.path()
            );
            stream.write_all(request.as_bytes()).await.ok()?;
            let mut answer = String::new();
            stream.take(4096).read_to_string(&mut answer).await.ok()?;
            Some(answer.starts_with("HTTP/1.1 200") && answer.contains("\"rooms\""))
        };
        matches!(timeout(Duration::from_secs(5), ask).await, Ok(Some(true)))
    }
}

/// A URL's host, as the system's resolver takes it.
fn host(url: &Url) -> String {
    match url.host() {
        Some(Host::Ipv6(address)) => address.to_string(),
        Some(host) => host.to_string(),
        None => String::new(),
    }
}

/// Trusts what this system trusts, and what browsers do: a fresh machine may have no certificates of its own.
fn trust() -> Result<Arc<ClientConfig>, String> {
    let mut roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions();
    let config = config.map_err(|error| format!("TLS cannot be used: {error}"))?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

/// What stands between this machine and a WebSocket.
enum Obstacle {
    Words(String),
    WebSocket(Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(address: &str) -> Result<String, String> {
        RelayClient::new(address, "s".into()).map(|relay| relay.base.to_string())
    }

    #[test]
    fn addresses() {
        assert_eq!(base("pando.example.org").unwrap(), "https://pando.example.org/");
        assert_eq!(base("http://10.0.0.1:8080").unwrap(), "http://10.0.0.1:8080/");
        assert_eq!(base("wss://example.org/pando?x#y").unwrap(), "https://example.org/pando/");
        assert_eq!(
            base("http://me:secret@example.org/pando").unwrap(),
            "http://example.org/pando/"
        );
        assert!(base("ftp://example.org").unwrap_err().contains("http"));
        assert!(base("https://").is_err());
        assert!(RelayClient::new("example.org", " ".into()).is_err());
        assert!(RelayClient::new("example.org", "line\nline".into()).is_err());
    }
    #[test]
    fn a_room_is_where_the_relay_says_unless_that_is_no_such_place() {
        let relay = RelayClient::new("http://example.org/pando", "s".into()).unwrap();
        for fine in
            ["https://other.example.org/below/k7d2m9qx4t/", "http://10.0.0.1:8080/k7d2m9qx4t/"]
        {
            assert_eq!(relay.room(fine, "k7d2m9qx4t"), fine);
        }
        let long = format!("https://example.org/{}/k7d2m9qx4t/", "a".repeat(1000));
        for wrong in [
            "",
            "nonsense",
            "ftp://example.org/k7d2m9qx4t/",
            "javascript:alert(1)//k7d2m9qx4t/",
            "https://example.org/other/",
            "https://example.org/k7d2m9qx4t/?x",
            "https://example.org/#/k7d2m9qx4t/",
            "https://example.org@evil.example/k7d2m9qx4t/",
            &long,
        ] {
            assert_eq!(
                relay.room(wrong, "k7d2m9qx4t"),
                "http://example.org/pando/k7d2m9qx4t/",
                "{wrong}"
            );
        }
    }
}
