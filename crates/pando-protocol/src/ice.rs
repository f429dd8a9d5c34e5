//! STUN and TURN servers: parses `--ice-servers`, and makes the form for browsers.

use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// The default port of STUN and TURN servers.
const PORT: u16 = 3478;
/// The default port of TURN over TLS.
const PORT_TLS: u16 = 5349;

/// A server, as a browser's `RTCIceServer`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IceServer {
    /// `stun:host:port`, `turn:host:port?transport=udp`, `turns:host:port`.
    pub urls: Vec<String>,
    /// The user name, for TURN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The password, for TURN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

impl IceServer {
    /// The addresses, `host:port`, at which the server answers STUN over UDP. A TURN server also
    /// answers STUN.
    pub fn stun(&self) -> impl Iterator<Item = &str> {
        self.urls.iter().filter_map(|url| {
            let rest = url.strip_prefix("stun:").or_else(|| url.strip_prefix("turn:"))?;
            let (host, transport) = rest.split_once('?').unwrap_or((rest, ""));
            (transport != "transport=tcp").then_some(host)
        })
    }

    /// The addresses, `host:port`, at which the server answers TURN over UDP.
    pub fn turn(&self) -> impl Iterator<Item = &str> {
        let is_turn = self.urls.iter().any(|url| url.starts_with("turn:"));
        self.stun().filter(move |_| is_turn)
    }
}

impl FromStr for IceServer {
    type Err = String;

    /// Parses `stun:HOST[:PORT]`, `turn:USER:PASSWORD@HOST[:PORT][?transport=udp|tcp]` or the same
    /// with `turns:`. In user and password, `%3A` stands for a colon, `%40` for `@`, `%2C` for a
    /// comma, `%25` for `%`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (scheme, rest) = text.split_once(':').unwrap_or(("", text));
        match scheme {
            "stun" => {
                if rest.contains('@') {
                    return Err("a STUN server takes no user: give stun:HOST:PORT".into());
                }
                Ok(Self {
                    urls: vec![format!("stun:{}", address(rest, PORT)?)],
                    username: None,
                    credential: None,
                })
            }
            "turn" | "turns" => {
                let form = || format!("give {scheme}:USER:PASSWORD@HOST:PORT");
                let (who, place) = rest.rsplit_once('@').ok_or_else(|| {
                    format!("a TURN server needs a user and a password: {}", form())
                })?;
                let (user, password) = who
                    .split_once(':')
                    .ok_or_else(|| format!("the password is missing: {}", form()))?;
                if user.is_empty() || password.is_empty() {
                    return Err(format!("the user or the password is missing: {}", form()));
                }
                let (place, query) = place
                    .split_once('?')
                    .map_or((place, None), |(place, query)| (place, Some(query)));
                let transport = match query {
                    None => String::new(),
                    Some(query @ ("transport=udp" | "transport=tcp")) => format!("?{query}"),
                    Some(_) => {
                        return Err("after `?` there may be transport=udp or transport=tcp".into());
                    }
                };
                let address = address(place, if scheme == "turns" { PORT_TLS } else { PORT })?;
                Ok(Self {
                    urls: vec![format!("{scheme}:{address}{transport}")],
                    username: Some(plain(user)?),
                    credential: Some(plain(password)?),
                })
            }
            _ => Err("give stun:HOST:PORT or turn:USER:PASSWORD@HOST:PORT".into()),
        }
    }
}

/// `host:port`, with the given default if `text` names no port.
fn address(text: &str, port: u16) -> Result<String, String> {
    let (host, given) = match text.rfind(':').filter(|at| !text[*at..].contains(']')) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let port = match given {
        None => port,
        Some(given) => given
            .parse()
            .ok()
            .filter(|port| *port > 0)
            .ok_or_else(|| format!("`{given}` is no port"))?,
    };
    let is_v6 = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .is_some_and(|host| host.parse::<std::net::Ipv6Addr>().is_ok());
    let is_name = !host.is_empty()
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
    if is_v6 || is_name {
        Ok(format!("{host}:{port}"))
    } else {
        Err(format!("`{host}` is no host name or address (an IPv6 address stands in brackets)"))
    }
}

/// Decodes each `%XX` in `text`.
fn plain(text: &str) -> Result<String, String> {
    let bad =
        || format!("`{text}`: after `%` there are two hexadecimal digits (%25 is `%` itself)");
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first != b'%' {
            bytes.push(first);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2).ok_or_else(bad)?;
        let digits = std::str::from_utf8(digits)
            .ok()
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        bytes.push(u8::from_str_radix(digits.ok_or_else(bad)?, 16).map_err(|_| bad())?);
        rest = after;
    }
    String::from_utf8(bytes).map_err(|_| bad())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> String {
        serde_json::to_string(&text.parse::<IceServer>().unwrap()).unwrap()
    }

    #[test]
    fn servers_become_what_browsers_take() {
        assert_eq!(json("stun:stun.example.org"), r#"{"urls":["stun:stun.example.org:3478"]}"#);
        assert_eq!(json("stun:[2001:db8::1]:19302"), r#"{"urls":["stun:[2001:db8::1]:19302"]}"#);
        assert_eq!(
            json("turn:ann:s3cret@turn.example.org:3479?transport=tcp"),
            r#"{"urls":["turn:turn.example.org:3479?transport=tcp"],"username":"ann","credential":"s3cret"}"#
        );
        assert_eq!(
            json("turns:1700%3Aann:a:b%40c@turn.example.org"),
            r#"{"urls":["turns:turn.example.org:5349"],"username":"1700:ann","credential":"a:b@c"}"#
        );
    }

    #[test]
    fn this_machine_asks_those_that_answer_stun_over_udp() {
        let stun = |text: &str| {
            text.parse::<IceServer>().unwrap().stun().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(stun("stun:s.example"), ["s.example:3478"]);
        assert_eq!(stun("turn:a:b@t.example?transport=udp"), ["t.example:3478"]);
        assert!(
            stun("turn:a:b@t.example?transport=tcp").is_empty()
                && stun("turns:a:b@t.example").is_empty()
        );
    }

    #[test]
    fn what_is_no_server_is_refused_in_words() {
        for (text, words) in [
            ("", "give stun:HOST:PORT"),
            ("stun.example.org", "give stun:HOST:PORT"),
            ("http://stun.example.org", "give stun:HOST:PORT"),
            ("stun:", "no host name"),
            ("stun:a b", "no host name"),
            ("stun://host", "no host name"),
            ("stun:host:0", "`0` is no port"),
            ("stun:host:70000", "`70000` is no port"),
            ("stun:2001:db8::1", "brackets"),
            ("stun:me@host", "takes no user"),
            ("turn:host", "needs a user and a password"),
            ("turn:me@host", "password is missing"),
            ("turn:me:@host", "password is missing"),
            ("turn:a:b@host?transport=sctp", "transport=udp"),
            ("turn:a:100%@host", "hexadecimal"),
        ] {
            let error = text.parse::<IceServer>().unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
