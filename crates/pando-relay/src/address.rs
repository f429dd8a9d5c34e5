//! The client of a request, and the address under which clients know the relay.

use axum::http::{HeaderMap, HeaderName, header};
use std::net::{IpAddr, SocketAddr};

/// A public address of the relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayAddress {
    /// The URL without a slash at its end, such as `https://relay.example.org`.
    pub url: String,
    /// The name or address in the URL; IPv6 in brackets.
    pub host: String,
}

impl RelayAddress {
    /// Parses a URL: `http://` or `https://`, a host, perhaps a port and a path.
    pub fn parse(url: &str) -> Result<Self, String> {
        let wrong = || format!("{url:?} is not an address such as https://relay.example.org");
        let url = url.trim().trim_end_matches('/');
        let rest = url
            .strip_prefix("https://")
            .or_else(|| url.strip_prefix("http://"))
            .ok_or_else(wrong)?;
        let authority = rest.split('/').next().unwrap_or_default();
        if url.contains(['?', '#', '"', '<', '>', '\\']) || url.contains(char::is_whitespace) {
            return Err(wrong());
        }
        let host = host(authority).ok_or_else(wrong)?;
        Ok(Self { url: url.into(), host })
    }

    /// Host and port, as in the URL.
    pub(crate) fn authority(&self) -> &str {
        self.url.split('/').nth(2).unwrap_or_default()
    }

    /// The address that a request names. Behind a proxy, the proxy's headers decide.
    pub(crate) fn of(headers: &HeaderMap, tls: bool, behind_proxy: bool) -> Option<Self> {
        let forwarded = |name: &'static str| {
            if behind_proxy { last(headers, &HeaderName::from_static(name)) } else { None }
        };
        let scheme = match forwarded("x-forwarded-proto") {
            Some("https" | "wss") => "https",
            Some("http" | "ws") => "http",
            _ if tls => "https",
            _ => "http",
        };
        let authority =
            forwarded("x-forwarded-host").or_else(|| headers.get(header::HOST)?.to_str().ok())?;
        Some(Self { url: format!("{scheme}://{authority}"), host: host(authority)? })
    }
}

/// The address of the client. Behind a proxy, the address named by the proxy; otherwise, the
/// source address.
pub(crate) fn client(headers: &HeaderMap, from: IpAddr, behind_proxy: bool) -> IpAddr {
    let forwarded = if behind_proxy {
        last(headers, &HeaderName::from_static("x-forwarded-for"))
    } else {
        None
    };
    let named = forwarded.and_then(|text| {
        let bare = text.trim_matches(['[', ']']).parse().ok();
        bare.or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
    });
    named.unwrap_or(from).to_canonical()
}

/// The last of a header's comma-separated values, which the nearest proxy added.
fn last<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let value = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    value.rsplit(',').next().map(str::trim).filter(|value| !value.is_empty())
}

/// The host in `host:port`, if the text is valid.
fn host(authority: &str) -> Option<String> {
    let end = authority
        .rfind(':')
        .filter(|colon| !authority[*colon..].contains(']'))
        .unwrap_or(authority.len());
    let (host, port) = authority.split_at(end);
    let port = port.strip_prefix(':').is_none_or(|port| port.parse::<u16>().is_ok());
    let named = |host: &str| {
        host.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'.' || c == b'-' || c == b'_')
    };
    let fine = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(v6) => v6.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && named(host),
    };
    (port && fine).then(|| host.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        lines
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn urls() {
        let place = RelayAddress::parse("https://Relay.example.org:8443/pando/").unwrap();
        assert_eq!(place.authority(), "Relay.example.org:8443");
        assert_eq!(
            (place.url.as_str(), place.host.as_str()),
            ("https://Relay.example.org:8443/pando", "relay.example.org")
        );
        assert_eq!(RelayAddress::parse("http://[::1]:80").unwrap().host, "[::1]");
        for wrong in [
            "relay.example.org",
            "ftp://a",
            "https://",
            "https://a b",
            "https://a?b",
            "http://a:b",
            "http://[::1",
            "http://a\"b",
        ] {
            assert!(RelayAddress::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_a_proxy_says_counts_only_behind_one() {
        let lines = [
            ("host", "127.0.0.1:8080"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "relay.example.org"),
            ("x-forwarded-for", "6.6.6.6, 8.8.8.8"),
        ];
        let headers = headers(&lines);
        assert_eq!(RelayAddress::of(&headers, false, false).unwrap().url, "http://127.0.0.1:8080");
        assert_eq!(RelayAddress::of(&headers, true, false).unwrap().url, "https://127.0.0.1:8080");
        let place = RelayAddress::of(&headers, false, true).unwrap();
        assert_eq!(
            (place.url.as_str(), place.host.as_str()),
            ("https://relay.example.org", "relay.example.org")
        );
        let from = "10.0.0.1".parse().unwrap();
        assert_eq!(client(&headers, from, false), from);
        assert_eq!(client(&headers, from, true), "8.8.8.8".parse::<IpAddr>().unwrap());
    }

    #[test]
    fn forwarded_addresses_have_several_forms() {
        let from = "10.0.0.1".parse().unwrap();
        let of = |value| client(&headers(&[("x-forwarded-for", value)]), from, true).to_string();
        assert_eq!(of("1.2.3.4:555"), "1.2.3.4");
        assert_eq!(of("2001:db8::1"), "2001:db8::1");
        assert_eq!(of("[2001:db8::1]:80"), "2001:db8::1");
        assert_eq!(of("::ffff:1.2.3.4"), "1.2.3.4");
        assert_eq!(of("unknown"), "10.0.0.1");
        assert_eq!(client(&HeaderMap::new(), from, true), from);
    }

    #[test]
    fn a_request_without_a_sound_host_has_no_place() {
        for host in ["", "a b", "a/b", "a\"onload=", "a:b"] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            assert!(RelayAddress::of(&headers, false, false).is_none(), "{host}");
        }
        assert!(RelayAddress::of(&HeaderMap::new(), false, false).is_none());
    }
}
