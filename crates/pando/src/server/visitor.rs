//! Facts about the page of a request: whether browsers trust the origin, and the name of the
//! browser.

use super::hosts::without_port;
use crate::master::Page;
use axum::http::{HeaderMap, header};
use std::net::IpAddr;

/// The words in browsers' own names, and the names for people. Browsers whose text contains other
/// browsers' words come first.
const BROWSERS: [(&str, &str); 8] = [
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Chromium/", "Chrome"),
    ("Version/", "Safari"),
];

/// The words of operating systems, and their names for people. Systems whose text contains other
/// systems' words come first.
const SYSTEMS: [(&str, &str); 7] = [
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
];

/// The page whose script sent `headers`.
pub(super) fn page(headers: &HeaderMap) -> Page {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // A proxy may terminate TLS in front of this server, so only the origin of the page counts.
    let insecure =
        text(header::ORIGIN).strip_prefix("http://").is_some_and(|host| !is_loopback(host));
    let agent = text(header::USER_AGENT);
    Page { insecure, browser: browser(agent), system: system(agent) }
}

/// Whether `host` is a loopback name or address.
pub(crate) fn is_loopback(host: &str) -> bool {
    let name = without_port(host).trim_end_matches('.').to_ascii_lowercase();
    let address = name.trim_matches(['[', ']']).parse();
    name == "localhost"
        || name.ends_with(".localhost")
        || address.is_ok_and(|address: IpAddr| address.is_loopback())
}

fn browser(agent: &str) -> Option<String> {
    BROWSERS.iter().find_map(|(word, name)| {
        let version: String =
            agent.split_once(word)?.1.chars().take_while(char::is_ascii_digit).take(6).collect();
        Some(format!("{name} {version}").trim_end().to_owned())
    })
}

fn system(agent: &str) -> Option<&'static str> {
    SYSTEMS.iter().find(|(word, _)| agent.contains(word)).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn of(origin: &'static str, agent: &'static str) -> Page {
        let mut headers = HeaderMap::new();
        headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
        headers.insert(header::USER_AGENT, HeaderValue::from_static(agent));
        page(&headers)
    }

    #[test]
    fn pages_over_http_from_another_machine_are_insecure() {
        for secure in [
            "https://192.168.1.2:5000",
            "http://127.0.0.1:5000",
            "http://[::1]:5000",
            "http://localhost",
            "http://a.localhost:1",
        ] {
            assert!(!of(secure, "").insecure, "{secure}");
        }
        for insecure in [
            "http://192.168.1.2:5000",
            "http://lan.test",
            "http://[fe80::1]:5000",
            "http://localhost.example.org",
        ] {
            assert!(of(insecure, "").insecure, "{insecure}");
        }
        assert!(!page(&HeaderMap::new()).insecure, "no browser");
    }

    #[test]
    fn browsers_are_known_by_name_and_version() {
        let of = |agent| of("", agent).browser.unwrap_or_default();
        let chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/71.0.3578.80 Safari/537.36";
        assert_eq!(of(chrome), "Chrome 71");
        assert_eq!(
            of("Mozilla/5.0 (X11; Linux x86_64; rv:79.0) Gecko/20100101 Firefox/79.0"),
            "Firefox 79"
        );
        let safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 12_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.1 Mobile/15E148 Safari/604.1";
        assert_eq!(of(safari), "Safari 12");
        assert_eq!(of("curl/8"), "");
    }

    #[test]
    fn systems_are_known_by_name() {
        let of = |agent| of("", agent).system;
        assert_eq!(of("Mozilla/5.0 (Linux; Android 14; K) Chrome/156.0.0.0"), Some("Android"));
        assert_eq!(of("Mozilla/5.0 (iPhone; CPU iPhone OS 12_2 like Mac OS X)"), Some("iPhone"));
        assert_eq!(of("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"), Some("macOS"));
        assert_eq!(of("curl/8"), None);
    }
}
