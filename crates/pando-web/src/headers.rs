//! What browsers are told of a page and its scripts: what may run in them, what they may reach, and who may show them.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// What holds wherever a page is shown.
const ALWAYS: &str = "object-src 'none'; base-uri 'none'; frame-ancestors 'none'";
/// What a page in a sandbox may do all the same.
const SANDBOX: &str = "sandbox allow-scripts allow-forms allow-modals";
/// Windows and downloads reach other servers.
const OPEN_SANDBOX: &str = " allow-popups allow-downloads";
/// Of no use to a page that only shows numbers.
const NO_DEVICES: &str =
    "camera=(), microphone=(), geolocation=(), display-capture=(), midi=(), payment=(), usb=(), serial=(), hid=()";
/// The first version of Chromium that is known to hold a worker to the policy of its script: in version 92 a worker has the
/// policy of its page.
const WORKERS_OWN_POLICY: u32 = 103;
/// The first version of Chromium that knows `Connection-Allowlist`.
const ALLOWLIST: u32 = 152;

/// Whether a function may reach the network from a tab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// All of it.
    Open,
    /// Only the server that its page comes from.
    Closed,
}

/// The rules of one server's files, for one browser.
#[derive(Debug)]
pub struct Policy {
    /// The server itself, as sources of a content security policy.
    own: String,
    network: Network,
    /// The function runs in the page.
    dom: bool,
    /// The page shares its origin with those of others.
    shared: bool,
    /// Version of Chromium, where the browser is made from that.
    chromium: Option<u32>,
}

impl Policy {
    /// For the server that is known as `authority`: host and port. `dom`: the function runs in the page.
    pub fn new(authority: &str, network: Network, dom: bool) -> Self {
        // Older browsers do not take `'self'` for its WebSockets too; addresses in brackets are no sources.
        let is_source = |c: char| c.is_ascii_alphanumeric() || ".-_:".contains(c);
        let named = !authority.is_empty() && authority.chars().all(is_source);
        let own = if named { format!("'self' http://{authority} ws://{authority}") } else { "'self'".into() };
        Self { own, network, dom, shared: false, chromium: None }
    }

    /// For the browser that sent a request with these headers.
    pub fn asked_by(self, request: &HeaderMap) -> Self {
        let agent = request.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
        let version = agent.split_once("Chrome/").and_then(|(_, rest)| rest.split('.').next()?.parse().ok());
        Self { chromium: version, ..self }
    }

    /// For a page that shares its origin with those of others: it is a stranger even to that origin.
    pub fn shared(self) -> Self {
        Self { shared: true, ..self }
    }

    /// For the page. Where no function runs in it, and workers do not go by its policy, it may do almost nothing; `style` is its
    /// style then: a hash such as `'sha256-…'`.
    pub fn page(&self, style: &str) -> String {
        let own = &self.own;
        if !self.dom && !self.shared && self.chromium.is_none_or(|version| version >= WORKERS_OWN_POLICY) {
            return format!(
                "default-src 'none'; script-src {own}; style-src {style}; img-src data:; connect-src {own}; worker-src {own}; \
                 child-src {own}; frame-src 'none'; form-action 'none'; {ALWAYS}"
            );
        }
        let closed = self.network == Network::Closed;
        let mut policy = self.script();
        if self.shared || closed {
            let origin = if self.shared { "" } else { " allow-same-origin" };
            let open = if closed { "" } else { OPEN_SANDBOX };
            policy = format!("{SANDBOX}{origin}{open}; {policy}");
        }
        if closed && self.dom {
            // A shared worker from a `data:` address goes by no policy in some browsers.
            policy += &format!("; worker-src {own} blob:; child-src {own} blob:");
            if self.chromium.is_some_and(|version| version < ALLOWLIST) {
                // Speculation rules are inline scripts, and go by no other rule.
                policy += &format!("; script-src-elem {own} data: blob:");
            }
        }
        policy
    }

    /// For scripts, in whose workers the function runs: what npm packages need is possible.
    pub fn script(&self) -> String {
        let own = &self.own;
        let sources = match self.network {
            Network::Open => "default-src * data: blob: ws: wss: 'unsafe-inline' 'unsafe-eval'".to_owned(),
            Network::Closed => {
                format!("default-src {own} data: blob: 'unsafe-inline' 'unsafe-eval'; frame-src 'none'; form-action 'none'")
            }
        };
        format!("{sources}; {ALWAYS}")
    }

    /// Sets the headers of a file to which `content_policy` applies.
    pub fn set(&self, headers: &mut HeaderMap, content_policy: &str) {
        let mut set = |name, value: &str| {
            let value = HeaderValue::from_str(value).expect("only letters of host names were put into it");
            headers.insert(HeaderName::from_static(name), value);
        };
        set("content-security-policy", content_policy);
        // A function in the page may ask a person for a camera and the like.
        if !self.dom {
            set("permissions-policy", NO_DEVICES);
        }
        if self.network == Network::Closed {
            set("x-dns-prefetch-control", "off");
            // A page without a function in it may have peer connections: they are ours.
            set("connection-allowlist", if self.dom { "(response-origin)" } else { "(response-origin);webrtc=allow" });
        }
        always(headers);
    }
}

/// What is answered to a browser that [`stays`] would be true of.
pub const STAYS: &str = "A service worker would stay when the run has ended.";

/// Whether a browser asks for the script of a service worker.
pub fn stays(request: &HeaderMap) -> bool {
    request.contains_key("service-worker")
}

/// Sets what is true of every answer.
pub fn always(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closed(authority: &str) -> Policy {
        Policy::new(authority, Network::Closed, false)
    }

    #[test]
    fn a_host_brings_nothing_into_the_policy_but_itself() {
        let policy = closed("192.168.1.2:5000").script();
        assert!(policy.contains("default-src 'self' http://192.168.1.2:5000 ws://192.168.1.2:5000 data:"));
        for odd in ["[::1]:5000", "", "a.local; script-src *", "a b", "x\r\ny"] {
            assert!(closed(odd).script().starts_with("default-src 'self' data: blob:"), "{odd}");
        }
    }

    #[test]
    fn a_page_is_strict_where_its_workers_have_a_policy_of_their_own() {
        let policy = |agent: &str| {
            let request = HeaderMap::from_iter([(header::USER_AGENT, HeaderValue::from_str(agent).unwrap())]);
            closed("a.local").asked_by(&request).page("'sha256-x'")
        };
        for old in ["Mozilla/5.0 (X11) HeadlessChrome/71.0.3563.0 Safari/537.36", "Chrome/92.0", "Chrome/102.0.1 Edg/102"] {
            assert_eq!(policy(old), format!("{SANDBOX} allow-same-origin; {}", closed("a.local").script()), "{old}");
        }
        for new in ["", "Chrome/103.0", "Chrome/156.0.0.0 Mobile", "Version/12.1 Safari/604.1", "Firefox/79.0", "Chrome/x"] {
            assert!(policy(new).starts_with("default-src 'none'; script-src 'self' "), "{new}");
        }
    }
}
