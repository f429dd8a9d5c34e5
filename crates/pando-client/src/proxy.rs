//! Proxies on the way to a server, as the environment names them: `HTTPS_PROXY`, `HTTP_PROXY` and
//! `ALL_PROXY`, unless `NO_PROXY` lists the host. WebSockets need a tunnel: HTTP proxies are asked
//! for one by `CONNECT`, and SOCKS proxies make nothing else.

use hyper_util::{
    client::{
        legacy::connect::{
            HttpConnector,
            proxy::{SocksV4, SocksV5, Tunnel},
        },
        proxy::matcher::{Intercept, Matcher},
    },
    rt::TokioIo,
};
use std::{error::Error, future::poll_fn};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::http::Uri;
use tower_service::Service;
use url::Url;

/// What a user can do about a proxy that does not serve.
const REMEDY: &str = "see HTTPS_PROXY, http_proxy and ALL_PROXY, or list the host in NO_PROXY";

/// The proxy for `target`, where `variable` gives the environment's variables.
///
/// # Errors
/// When the environment names something that is no proxy, in words.
pub(crate) fn proxy_for(
    target: &Url,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Option<Intercept>, String> {
    let set = |name: &str| {
        variable(&name.to_lowercase())
            .or_else(|| variable(name))
            .filter(|value| !value.trim().is_empty())
    };
    // A plain WebSocket needs a tunnel too, so the proxy that makes tunnels comes first. HTTP_PROXY
    // counts in lower case only: web servers set the other one, for the CGI programs that they
    // start, to what a stranger's header says.
    let plain = if target.scheme() == "https" {
        None
    } else {
        variable("http_proxy").filter(|value| !value.trim().is_empty())
    };
    let Some(named) = set("HTTPS_PROXY").or(plain).or_else(|| set("ALL_PROXY")) else {
        return Ok(None);
    };
    let destination = destination(target)?;
    let intercept = |proxy: &str, no: String| {
        Matcher::builder().all(proxy).no(no).build().intercept(&destination)
    };
    let spared = spared(&set("NO_PROXY").unwrap_or_default(), target.port_or_known_default());
    if intercept("http://any", spared).is_none() {
        return Ok(None);
    }
    let named = named.trim();
    let proxy =
        intercept(named, String::new()).filter(|proxy| proxy.uri().scheme_str() != Some("https"));
    proxy.map(Some).ok_or_else(|| {
        let (scheme, rest) = named.split_once("://").unwrap_or(("http", named));
        let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
        format!("the proxy {scheme}://{host} has no address such as http://HOST:PORT or socks5://HOST:PORT: {REMEDY}")
    })
}

/// `NO_PROXY` as the matcher reads it, for a server at `port`: the matcher knows no ports, no
/// brackets and no `*.` before a name, and takes `*` for all names but no address.
fn spared(list: &str, port: Option<u16>) -> String {
    let hosts = list.split(',').map(str::trim).filter_map(|entry| {
        let (host, wanted) = match entry.rsplit_once(':') {
            Some((host, digits)) if !host.contains(':') || host.ends_with(']') => {
                (host, digits.parse().ok())
            }
            _ => (entry, None),
        };
        let host = host.trim_matches(['[', ']']).trim_start_matches("*.");
        let is_meant = wanted.is_none() || wanted == port;
        is_meant.then_some(if host == "*" { "*,0.0.0.0/0,::/0" } else { host })
    });
    hosts.collect::<Vec<_>>().join(",")
}

/// A connection to `target` through `proxy`, which looks up the target's name.
pub(crate) async fn tunnel(proxy: &Intercept, target: &Url) -> Result<TcpStream, String> {
    let (at, to) = (proxy.uri(), destination(target)?);
    let scheme = at.scheme_str().unwrap_or_default();
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    let connected = if scheme == "http" {
        let tunnel = Tunnel::new(at.clone(), connector);
        let tunnel = match proxy.basic_auth() {
            Some(credentials) => tunnel.with_auth(credentials.clone()),
            None => tunnel,
        };
        call(tunnel, to).await
    } else {
        let at = if at.port().is_some() {
            at.clone()
        } else {
            uri(format!("socks://{}:1080", at.host().unwrap_or_default()))?
        };
        match proxy.raw_auth() {
            _ if scheme.starts_with("socks4") => call(SocksV4::new(at, connector), to).await,
            Some((name, password)) => {
                call(SocksV5::new(at, connector).with_auth(name.into(), password.into()), to).await
            }
            None => call(SocksV5::new(at, connector), to).await,
        }
    };
    connected.map_err(|why| {
        // A SOCKS proxy that takes no connection without a password is said to know no passwords.
        let is_locked = why.contains("authorization required") || (proxy.raw_auth().is_none() && why.contains("user/pass"));
        if is_locked {
            let (scheme, host) = (scheme, at.authority().map_or("HOST:PORT", |authority| authority.as_str()));
            return format!("the proxy {at} wants a name and a password: HTTPS_PROXY={scheme}://NAME:PASSWORD@{host}");
        }
        format!("the proxy {at} makes no connection to {target} ({why}): {REMEDY}")
    })
}

/// Where `connector` leads; if nowhere, why not.
async fn call<S>(mut connector: S, to: Uri) -> Result<TcpStream, String>
where
    S: Service<Uri, Response = TokioIo<TcpStream>>,
    S::Error: Error,
{
    let connected = async {
        poll_fn(|context| connector.poll_ready(context)).await?;
        connector.call(to).await
    };
    connected.await.map(TokioIo::into_inner).map_err(|error: S::Error| {
        let mut causes = vec![error.to_string()];
        let mut next = error.source();
        while let Some(cause) = next {
            causes.push(cause.to_string());
            next = cause.source();
        }
        causes.join(": ")
    })
}

/// Where a tunnel leads: the port is always named.
fn destination(target: &Url) -> Result<Uri, String> {
    let host = target.host_str().unwrap_or_default();
    uri(format!("https://{host}:{}", target.port_or_known_default().unwrap_or(443)))
}

fn uri(text: String) -> Result<Uri, String> {
    text.parse().map_err(|error| format!("{text} is no address ({error})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(target: &str, environment: &[(&str, &str)]) -> Option<String> {
        let variable = |name: &str| {
            environment.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        };
        let proxy = proxy_for(&Url::parse(target).unwrap(), variable).unwrap();
        proxy.map(|proxy| proxy.uri().to_string().trim_end_matches('/').to_owned())
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
        assert_eq!(
            proxy("http://relay.org/", &[("HTTP_PROXY", "http://a.stranger:1")]),
            None,
            "CGI sets it to a header"
        );
        assert_eq!(
            proxy("https://relay.org/", &[("ALL_PROXY", "socks5h://s:4")]).as_deref(),
            Some("socks5h://s:4")
        );
        assert_eq!(
            proxy("https://relay.org/", &[("HTTPS_PROXY", " p:1 ")]).as_deref(),
            Some("http://p:1")
        );
    }

    #[test]
    fn what_is_no_proxy_is_told_without_its_password() {
        let target = Url::parse("https://relay.org/").unwrap();
        for named in [
            "ftp://ann:secret@p:1",
            "https://ann:secret@p:1",
            "http://ann:secret@p:1:2",
            "http://ann:se cret@p:1",
        ] {
            let refused = |names: &str| {
                proxy_for(&target, |name| (name == names).then(|| named.to_owned())).unwrap_err()
            };
            let why = refused("HTTPS_PROXY");
            assert!(
                why.contains("p:1") && why.contains("HTTPS_PROXY") && !why.contains("cret"),
                "{why}"
            );
        }
        let spared = [("https_proxy", "ftp://p:1"), ("no_proxy", "relay.org")];
        assert_eq!(proxy("https://relay.org/", &spared), None, "nobody asks a proxy for it");
    }

    #[test]
    fn no_proxy_spares_hosts() {
        let spared = |list: &str, target: &str| {
            proxy(target, &[("https_proxy", "http://p:1"), ("NO_PROXY", list)]).is_none()
        };
        assert!(spared("*", "https://relay.org/"));
        assert!(spared("*", "https://10.1.2.3/") && spared("*", "https://[fd00::1]/"));
        assert!(spared("a.org, relay.org", "https://relay.org/"));
        assert!(spared(".org", "https://relay.org/"));
        assert!(spared("*.relay.org", "https://one.relay.org/"));
        assert!(spared("relay.org:8080", "http://relay.org:8080/"));
        assert!(spared("127.0.0.1", "http://127.0.0.1:5/"));
        assert!(spared("[::1]", "http://[::1]:5/"));
        assert!(spared("::1", "http://[::1]:5/"));
        assert!(spared("[::1]:5", "http://[::1]:5/") && !spared("[::1]:6", "http://[::1]:5/"));
        assert!(
            spared("10.0.0.0/8", "http://10.1.2.3/") && !spared("10.0.0.0/8", "http://11.1.2.3/")
        );
        assert!(spared("fd00::/8", "http://[fd00::1]/"));
        assert!(!spared("lay.org", "https://relay.org/"));
        assert!(!spared("relay.org:8080", "https://relay.org/"));
        assert!(!spared("", "https://relay.org/"));
    }
}
