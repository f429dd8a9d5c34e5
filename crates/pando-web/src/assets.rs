//! Assets over HTTP: requests for them, and the heads of the answers.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::Response,
};
use pando_protocol::relay::AssetHead;

/// Most bytes of a name.
const LONGEST_NAME: usize = 4096;

/// A request for an asset, or for a part of it: by `?from=…&to=…`, which needs no permission from
/// another origin, or by a header `Range`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssetQuery {
    /// The path of the asset in its folder.
    pub name: String,
    /// The first byte.
    pub from: u64,
    /// The byte after the last one, if it is not the end of the asset.
    pub to: Option<u64>,
}

impl AssetQuery {
    /// The request for the asset at `path`, which is the rest of a URL's path. `None` if its
    /// encoding is not valid.
    pub fn of(path: &str, request: &Parts) -> Option<Self> {
        // A relay passes the name on in one message, which has a limit.
        let name = decoded(path).filter(|name| name.len() <= LONGEST_NAME)?;
        let (mut from, mut to) = range(request).unwrap_or_default();
        for pair in request.uri.query().unwrap_or_default().split('&') {
            match pair.split_once('=') {
                Some(("from", number)) => from = number.parse().ok()?,
                Some(("to", number)) => to = Some(number.parse().ok()?),
                _ => {}
            }
        }
        Some(Self { name, from, to })
    }

    /// Whether a part is asked for.
    pub fn is_of_part(&self) -> bool {
        self.from > 0 || self.to.is_some()
    }
}

/// The response with an asset, or with a part of it, or why there is none.
pub fn asset_response(head: &AssetHead, is_part: bool, body: Body) -> Response {
    if !head.no.is_empty() {
        let mut response = Response::new(Body::from(head.no.clone()));
        *response.status_mut() = StatusCode::NOT_FOUND;
        set(response.headers_mut(), header::CONTENT_TYPE, "text/plain; charset=utf-8");
        return response;
    }
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    set(headers, header::CONTENT_TYPE, &head.kind);
    set(headers, header::ETAG, &format!("\"{}\"", head.hash));
    set(headers, header::ACCEPT_RANGES, "bytes");
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(head.to.saturating_sub(head.from)));
    if is_part && head.from >= head.length && head.length > 0 {
        set(headers, header::CONTENT_RANGE, &format!("bytes */{}", head.length));
        *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
    } else if is_part {
        let last = head.to.saturating_sub(1);
        let part = format!("bytes {}-{last}/{}", head.from, head.length);
        set(headers, header::CONTENT_RANGE, &part);
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    response
}

fn set(headers: &mut HeaderMap, name: header::HeaderName, value: &str) {
    // A master's words may have anything in them.
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// The range that a header asks for; `None` for other forms and for ranges that end before they
/// begin, which are answered by the whole.
fn range(request: &Parts) -> Option<(u64, Option<u64>)> {
    let value = request.headers.get(header::RANGE)?.to_str().ok()?;
    let (from, last) = value.strip_prefix("bytes=")?.split_once('-')?;
    let to = match last {
        "" => None,
        last => Some(last.parse::<u64>().ok()?.checked_add(1)?),
    };
    let from = from.parse().ok()?;
    to.is_none_or(|to| from < to).then_some((from, to))
}

/// The text of a percent-encoded path.
fn decoded(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [first, after @ ..] = rest {
        match (first, after) {
            (b'%', [high, low, after @ ..]) => {
                let digit = |digit: &u8| char::from(*digit).to_digit(16);
                bytes.push((digit(high)? * 16 + digit(low)?) as u8);
                rest = after;
            }
            (b'%', _) => return None,
            (byte, after) => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn query(uri: &str, range: Option<&str>) -> Option<(String, u64, Option<u64>)> {
        let mut request = Request::get(uri);
        if let Some(range) = range {
            request = request.header(header::RANGE, range);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let path = parts.uri.path().trim_start_matches("/t/assets/").to_owned();
        AssetQuery::of(&path, &parts).map(|query| (query.name, query.from, query.to))
    }

    #[test]
    fn names_and_parts_are_read() {
        let all = |name: &str| Some((name.to_owned(), 0, None));
        assert_eq!(query("/t/assets/a/b.json", None), all("a/b.json"));
        assert_eq!(query("/t/assets/%C3%A9%20x%2e%2e", None), all("é x.."));
        assert_eq!(query("/t/assets/%C3", None), None);
        assert_eq!(query("/t/assets/a%4", None), None);
        assert_eq!(query("/t/assets/a?from=5&to=9", None), Some(("a".into(), 5, Some(9))));
        assert_eq!(query("/t/assets/a?from=x", None), None);
        assert_eq!(query("/t/assets/a", Some("bytes=5-8")), Some(("a".into(), 5, Some(9))));
        assert_eq!(query("/t/assets/a", Some("bytes=5-")), Some(("a".into(), 5, None)));
        assert_eq!(query("/t/assets/a", Some("bytes=-5")), all("a"));
        assert_eq!(query(&format!("/t/assets/{}", "a".repeat(LONGEST_NAME + 1)), None), None);
    }

    #[test]
    fn answers_name_their_part() {
        let head = |from, to| AssetHead {
            length: 9,
            from,
            to,
            hash: "ab".into(),
            kind: "image/png".into(),
            no: String::new(),
        };
        let told = |head: AssetHead, is_part| {
            let response = asset_response(&head, is_part, Body::empty());
            let range = response.headers().get(header::CONTENT_RANGE).cloned();
            let range = range.map(|range| range.to_str().unwrap().to_owned());
            (response.status().as_u16(), range.unwrap_or_default())
        };
        assert_eq!(told(head(0, 9), false), (200, String::new()));
        assert_eq!(told(head(2, 5), true), (206, "bytes 2-4/9".into()));
        assert_eq!(told(head(9, 9), true), (416, "bytes */9".into()));
        let none = AssetHead { no: "none\r\n".into(), ..AssetHead::default() };
        assert_eq!(told(none, true).0, 404);
        let strange = AssetHead { kind: "a\r\nb".into(), ..head(0, 9) };
        assert_eq!(told(strange, false).0, 200);
    }
}
