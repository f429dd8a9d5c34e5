//! Upgrades of requests to WebSockets.

use super::Denied;
use axum::{
    body::Body,
    extract::{FromRequestParts, ws::WebSocketUpgrade},
    http::{HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use hyper::upgrade::OnUpgrade;
use tungstenite::handshake::derive_accept_key;

/// Size of a WebSocket's buffers, in bytes.
const BUFFER: usize = 4 << 10;

/// Upgrades the request to a WebSocket whose messages are at most `longest` bytes long.
pub(super) async fn messages(
    parts: &mut Parts,
    longest: usize,
) -> Result<WebSocketUpgrade, Denied> {
    let upgrade = WebSocketUpgrade::from_request_parts(parts, &()).await;
    let upgrade =
        upgrade.map_err(|rejection| Denied::new(rejection.status(), rejection.body_text()))?;
    let upgrade = upgrade
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER)
        .max_write_buffer_size(4 * longest);
    Ok(upgrade.max_message_size(longest).max_frame_size(longest))
}

/// Upgrades the request to a WebSocket whose bytes go to `then` without being parsed.
pub(super) fn frames<F>(
    parts: &mut Parts,
    then: impl FnOnce(OnUpgrade) -> F,
) -> Result<Response, Denied>
where
    F: Future<Output = ()> + Send + 'static,
{
    let has = |name: HeaderName, token: &str| {
        let value =
            parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        value.split(',').any(|part| part.trim().eq_ignore_ascii_case(token))
    };
    let asked = has(header::CONNECTION, "upgrade")
        && has(header::UPGRADE, "websocket")
        && has(header::SEC_WEBSOCKET_VERSION, "13");
    let key = parts
        .headers
        .get(header::SEC_WEBSOCKET_KEY)
        .filter(|_| asked && parts.method == Method::GET);
    let accept = key.map(|key| derive_accept_key(key.as_bytes()));
    let (Some(accept), Some(upgrade)) = (accept, parts.extensions.remove::<OnUpgrade>()) else {
        return Err(Denied::new(StatusCode::UPGRADE_REQUIRED, "this is a WebSocket"));
    };
    tokio::spawn(then(upgrade));
    let headers = [
        (header::CONNECTION, HeaderValue::from_static("upgrade")),
        (header::UPGRADE, HeaderValue::from_static("websocket")),
        (
            header::SEC_WEBSOCKET_ACCEPT,
            HeaderValue::from_str(&accept).expect("base64 is fine in a header"),
        ),
    ];
    Ok((StatusCode::SWITCHING_PROTOCOLS, headers, Body::empty()).into_response())
}
