//! Connections to the relay, and why there is none, in words.

use pando_client::{ConnectError as Unconnected, SocketError, WebServer, WebSocket};
use pando_protocol::relay::LinkId;
use std::time::Duration;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{
    Error,
    http::{HeaderValue, StatusCode},
};
use url::Url;

/// A WebSocket to the relay.
pub(super) type RelaySocket = WebSocket;

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
    server: WebServer,
    secret: String,
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
        Ok(Self { server: WebServer::new(base)?, secret })
    }

    /// Its address, as this machine knows it.
    pub(super) fn address(&self) -> &str {
        self.base().as_str()
    }

    fn base(&self) -> &Url {
        self.server.base()
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
        said.map_or_else(|| format!("{}{token}/", self.base()), String::from)
    }

    /// Whether browsers keep some things from its pages.
    pub(super) fn is_insecure(&self) -> bool {
        !self.server.is_encrypted()
            && !crate::server::is_loopback(self.base().host_str().unwrap_or_default())
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
        match timeout(CONNECTING, self.server.socket(path, Some(bearer), longest)).await {
            Ok(Ok(socket)) => Ok(socket),
            Ok(Err(SocketError::Connect(error))) => Err(ConnectError(self.unconnected(&error))),
            Ok(Err(SocketError::Request(text))) => Err(ConnectError(text)),
            Ok(Err(SocketError::Upgrade(error))) => Err(ConnectError(self.explain(&error).await)),
            Err(_) => Err(ConnectError(self.silence().await)),
        }
    }

    fn unconnected(&self, error: &Unconnected) -> String {
        let base = self.base();
        match error {
            Unconnected::Proxy(text) => text.clone(),
            Unconnected::Refused => format!(
                "no relay runs at {base} (connection refused): see that it is started, and its port"
            ),
            Unconnected::Unreachable(error) => format!(
                "the relay at {base} cannot be reached ({error}): see its name, and whether this machine is on line"
            ),
            Unconnected::Certificate(error) => format!(
                "the relay at {base} has a certificate that this machine does not trust ({error}): fix it, or set SSL_CERT_FILE to its authority's certificate"
            ),
            Unconnected::NoTls(error) => format!(
                "the relay at {base} speaks no TLS ({error}): is its address http instead of https?"
            ),
        }
    }

    async fn explain(&self, error: &Error) -> String {
        let base = self.base();
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
            self.base()
        )
    }

    fn blocked(&self) -> String {
        let remedy =
            if self.base().scheme() == "http" { ", or a relay with TLS (https)" } else { "" };
        format!(
            "the relay at {} answers, but this network blocks WebSockets: use another network{remedy}",
            self.base()
        )
    }

    /// Whether the relay answers a plain request. Asked only to explain an upgrade that failed.
    async fn is_relay(&self) -> bool {
        let health = self.server.get("healthz", LONGEST_WORD);
        match timeout(Duration::from_secs(5), health).await {
            Ok(Ok(answer)) => {
                answer.is_ok() && answer.content.windows(7).any(|bytes| bytes == b"\"rooms\"")
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(address: &str) -> Result<String, String> {
        RelayClient::new(address, "s".into()).map(|relay| relay.base().to_string())
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
