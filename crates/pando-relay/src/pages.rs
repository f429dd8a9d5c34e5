//! The files of a room: the function, and the page with its scripts, which are the same for all
//! rooms.

use super::{rooms::Content, traffic::Traffic};
use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::Response,
};
use bytes::Bytes;
use futures_util::stream;
use pando_protocol::page::SETTINGS;
use pando_web::{Network, Policy, embedded};
use std::{convert::Infallible, sync::Arc};

/// Bytes of a function that are sent at a time.
const PIECE: usize = 64 << 10;

/// The file `name` of a room, for a request with these headers from a client that knows the relay
/// as `authority`. Returns `None` if there is no such file.
pub(super) fn file(
    content: &Content,
    traffic: &Arc<Traffic>,
    name: &str,
    request: &HeaderMap,
    authority: &str,
) -> Option<Response> {
    const SCRIPT: &str = "text/javascript; charset=utf-8";
    let (kind, length, body) = match name {
        "" => {
            let page = page(content);
            ("text/html; charset=utf-8", page.len(), Body::from(page))
        }
        SETTINGS => {
            let settings = content.page.json(env!("CARGO_PKG_VERSION"), true);
            ("application/json", settings.len(), Body::from(settings))
        }
        "function.js" => {
            (SCRIPT, content.function.len(), paced(content.function.clone(), traffic.clone()))
        }
        _ => {
            let text = embedded::page_script(name)?;
            (SCRIPT, text.len(), Body::from(text))
        }
    };
    let mut response = Response::new(body);
    let headers: [(HeaderName, HeaderValue); 2] = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CONTENT_LENGTH, HeaderValue::from(length)),
    ];
    response.headers_mut().extend(headers);
    set_policy(content, request, authority, response.headers_mut());
    Some(response)
}

/// Sets the headers of a file of a room, in an answer to a request with the headers `request`.
pub(super) fn set_policy(
    content: &Content,
    request: &HeaderMap,
    authority: &str,
    headers: &mut HeaderMap,
) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    // Chromium before version 76 also hides the length from a page without an origin.
    let exposed = HeaderValue::from_static("etag, content-length");
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    // Workers made from blobs, as on this page, use the policy of the page.
    let network = if content.page.deny_net { Network::Closed } else { Network::Open };
    let policy = Policy::new(authority, network, content.page.dom).shared().asked_by(request);
    policy.set(headers, &policy.page(""));
}

fn page(content: &Content) -> String {
    let html = embedded::web("index.html").unwrap_or_default();
    content.page.fill(html, env!("CARGO_PKG_VERSION"), true)
}

/// A function as a body that is sent at most at the room's rate.
fn paced(function: Bytes, traffic: Arc<Traffic>) -> Body {
    Body::from_stream(stream::unfold(function, move |mut rest| {
        let traffic = traffic.clone();
        async move {
            if rest.is_empty() {
                return None;
            }
            let piece = rest.split_to(rest.len().min(PIECE));
            traffic.pass(piece.len()).await;
            Some((Ok::<_, Infallible>(piece), rest))
        }
    }))
}
