//! Proxies on the way to the relay, as the environment names them: `HTTPS_PROXY`, `HTTP_PROXY` and `ALL_PROXY`, unless `NO_PROXY`
//! lists the host. They are asked for a tunnel (`CONNECT`), which WebSockets need.

use base64::{Engine, prelude::BASE64_STANDARD};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use url::{Host, Url};

/// Longest answer to a CONNECT, in bytes.
const LONGEST_ANSWER: usize = 16 * 1024;

/// The proxy for `target`, where `variable` gives the environment's variables.
pub(super) fn proxy_for(target: &Url, variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    let set = |name: &str| {
        variable(&name.to_lowercase())
            .or_else(|| variable(name))
            .filter(|value| !value.trim().is_empty())
    };
    let host = target.host_str()?.trim_matches(['[', ']']).to_ascii_lowercase();
    if set("NO_PROXY").is_some_and(|list| {
        list.split(',').any(|entry| spares(entry.trim(), &host, target.port_or_known_default()))
    }) {
        return None;
    }
    // A plain WebSocket needs a tunnel too, so the proxy that makes tunnels comes first.
    let plain = if target.scheme() == "https" {
        None
    } else {
        variable("http_proxy").filter(|value| !value.is_empty())
    };
    set("HTTPS_PROXY").or(plain).or_else(|| set("ALL_PROXY"))
}

/// Whether an entry of `NO_PROXY` means `host`: `*`, a name (and those below it), an address, each with or without a port.
fn spares(entry: &str, host: &str, port: Option<u16>) -> bool {
    let entry = entry.to_ascii_lowercase();
    let (name, wanted) = match entry.rsplit_once(':') {
        Some((name, digits)) if !name.contains(':') || name.ends_with(']') => {
            (name.to_owned(), digits.parse().ok())
        }
        _ => (entry, None),
    };
    let name = name.trim_matches(['[', ']']).trim_start_matches("*.").trim_start_matches('.');
    if name.is_empty() || wanted.is_some() && wanted != port {
        return false;
    }
    name == "*" || host == name || host.strip_suffix(name).is_some_and(|front| front.ends_with('.'))
}

/// A connection to `target` through the proxy at `address`.
pub(super) async fn tunnel(address: &str, target: &Url) -> Result<TcpStream, String> {
    let shown = || format!("the proxy {}", without_password(address));
    let with_scheme =
        if address.contains("://") { address.to_owned() } else { format!("http://{address}") };
    let proxy = Url::parse(&with_scheme)
        .map_err(|error| format!("{} is not an address ({error}): mend HTTPS_PROXY", shown()))?;
    if proxy.scheme() != "http" {
        return Err(format!(
            "{} is of a kind that is not supported: name an http:// proxy in HTTPS_PROXY, or list the relay in NO_PROXY",
            shown()
        ));
    }
    let at = (host(&proxy), proxy.port_or_known_default().unwrap_or(80));
    let mut stream = TcpStream::connect(at).await.map_err(|error| {
        format!(
            "{} cannot be reached ({error}): see HTTPS_PROXY, or list the relay in NO_PROXY",
            shown()
        )
    })?;
    let _ = stream.set_nodelay(true);
    let authority = format!(
        "{}:{}",
        target.host_str().unwrap_or_default(),
        target.port_or_known_default().unwrap_or(443)
    );
    let mut request = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n");
    if !proxy.username().is_empty() {
        let credentials = format!(
            "{}:{}",
            decoded(proxy.username()),
            decoded(proxy.password().unwrap_or_default())
        );
        request +=
            &format!("Proxy-Authorization: Basic {}\r\n", BASE64_STANDARD.encode(credentials));
    }
    request += "\r\n";
    let failed = |error: std::io::Error| format!("{} broke off ({error})", shown());
    stream.write_all(request.as_bytes()).await.map_err(failed)?;
    let answer = head(&mut stream).await.map_err(failed)?;
    match answer.split_whitespace().nth(1) {
        Some(status) if status.starts_with('2') => Ok(stream),
        Some("407") => Err(format!(
            "{} wants a name and a password: HTTPS_PROXY=http://NAME:PASSWORD@HOST:PORT",
            shown()
        )),
        _ => Err(format!(
            "{} makes no connection to {authority}: it answered {:?}",
            shown(),
            answer.lines().next().unwrap_or_default()
        )),
    }
}

/// The head of an HTTP answer, byte by byte: what follows is not the proxy's.
async fn head(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") && bytes.len() < LONGEST_ANSWER {
        bytes.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A URL's host, as the system's resolver takes it.
pub(super) fn host(url: &Url) -> String {
    match url.host() {
        Some(Host::Ipv6(address)) => address.to_string(),
        Some(host) => host.to_string(),
        None => String::new(),
    }
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn without_password(address: &str) -> &str {
    address.rsplit_once('@').map_or(address, |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(target: &str, environment: &[(&str, &str)]) -> Option<String> {
        proxy_for(&Url::parse(target).unwrap(), |name| {
            environment.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_environment_names_the_proxy() {
        let all = [
            ("HTTPS_PROXY", "http://p:1"),
            ("http_proxy", "http://q:2"),
            ("all_proxy", "http://r:3"),
        ];
        assert_eq!(proxy("https://relay.org/", &all).as_deref(), Some("http://p:1"));
        assert_eq!(proxy("http://relay.org/", &all).as_deref(), Some("http://p:1"));
        assert_eq!(proxy("http://relay.org/", &all[1..]).as_deref(), Some("http://q:2"));
        assert_eq!(proxy("https://relay.org/", &all[1..]).as_deref(), Some("http://r:3"));
        assert_eq!(
            proxy(
                "https://relay.org/",
                &[("HTTPS_PROXY", "http://upper:1"), ("https_proxy", "http://lower:1")]
            )
            .as_deref(),
            Some("http://lower:1")
        );
        assert_eq!(proxy("https://relay.org/", &[("HTTPS_PROXY", " ")]), None);
        assert_eq!(proxy("https://relay.org/", &[]), None);
    }

    #[test]
    fn no_proxy_spares_hosts() {
        let spared = |list: &str, target: &str| {
            proxy(target, &[("https_proxy", "http://p:1"), ("NO_PROXY", list)]).is_none()
        };
        assert!(spared("*", "https://relay.org/"));
        assert!(spared("a.org, relay.org", "https://relay.org/"));
        assert!(spared(".org", "https://relay.org/"));
        assert!(spared("*.relay.org", "https://one.relay.org/"));
        assert!(spared("relay.org:8080", "http://relay.org:8080/"));
        assert!(spared("127.0.0.1", "http://127.0.0.1:5/"));
        assert!(spared("[::1]", "http://[::1]:5/"));
        assert!(spared("::1", "http://[::1]:5/"));
        assert!(!spared("lay.org", "https://relay.org/"));
        assert!(!spared("relay.org:8080", "https://relay.org/"));
        assert!(!spared("", "https://relay.org/"));
    }
}
