//! The headers with which browsers restrict a page and its scripts: which code may run, which
//! servers are reachable, and which pages may embed the page.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// Rules for every page.
const ALWAYS: &str = "object-src 'none'; base-uri 'none'; frame-ancestors 'none'";
/// Permissions of a page in a sandbox.
const SANDBOX: &str = "sandbox allow-scripts allow-forms allow-modals";
/// Further permissions without --deny-net, because windows and downloads reach other servers.
const OPEN_SANDBOX: &str = " allow-popups allow-downloads";
/// Devices that a page which only shows numbers does not need.
const NO_DEVICES: &str = "camera=(), microphone=(), geolocation=(), display-capture=(), midi=(), payment=(), usb=(), serial=(), hid=()";
/// The first version of Chromium known to apply a script's policy to its worker. In version 92, a
/// worker has the policy of its page.
const WORKERS_OWN_POLICY: u32 = 103;
/// The first version of Chromium that supports `Connection-Allowlist`.
const ALLOWLIST: u32 = 152;

/// Whether a function may reach the network from a tab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// The whole network.
    Open,
    /// Only the server of the page.
    Closed,
}

/// The rules for the files of a server, in a particular browser.
#[derive(Debug)]
pub struct Policy {
    /// The server itself, as sources of a content security policy.
    own: String,
    network: Network,
    /// Whether the function runs in the page.
    dom: bool,
    /// Whether the page shares its origin with pages of other runs.
    shared: bool,
    /// The version of Chromium, if the browser is based on it.
    chromium: Option<u32>,
}

impl Policy {
    /// The policy for a server known as `authority` (host and port). `dom`: whether the function
    /// runs in the page.
    pub fn new(authority: &str, network: Network, dom: bool) -> Self {
        // In older browsers, `'self'` does not include WebSockets. Addresses in brackets are not
        // valid sources.
        let is_source = |c: char| c.is_ascii_alphanumeric() || ".-_:".contains(c);
        let named = !authority.is_empty() && authority.chars().all(is_source);
        let own = if named {
            format!("'self' http://{authority} ws://{authority}")
        } else {
            "'self'".into()
        };
        Self { own, network, dom, shared: false, chromium: None }
    }

    /// The policy for a browser, known by the headers of its request.
    pub fn asked_by(self, request: &HeaderMap) -> Self {
        let agent = request
            .get(header::USER_AGENT)
            .and_then(|agent| agent.to_str().ok())
            .unwrap_or_default();
        let version =
            agent.split_once("Chrome/").and_then(|(_, rest)| rest.split('.').next()?.parse().ok());
        Self { chromium: version, ..self }
    }

    /// The policy for a page on an origin shared with other runs. The page gets an opaque origin
    /// instead of the shared one.
    pub fn shared(self) -> Self {
        Self { shared: true, ..self }
    }

    /// The content security policy of the page. If no function runs in the page, and workers have
    /// their own policy, then the page may do almost nothing; `style` is the source for its style,
    /// a hash such as `'sha256-…'`.
    pub fn page(&self, style: &str) -> String {
        let own = &self.own;
        if !self.dom
            && !self.shared
            && self.chromium.is_none_or(|version| version >= WORKERS_OWN_POLICY)
        {
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
            // In some browsers no policy applies to a shared worker from a `data:` address.
            policy += &format!("; worker-src {own} blob:; child-src {own} blob:");
            if self.chromium.is_some_and(|version| version < ALLOWLIST) {
                // Speculation rules are inline scripts; no other directive covers them.
                policy += &format!("; script-src-elem {own} data: blob:");
            }
        }
        policy
    }

    /// The content security policy of scripts, for the workers in which the function runs. It
    /// permits everything needed by npm packages.
    pub fn script(&self) -> String {
        let own = &self.own;
        let sources = match self.network {
            Network::Open => {
                "default-src * data: blob: ws: wss: 'unsafe-inline' 'unsafe-eval'".to_owned()
            }
            Network::Closed => {
                format!(
                    "default-src {own} data: blob: 'unsafe-inline' 'unsafe-eval'; frame-src 'none'; form-action 'none'"
                )
            }
        };
        format!("{sources}; {ALWAYS}")
    }

    /// Sets the headers of a file with the content security policy `content_policy`.
    pub fn set(&self, headers: &mut HeaderMap, content_policy: &str) {
        let mut set = |name, value: &str| {
            let value =
                HeaderValue::from_str(value).expect("only letters of host names were put into it");
            headers.insert(HeaderName::from_static(name), value);
        };
        set("content-security-policy", content_policy);
        // A function in the page may ask for a camera and other devices.
        if !self.dom {
            set("permissions-policy", NO_DEVICES);
        }
        if self.network == Network::Closed {
            set("x-dns-prefetch-control", "off");
            // A page without a function may have peer connections, because Pando's own code opens
            // them.
            set(
                "connection-allowlist",
                if self.dom { "(response-origin)" } else { "(response-origin);webrtc=allow" },
            );
        }
        always(headers);
    }
}

/// The answer to a request for which [`requests_service_worker`] is true.
pub const NO_SERVICE_WORKER: &str = "A service worker would stay when the run has ended.";

/// Whether a browser requests the script of a service worker.
pub fn requests_service_worker(request: &HeaderMap) -> bool {
    request.contains_key("service-worker")
}

/// Sets the headers of every answer.
pub fn always(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex"));
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
        assert!(
            policy
                .contains("default-src 'self' http://192.168.1.2:5000 ws://192.168.1.2:5000 data:")
        );
        for odd in ["[::1]:5000", "", "a.local; script-src *", "a b", "x\r\ny"] {
            assert!(closed(odd).script().starts_with("default-src 'self' data: blob:"), "{odd}");
        }
    }

    #[test]
    fn a_page_is_strict_where_its_workers_have_a_policy_of_their_own() {
        let policy = |agent: &str| {
            let request =
                HeaderMap::from_iter([(header::USER_AGENT, HeaderValue::from_str(agent).unwrap())]);
            closed("a.local").asked_by(&request).page("'sha256-x'")
        };
        for old in [
            "Mozilla/5.0 (X11) HeadlessChrome/71.0.3563.0 Safari/537.36",
            "Chrome/92.0",
            "Chrome/102.0.1 Edg/102",
        ] {
            assert_eq!(
                policy(old),
                format!("{SANDBOX} allow-same-origin; {}", closed("a.local").script()),
                "{old}"
            );
        }
        for new in [
            "",
            "Chrome/103.0",
            "Chrome/156.0.0.0 Mobile",
            "Version/12.1 Safari/604.1",
            "Firefox/79.0",
            "Chrome/x",
        ] {
            assert!(policy(new).starts_with("default-src 'none'; script-src 'self' "), "{new}");
        }
    }
}
