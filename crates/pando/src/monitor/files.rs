//! The files of the page, from the built `web/`.

use crate::embedded;
use axum::{
    http::header,
    response::{IntoResponse, Response},
};

/// What the page may do: it has its own script, and talks with its own server only.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src data: blob:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The file `name` of the page; `None` if there is no such file.
pub(super) fn file(name: &str) -> Option<Response> {
    let name = if name.is_empty() { "monitor.html" } else { name };
    let (_, ending) = name.split_once('.').filter(|_| name.starts_with("monitor"))?;
    let kind = match ending {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        _ => return None,
    };
    let headers = [(header::CONTENT_TYPE, kind), (header::CONTENT_SECURITY_POLICY, POLICY)];
    Some((headers, embedded::web(name)?).into_response())
}
