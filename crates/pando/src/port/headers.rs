//! What browsers are told of a page and its scripts: what may run in them, what they may reach, and who may show them.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// What holds wherever a page is shown.
const ALWAYS: &str = "object-src 'none'; base-uri 'none'; frame-ancestors 'none'";
/// A relay's page is a stranger even to its own origin, which it shares with all other rooms.
const SANDBOX: &str = "sandbox allow-scripts allow-forms allow-modals allow-popups allow-downloads; ";
/// Of no use to a page that only shows numbers.
const NO_DEVICES: &str =
    "camera=(), microphone=(), geolocation=(), display-capture=(), midi=(), payment=(), usb=(), serial=(), hid=()";

/// Whether a function may reach the network from a tab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Network {
    /// All of it.
    Open,
    /// Only the server that its page comes from.
    Closed,
}

/// The rules of one server's files.
#[derive(Debug)]
pub(crate) struct Policy {
    /// The server itself, as sources of a content security policy.
    own: String,
    network: Network,
    sandbox: bool,
}

impl Policy {
    /// For the server that is known as `authority`: host and port.
    pub(crate) fn new(authority: &str, network: Network) -> Self {
        // Older browsers do not take `'self'` for its WebSockets too; addresses in brackets are no sources.
        let is_source = |c: char| c.is_ascii_alphanumeric() || ".-_:".contains(c);
        let named = !authority.is_empty() && authority.chars().all(is_source);
        let own = if named { format!("'self' http://{authority} ws://{authority}") } else { "'self'".into() };
        Self { own, network, sandbox: false }
    }

    /// For a page that shares its origin with those of others.
    #[cfg(feature = "relay")]
    pub(crate) fn sandboxed(self) -> Self {
        Self { sandbox: true, ..self }
    }

    /// Where the function runs, and in what it starts: what npm packages need is possible.
    pub(crate) fn function(&self) -> String {
        let sandbox = if self.sandbox { SANDBOX } else { "" };
        let sources = match self.network {
            Network::Open => "default-src * data: blob: ws: wss: 'unsafe-inline' 'unsafe-eval'".to_owned(),
            Network::Closed => {
                let own = &self.own;
                format!("default-src {own} data: blob: 'unsafe-inline' 'unsafe-eval'; frame-src 'none'; form-action 'none'")
            }
        };
        format!("{sandbox}{sources}; {ALWAYS}")
    }

    /// A page in which no function runs, whose style is `style`: a hash such as `'sha256-…'`.
    #[cfg(feature = "master")]
    pub(crate) fn page(&self, style: &str) -> String {
        let own = &self.own;
        format!(
            "default-src 'none'; script-src {own}; style-src {style}; img-src data:; connect-src {own}; worker-src {own}; \
             child-src {own}; frame-src 'none'; form-action 'none'; {ALWAYS}"
        )
    }

    /// Sets the headers of a file to which `content_policy` applies; `devices`: it may ask a person for a camera and the like.
    pub(crate) fn set(&self, headers: &mut HeaderMap, content_policy: &str, devices: bool) {
        let value = HeaderValue::from_str(content_policy).expect("only letters of host names were put into it");
        headers.insert(header::CONTENT_SECURITY_POLICY, value);
        if !devices {
            headers.insert(HeaderName::from_static("permissions-policy"), HeaderValue::from_static(NO_DEVICES));
        }
        if self.network == Network::Closed {
            headers.insert(header::X_DNS_PREFETCH_CONTROL, HeaderValue::from_static("off"));
        }
        always(headers);
    }
}

/// Sets what is true of every answer.
pub(crate) fn always(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_brings_nothing_into_the_policy_but_itself() {
        let closed = |authority: &str| Policy::new(authority, Network::Closed).function();
        assert!(closed("192.168.1.2:5000").contains("default-src 'self' http://192.168.1.2:5000 ws://192.168.1.2:5000 data:"));
        for odd in ["[::1]:5000", "", "a.local; script-src *", "a b", "x\r\ny"] {
            assert!(closed(odd).starts_with("default-src 'self' data: blob:"), "{odd}");
        }
    }
}
