//! The answers of the relay to HTTP requests.
//!
//! Rooms share a web origin, so each page is served in its own sandbox: a page can read nothing of
//! other rooms, nor of its own origin. For this reason the parts of a page may be read from any
//! origin, and `Origin: null` is accepted.

mod denied;
mod upgrade;

use super::{
    Relay,
    address::{RelayAddress, client},
    control, link, pages,
    rooms::{NoEntry, Unclaimed},
    signal,
};
use axum::{
    extract::Request,
    http::{Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use denied::Denied;
use pando_protocol::signalling;
use pando_web::{Application, AssetQuery, Client, ConnectionSlot};
use serde_json::json;
use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

/// The delay of the answer to a wrong secret.
const WRONG: Duration = Duration::from_secs(1);

/// A request and its client.
struct RelayRequest {
    relay: Arc<Relay>,
    slot: Arc<ConnectionSlot>,
    from: IpAddr,
    parts: Parts,
}

/// Answers everything.
impl Application for Relay {
    async fn respond(self: Arc<Self>, Client { from, slot }: Client, request: Request) -> Response {
        let (parts, _) = request.into_parts();
        let from = client(&parts.headers, from.ip(), self.behind_proxy);
        let for_people = pando_web::wants_page(&parts.headers);
        let asked = RelayRequest { relay: self.clone(), slot, from, parts };
        let mut response = asked.answer().await.unwrap_or_else(IntoResponse::into_response);
        if for_people && response.status() == StatusCode::NOT_FOUND {
            response = pando_web::nothing_here();
        }
        pando_web::always(response.headers_mut());
        response
    }
}

impl RelayRequest {
    async fn answer(self) -> Result<Response, Denied> {
        let path = self.parts.uri.path().to_owned();
        let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        // Masters send as many requests as their volunteers do; the mistakes of masters are
        // counted separately.
        let is_asset = segments.get(1) == Some(&"assets");
        let is_a_masters = segments[0] == "rooms" || segments.len() > 2 && !is_asset;
        if !is_a_masters && !self.relay.guards().requests.take(self.from, Instant::now()) {
            return Err(Denied::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too many requests from this address",
            ));
        }
        if !matches!(self.parts.method, Method::GET | Method::HEAD) {
            return Err(Denied::new(StatusCode::METHOD_NOT_ALLOWED, ""));
        }
        if pando_web::requests_service_worker(&self.parts.headers) {
            return Err(Denied::new(StatusCode::FORBIDDEN, pando_web::NO_SERVICE_WORKER));
        }
        match *segments {
            ["healthz"] => Ok(self.health()),
            ["rooms"] => self.control().await,
            ["rooms", token, "links", id] => self.master_link(token, id).await,
            [token] => self.redirect(token),
            [token, "signal"] => self.signal(token).await,
            [token, "socket"] => self.volunteer_link(token),
            [token, name] => self.file(token, name),
            [token, "assets", ..] => self.asset(token, path.splitn(4, '/').nth(3)).await,
            _ => Err(self.nothing()),
        }
    }

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
        ([(header::CONTENT_TYPE, "application/json")], health.to_string()).into_response()
    }

    fn redirect(&self, token: &str) -> Result<Response, Denied> {
        if self.relay.rooms().content(token).is_none() {
            return Err(self.nothing());
        }
        // The redirect is relative, because a proxy may serve the relay below a path.
        Ok((StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, format!("{token}/"))])
            .into_response())
    }

    fn file(&self, token: &str, name: &str) -> Result<Response, Denied> {
        let found = {
            let rooms = self.relay.rooms();
            let content = rooms.content(token).cloned();
            content.zip(rooms.handle(token).map(|shell| shell.traffic()))
        };
        let (content, traffic) = found.ok_or_else(|| self.nothing())?;
        pages::file(&content, &traffic, name, &self.parts.headers, &self.authority())
            .ok_or(Denied::new(StatusCode::NOT_FOUND, ""))
    }

    /// Passes on an asset, which the room's master sends.
    async fn asset(self, token: &str, path: Option<&str>) -> Result<Response, Denied> {
        let content = self.relay.rooms().content(token).cloned();
        let content = content.ok_or_else(|| self.nothing())?;
        let query = path.and_then(|path| AssetQuery::of(path, &self.parts));
        let Some(query) = query.filter(|_| content.page.assets) else {
            return Err(Denied::new(StatusCode::NOT_FOUND, ""));
        };
        let slot = self.admit(token)?;
        let head_only = self.parts.method == Method::HEAD;
        let answer = link::asset(self.relay.clone(), token.to_owned(), query, head_only).await;
        drop(slot);
        let mut response = answer.ok_or(Denied::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "the run's machine does not send the asset",
        ))?;
        let authority = self.authority();
        pages::set_policy(&content, &self.parts.headers, &authority, response.headers_mut());
        Ok(response)
    }

    /// The relay, as the client knows it.
    fn authority(&self) -> String {
        let place = self.relay.url.clone().or_else(|| {
            RelayAddress::of(&self.parts.headers, self.relay.tls, self.relay.behind_proxy)
        });
        place.as_ref().map(RelayAddress::authority).unwrap_or_default().to_owned()
    }

    async fn signal(mut self, token: &str) -> Result<Response, Denied> {
        let slot = self.admit(token)?;
        let upgrade = upgrade::messages(&mut self.parts, signalling::LONGEST).await?;
        let (relay, token) = (self.relay, token.to_owned());
        Ok(upgrade.on_upgrade(async move |socket| {
            signal::converse(relay, token, socket).await;
            drop(slot);
        }))
    }

    fn volunteer_link(mut self, token: &str) -> Result<Response, Denied> {
        let slot = self.admit(token)?;
        let (relay, token) = (self.relay, token.to_owned());
        upgrade::frames(&mut self.parts, |upgrade| async move {
            link::volunteer(relay, token, upgrade).await;
            drop(slot);
        })
    }

    async fn master_link(mut self, token: &str, id: &str) -> Result<Response, Denied> {
        let claimed = self.relay.rooms().claim(token, self.bearer(), id);
        match claimed {
            Ok(volunteer) => {
                self.slot.exempt_from_address_limit();
                upgrade::frames(&mut self.parts, |upgrade| link::master(volunteer, upgrade))
            }
            Err(Unclaimed::WrongKey) => Err(self.wrong("the room has another key").await),
            Err(Unclaimed::Unknown) => Err(self.nothing()),
        }
    }

    async fn control(mut self) -> Result<Response, Denied> {
        if !self.relay.secrets.knows(self.bearer()) {
            return Err(self
                .wrong("wrong secret: masters need one of those that this relay was started with")
                .await);
        }
        let place = self.relay.url.clone();
        let place = place.or_else(|| {
            RelayAddress::of(&self.parts.headers, self.relay.tls, self.relay.behind_proxy)
        });
        let place = place.ok_or(Denied::new(StatusCode::BAD_REQUEST, "no sound Host header"))?;
        let upgrade = upgrade::messages(&mut self.parts, control::LONGEST).await?;
        self.slot.exempt_from_address_limit();
        let (relay, from) = (self.relay, self.from);
        Ok(upgrade.on_upgrade(move |socket| control::attend(relay, socket, place, from)))
    }

    /// Lets one more volunteer into the room at `token`. Behind a proxy, the volunteer counts for
    /// the address named by the proxy.
    fn admit(&self, token: &str) -> Result<Option<ConnectionSlot>, Denied> {
        let entry = self.relay.rooms().has_place(token);
        entry.map_err(|why| match why {
            NoEntry::Unknown => self.nothing(),
            NoEntry::NoMaster => {
                Denied::new(StatusCode::SERVICE_UNAVAILABLE, "the run is away for a moment")
            }
            NoEntry::Full => Denied::new(StatusCode::SERVICE_UNAVAILABLE, "the room is full"),
        })?;
        if !self.relay.behind_proxy {
            return Ok(None);
        }
        let slot = self.relay.connections.guest(self.from);
        slot.map(Some).ok_or(Denied::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too many connections from this address",
        ))
    }

    /// The answer for a path without content. A client with many of these requests could be
    /// guessing tokens, so it is limited.
    fn nothing(&self) -> Denied {
        match self.relay.guards().misses.take(self.from, Instant::now()) {
            true => Denied::new(StatusCode::NOT_FOUND, ""),
            false => Denied::new(StatusCode::TOO_MANY_REQUESTS, "too many wrong addresses"),
        }
    }

    /// The answer to a wrong secret or key. The right one is accepted however many wrong ones came
    /// from its address; otherwise a stranger behind the same router could shut a master out.
    /// Guessing is limited because each guess takes a connection for a second.
    async fn wrong(&self, why: &'static str) -> Denied {
        let may_know = self.relay.guards().wrong.take(self.from, Instant::now());
        if may_know {
            self.relay.log.warn("wrong-secret", json!({"address": self.from.to_string()}));
        }
        let slot = self.slot.clone();
        // The connection keeps its place for this second, even if the client hangs up.
        let wait = tokio::spawn(async move {
            tokio::time::sleep(WRONG).await;
            drop(slot);
        });
        let _ = wait.await;
        match may_know {
            true => Denied::new(StatusCode::UNAUTHORIZED, why),
            false => Denied::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too many wrong secrets from this address: wait a minute",
            ),
        }
    }

    fn bearer(&self) -> &str {
        let value = self
            .parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        match value.split_at_checked(7) {
            Some((scheme, secret)) if scheme.eq_ignore_ascii_case("bearer ") => secret.trim(),
            _ => "",
        }
    }
}
