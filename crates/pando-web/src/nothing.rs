//! The page for an address without content, such as the link of a run that has ended.

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};

/// The page, the same for every address, so that strangers cannot find out which addresses exist
/// or existed.
const PAGE: &str = "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>\
    <meta name=color-scheme content='light dark'><title>Pando</title>\
    <style>body{max-width:34em;margin:4em auto;padding:0 1.2em;font:1.1em/1.5 system-ui,sans-serif}h1{font-size:1.5em}</style>\
    <h1>This link is not in use any more</h1><p>The run that it was for has ended, or a part of the link is missing. Ask whoever gave you the link for a new one.\n";

/// Whether a browser requests a page to show. Scripts accept other types, and get a short answer.
pub fn wants_page(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .any(|accept| accept.as_bytes().windows(9).any(|part| part == b"text/html"))
}

/// The page, with status 404.
pub fn nothing_here() -> Response {
    let mut response = (StatusCode::NOT_FOUND, Html(PAGE)).into_response();
    let policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    response
        .headers_mut()
        .insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    response
}
