//! The names that a request's `Host` may have. DNS rebinding lets a foreign page reach this
//! machine under the page's own name.

use axum::http::HeaderValue;
use std::net::IpAddr;

/// The names of this machine, besides IP addresses, `localhost` and `*.local`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hosts(Vec<String>);

impl Hosts {
    /// This machine's own name and the names given by `--allow-host`.
    pub(crate) fn new(allowed: &[String]) -> Self {
        let own = gethostname::gethostname().to_string_lossy().into_owned();
        let mut names = vec![own.clone()];
        names.extend(own.split('.').next().map(str::to_owned));
        names.extend(allowed.iter().cloned());
        Self(
            names
                .into_iter()
                .map(|name| name.trim_end_matches('.').to_ascii_lowercase())
                .filter(|name| !name.is_empty())
                .collect(),
        )
    }

    /// All names.
    pub(crate) fn names(&self) -> impl Iterator<Item = String> {
        self.0.iter().cloned()
    }

    pub(crate) fn allows(&self, host: Option<&HeaderValue>) -> bool {
        let Some(name) = host.and_then(|host| host.to_str().ok()).map(without_port) else {
            return false;
        };
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
            || name == "localhost"
            || name.ends_with(".localhost")
            || name.ends_with(".local")
            || self.0.contains(&name)
    }
}

/// `name:port` or `[address]:port` without the port.
pub(super) fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port))
            if port.bytes().all(|b| b.is_ascii_digit())
                && (!name.contains(':') || name.ends_with(']')) =>
        {
            name
        }
        _ => host,
    }
}

/// Whether a request comes from a page of another site: whether its `origin` is another than
/// `host`. A request without an origin is not foreign, because clients other than browsers name
/// none.
pub(crate) fn is_foreign(origin: Option<&HeaderValue>, host: Option<&HeaderValue>) -> bool {
    let Some(origin) = origin else { return false };
    let (Ok(origin), Some(Ok(host))) = (origin.to_str(), host.map(HeaderValue::to_str)) else {
        return true;
    };
    let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    authority.is_none_or(|authority| !authority.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &'static str) -> Option<HeaderValue> {
        Some(HeaderValue::from_static(text))
    }

    #[test]
    fn names_of_this_machine_and_addresses_are_allowed() {
        let hosts = Hosts::new(&["Pando.Example.org".into()]);
        for fine in [
            "127.0.0.1:5000",
            "192.168.1.2",
            "[::1]:5000",
            "[fe80::1]",
            "localhost:80",
            "mac.local:5000",
            "pando.example.org:1",
            "LOCALHOST",
        ] {
            assert!(hosts.allows(value(fine).as_ref()), "{fine}");
        }
        for foreign in [
            "evil.example",
            "evil.example:5000",
            "localhost.evil.example",
            "1.2.3.4.evil.example",
            "",
        ] {
            assert!(!hosts.allows(value(foreign).as_ref()), "{foreign}");
        }
        assert!(!hosts.allows(None));
    }

    #[test]
    fn a_foreign_origin_is_refused() {
        let host = value("192.168.1.2:5000");
        assert!(!is_foreign(None, host.as_ref()));
        assert!(!is_foreign(value("http://192.168.1.2:5000").as_ref(), host.as_ref()));
        assert!(is_foreign(value("http://evil.example").as_ref(), host.as_ref()));
        assert!(is_foreign(value("null").as_ref(), host.as_ref()));
    }
}
