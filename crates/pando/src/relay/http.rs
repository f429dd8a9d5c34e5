//! What the relay answers, and to whom.
//!
//! Rooms share a web origin, so each page is served in a sandbox of its own: it can read nothing of another's, nor of its own
//! origin. That is why its parts may be read from anywhere, and why `Origin: null` is welcome.

use super::{
    Relay,
    address::{Place, client},
    connections::Seat,
    control, link, pages,
    rooms::{NoEntry, Unclaimed},
    signal,
};
use axum::{
    body::Body,
    extract::{ConnectInfo, Extension, FromRequestParts, Request, State, ws::WebSocketUpgrade},
    http::{HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use hyper::upgrade::OnUpgrade;
use serde_json::json;
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};
use tungstenite::handshake::derive_accept_key;

/// How long who shows a wrong secret waits for the answer.
const WRONG: Duration = Duration::from_secs(1);
/// Buffers of a WebSocket that signals, in bytes.
const BUFFER: usize = 4 << 10;

/// A request, and who asks.
struct Asked {
    relay: Arc<Relay>,
    seat: Arc<Seat>,
    from: IpAddr,
    parts: Parts,
}

/// Answers everything.
pub(crate) async fn answer(
    State(relay): State<Arc<Relay>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    Extension(seat): Extension<Arc<Seat>>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let from = client(&parts.headers, from.ip(), relay.behind_proxy);
    let path = parts.uri.path().to_owned();
    let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    // Masters come as often as their volunteers do; their mistakes are counted apart.
    let is_a_masters = segments.len() > 2 || segments[0] == "rooms";
    if !is_a_masters && !relay.guards().requests.take(from, Instant::now()) {
        return later(StatusCode::TOO_MANY_REQUESTS, "too many requests from this address");
    }
    if !matches!(parts.method, Method::GET | Method::HEAD) {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let asked = Asked { relay, seat, from, parts };
    match *segments {
        ["healthz"] => asked.health(),
        ["rooms"] => asked.control().await,
        ["rooms", token, "links", id] => asked.master_link(token, id).await,
        [token] => asked.redirect(token),
        [token, "signal"] => asked.signal(token).await,
        [token, "socket"] => asked.volunteer_link(token),
        [token, name] => asked.file(token, name),
        _ => asked.nothing(),
    }
}

impl Asked {
    fn health(&self) -> Response {
        let counts = self.relay.rooms().counts();
        let health = json!({
            "status": "ok",
            "version": env!("CARGO_PKG_VERSION"),
            "seconds": self.relay.started.elapsed().as_secs(),
            "rooms": counts.rooms,
            "volunteers": counts.peers + counts.links,
            "links": counts.links,
            "allocations": self.relay.allocations(),
            "connections": self.relay.connections.total(),
        });
        ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")], health.to_string()).into_response()
    }

    /// What is not there. Who asks for much of it could be guessing tokens.
    fn nothing(&self) -> Response {
        match self.relay.guards().misses.take(self.from, Instant::now()) {
            // A room's page, whose origin is its own, has to see that its room is not there.
            true => (StatusCode::NOT_FOUND, [(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")]).into_response(),
            false => later(StatusCode::TOO_MANY_REQUESTS, "too many wrong addresses"),
        }
    }

    fn redirect(&self, token: &str) -> Response {
        if self.relay.rooms().content(token).is_none() {
            return self.nothing();
        }
        // Relative, since a proxy may serve the relay below a path.
        (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, format!("{token}/"))]).into_response()
    }

    fn file(&self, token: &str, name: &str) -> Response {
        let found = {
            let rooms = self.relay.rooms();
            let content = rooms.content(token).cloned();
            content.zip(rooms.handle(token).map(|shell| shell.traffic()))
        };
        let Some((content, traffic)) = found else { return self.nothing() };
        pages::file(&content, &traffic, name).unwrap_or_else(|| StatusCode::NOT_FOUND.into_response())
    }

    async fn signal(mut self, token: &str) -> Response {
        if let Err(response) = self.admit(token) {
            return response;
        }
        let seat = match self.guest() {
            Ok(seat) => seat,
            Err(response) => return response,
        };
        let upgrade = match upgrade(&mut self.parts, signal::LONGEST).await {
            Ok(upgrade) => upgrade,
            Err(response) => return response,
        };
        let (relay, token) = (self.relay, token.to_owned());
        upgrade.on_upgrade(async move |socket| {
            signal::converse(relay, token, socket).await;
            drop(seat);
        })
    }

    fn volunteer_link(mut self, token: &str) -> Response {
        if let Err(response) = self.admit(token) {
            return response;
        }
        let seat = match self.guest() {
            Ok(seat) => seat,
            Err(response) => return response,
        };
        let (relay, token) = (self.relay, token.to_owned());
        raw(&mut self.parts, |upgrade| async move {
            link::volunteer(relay, token, upgrade).await;
            drop(seat);
        })
    }

    async fn master_link(mut self, token: &str, id: &str) -> Response {
        if let Err(response) = self.may_try() {
            return response;
        }
        let key = self.bearer().to_owned();
        let claimed = self.relay.rooms().claim(token, &key, id);
        match claimed {
            Ok(volunteer) => {
                self.seat.is_a_masters();
                raw(&mut self.parts, |upgrade| link::master(volunteer, upgrade))
            }
            Err(Unclaimed::WrongKey) => self.wrong("the room has another key").await,
            Err(Unclaimed::Unknown) => self.nothing(),
        }
    }

    async fn control(mut self) -> Response {
        if let Err(response) = self.may_try() {
            return response;
        }
        if !self.relay.secrets.knows(self.bearer()) {
            return self.wrong("wrong secret: masters need one of those that this relay was started with").await;
        }
        let place = self.relay.url.clone();
        let place = place.or_else(|| Place::of(&self.parts.headers, self.relay.tls, self.relay.behind_proxy));
        let Some(place) = place else { return (StatusCode::BAD_REQUEST, "no Host header").into_response() };
        let upgrade = match upgrade(&mut self.parts, control::LONGEST).await {
            Ok(upgrade) => upgrade,
            Err(response) => return response,
        };
        self.seat.is_a_masters();
        let (relay, from) = (self.relay, self.from);
        upgrade.read_buffer_size(4 * BUFFER).on_upgrade(move |socket| control::attend(relay, socket, place, from))
    }

    /// Whether the room at `token` takes one more volunteer.
    fn admit(&self, token: &str) -> Result<(), Response> {
        let entry = self.relay.rooms().has_place(token);
        entry.map_err(|why| match why {
            NoEntry::Unknown => self.nothing(),
            NoEntry::NoMaster => later(StatusCode::SERVICE_UNAVAILABLE, "the run is away for a moment"),
            NoEntry::Full => later(StatusCode::SERVICE_UNAVAILABLE, "the room is full"),
        })
    }

    /// Behind a proxy, counts a volunteer's socket for the address that the proxy names.
    fn guest(&self) -> Result<Option<Seat>, Response> {
        if !self.relay.behind_proxy {
            return Ok(None);
        }
        let seat = self.relay.connections.guest(self.from);
        seat.map(Some).ok_or_else(|| later(StatusCode::TOO_MANY_REQUESTS, "too many connections from this address"))
    }

    /// Whether this address has not shown too many wrong secrets.
    fn may_try(&self) -> Result<(), Response> {
        if self.relay.guards().wrong.is_exhausted(self.from, Instant::now()) {
            return Err(later(StatusCode::TOO_MANY_REQUESTS, "too many wrong secrets from this address: wait a minute"));
        }
        Ok(())
    }

    async fn wrong(&self, why: &'static str) -> Response {
        self.relay.guards().wrong.take(self.from, Instant::now());
        self.relay.log.warn("wrong-secret", json!({"address": self.from.to_string()}));
        tokio::time::sleep(WRONG).await;
        (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer")], why).into_response()
    }

    fn bearer(&self) -> &str {
        let value = self.parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        match value.split_at_checked(7) {
            Some((scheme, secret)) if scheme.eq_ignore_ascii_case("bearer ") => secret.trim(),
            _ => "",
        }
    }
}

fn later(status: StatusCode, why: &'static str) -> Response {
    (status, [(header::RETRY_AFTER, "10")], why).into_response()
}

/// Becomes a WebSocket whose messages are at most `longest` bytes long.
async fn upgrade(parts: &mut Parts, longest: usize) -> Result<WebSocketUpgrade, Response> {
    let upgrade = WebSocketUpgrade::from_request_parts(parts, &()).await.map_err(IntoResponse::into_response)?;
    let upgrade = upgrade.read_buffer_size(BUFFER).write_buffer_size(BUFFER).max_write_buffer_size(4 * longest);
    Ok(upgrade.max_message_size(longest).max_frame_size(longest))
}

/// Becomes a WebSocket whose frames nobody here puts together.
fn raw<F>(parts: &mut Parts, then: impl FnOnce(OnUpgrade) -> F) -> Response
where
    F: Future<Output = ()> + Send + 'static,
{
    let has = |name, token: &str| {
        let value = parts.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).unwrap_or_default();
        value.split(',').any(|part| part.trim().eq_ignore_ascii_case(token))
    };
    let asked =
        has(header::CONNECTION, "upgrade") && has(header::UPGRADE, "websocket") && has(header::SEC_WEBSOCKET_VERSION, "13");
    let key = parts.headers.get(header::SEC_WEBSOCKET_KEY).filter(|_| asked && parts.method == Method::GET);
    let accept = key.map(|key| derive_accept_key(key.as_bytes()));
    let (Some(accept), Some(upgrade)) = (accept, parts.extensions.remove::<OnUpgrade>()) else {
        return (StatusCode::UPGRADE_REQUIRED, [(header::UPGRADE, "websocket")], "this is a WebSocket").into_response();
    };
    tokio::spawn(then(upgrade));
    let headers = [
        (header::CONNECTION, HeaderValue::from_static("upgrade")),
        (header::UPGRADE, HeaderValue::from_static("websocket")),
        (header::SEC_WEBSOCKET_ACCEPT, HeaderValue::from_str(&accept).expect("base64 is fine in a header")),
    ];
    (StatusCode::SWITCHING_PROTOCOLS, headers, Body::empty()).into_response()
}
