//! The HTTP server for volunteers: the page and its parts, the function, and the WebSockets, all below the join token.
//!
//! Anything else is answered 404, so that a stranger who finds the port learns nothing. `Host` must name this machine and
//! `Origin`, where there is one, the same host, so that no foreign page can reach in through a visitor's browser.

mod addresses;
mod hosts;
mod misses;
mod signal;

pub use addresses::{addresses, qr};
pub use hosts::Hosts;

use crate::{
    channel::{self, webrtc::Peers},
    embedded,
    ice::IceServer,
    master::{Door, Master, attend},
    protocol::Path,
};
use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, FromRequestParts, Request, State, ws::WebSocketUpgrade},
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use misses::Misses;
use std::{net::SocketAddr, sync::Arc, time::Instant};
use tokio::{net::TcpListener, sync::oneshot};

/// Longest WebSocket message, in bytes: a part and its header, or a long text message.
const MAX_MESSAGE: usize = 1 << 20;

/// What the server serves.
pub struct Site {
    /// Whose volunteers come here.
    pub master: Arc<Master>,
    /// First path segment; empty: open access.
    pub token: String,
    /// The function's bundle.
    pub function: String,
    /// Its hash.
    pub hash: String,
    /// Whether it runs in the page.
    pub dom: bool,
    /// Names by which this machine may be called.
    pub hosts: Hosts,
    /// Those that are connected without the server.
    pub peers: Option<Peers>,
    /// What browsers are told to find a way by.
    pub ice_servers: Vec<IceServer>,
}

struct Served {
    site: Site,
    page: String,
    /// What a browser is told first when it signals.
    servers: String,
    misses: Misses,
}

/// Serves `site` on `listener` until `closed`, when its other end is dropped too.
///
/// # Errors
/// When the listener fails.
pub async fn serve(listener: TcpListener, site: Site, closed: oneshot::Receiver<()>) -> std::io::Result<()> {
    let page = page(&site);
    let servers = serde_json::json!({"type": "servers", "iceServers": site.ice_servers}).to_string();
    let served = Arc::new(Served { site, page, servers, misses: Misses::default() });
    let app = Router::new().fallback(answer).with_state(served);
    let listener = axum::serve::ListenerExt::tap_io(listener, |socket| {
        let _ = socket.set_nodelay(true);
    });
    let closed = async { drop(closed.await) };
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).with_graceful_shutdown(closed).await
}

fn page(site: &Site) -> String {
    let config = serde_json::json!({"function": site.hash, "dom": site.dom, "version": env!("CARGO_PKG_VERSION")});
    let config = config.to_string().replace('<', "\\u003c");
    embedded::web("index.html").unwrap_or_default().replace("__PANDO_CONFIG__", &config)
}

async fn answer(State(served): State<Arc<Served>>, ConnectInfo(from): ConnectInfo<SocketAddr>, request: Request) -> Response {
    let site = &served.site;
    if !site.hosts.allows(request.headers().get(header::HOST)) {
        let text = "This name is not one of this machine's (pando --allow-host NAME lets it in).";
        return (StatusCode::MISDIRECTED_REQUEST, text).into_response();
    }
    let path = request.uri().path().trim_start_matches('/').to_owned();
    let below = match site.token.as_str() {
        "" => Some(&*path),
        token => {
            let (first, rest) = path.split_once('/').unwrap_or((&path, "\0"));
            crate::master::same_secret(first, token).then_some(rest)
        }
    };
    match below {
        Some("\0") => (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, format!("/{}/", site.token))]).into_response(),
        Some("socket") => socket(served.clone(), request).await,
        Some("signal") => signal::signal(served.clone(), request).await,
        Some(name) if matches!(*request.method(), Method::GET | Method::HEAD) => match file(&served, name) {
            Some(response) => response,
            None => StatusCode::NOT_FOUND.into_response(),
        },
        Some(_) => StatusCode::NOT_FOUND.into_response(),
        None if served.misses.too_many(from.ip(), Instant::now()) => StatusCode::TOO_MANY_REQUESTS.into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn file(served: &Served, name: &str) -> Option<Response> {
    const SCRIPT: &str = "text/javascript; charset=utf-8";
    let (kind, text) = match name {
        "" => ("text/html; charset=utf-8", Body::from(served.page.clone())),
        "function.js" => (SCRIPT, Body::from(served.site.function.clone())),
        "page.js" => (SCRIPT, Body::from(embedded::web(name)?)),
        _ => return None,
    };
    let mut response = Response::new(text);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Some(response)
}

async fn socket(served: Arc<Served>, request: Request) -> Response {
    let upgrade = match upgrade(request).await {
        Ok(upgrade) => upgrade.max_write_buffer_size(4 << 20).max_message_size(MAX_MESSAGE).max_frame_size(MAX_MESSAGE),
        Err(refusal) => return refusal,
    };
    upgrade.on_upgrade(move |socket| async move {
        let (ours, theirs) = channel::pair();
        let door = Door { token: served.site.token.clone(), path: Path::WebSocket };
        // Two tasks: one that wakes itself would wake a second thread each time, for nothing.
        tokio::spawn(attend(served.site.master.clone(), door, ours));
        channel::carry(socket, theirs).await;
    })
}

/// A WebSocket for a page of this server, or for what is no page.
async fn upgrade(request: Request) -> Result<WebSocketUpgrade, Response> {
    let headers = request.headers();
    if !hosts::same_origin(headers.get(header::ORIGIN), headers.get(header::HOST)) {
        return Err((StatusCode::FORBIDDEN, "Another site's page may not join.").into_response());
    }
    let (mut parts, _) = request.into_parts();
    match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(upgrade) => Ok(upgrade.read_buffer_size(16 * 1024).write_buffer_size(16 * 1024)),
        Err(rejection) => Err(rejection.into_response()),
    }
}
