//! The HTTP server for volunteers: the page and its parts, the function, and the WebSockets, all
//! below the join token. And the monitoring page, below a token of its own.
//!
//! All other paths are answered 404, so that a stranger who finds the port learns nothing. `Host`
//! must name this machine, and `Origin`, if present, must name the same host, so that no foreign
//! page can reach the server through a client's browser.

mod files;
mod hosts;
mod qr;
mod signal;
mod socket;
mod visitor;

pub(crate) use hosts::Hosts;
pub(crate) use qr::qr;
pub(crate) use visitor::is_loopback;

use crate::{
    assets::{AssetAnswer, AssetRequest, AssetSource},
    channel::Peers,
    console::Console,
    ice::IceServer,
    master::{Master, same_secret},
    monitor::Monitor,
};
use axum::{
    body::Body,
    extract::Request,
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use files::PageFiles;
use pando_protocol::page::PageOptions;
use pando_web::{
    AddressRates, Application, AssetQuery, Certificate, Client, ConnectionSlot, Connections, Gate,
    RefusedConnection, asset_response,
};
use std::{
    sync::{Arc, Mutex},
    time::Instant,
};
use tokio::{net::TcpListener, sync::oneshot};

/// Most bytes on a connection before the first message of its WebSocket: enough for requests, and
/// for a hello that names 4,000 values.
const CREDIT: usize = 256 << 10;
/// Most wrong paths of an address, per second and at once. A client with more could be guessing
/// tokens.
const MISSES: (f64, f64) = (1.0, 60.0);

/// The content and settings of the server.
pub(crate) struct Site {
    /// What volunteers find; nothing on a server for the monitoring page alone.
    pub(crate) volunteers: Option<VolunteerSite>,
    /// The monitoring page.
    pub(crate) monitor: Arc<Monitor>,
    /// The console for messages about connections.
    pub(crate) console: Console,
    /// Names under which this machine may be addressed.
    pub(crate) hosts: Hosts,
    /// The limits on connections.
    pub(crate) connections: Arc<Connections>,
    /// The certificate; without one, the server uses plain HTTP.
    pub(crate) certificate: Option<Certificate>,
}

/// What volunteers find.
pub(crate) struct VolunteerSite {
    /// The master of the run.
    pub(crate) master: Arc<Master>,
    /// The first path segment; empty for open access.
    pub(crate) token: String,
    /// The function's bundle.
    pub(crate) function: String,
    /// The settings of the page.
    pub(crate) page: PageOptions,
    /// The peer connections, if there is a UDP port.
    pub(crate) peers: Option<Peers>,
    /// The ICE servers for browsers.
    pub(crate) ice_servers: Vec<IceServer>,
    /// The assets of the run, if it has some.
    pub(crate) assets: Option<AssetSource>,
}

struct SiteServer {
    volunteers: Option<VolunteerServer>,
    monitor: Arc<Monitor>,
    hosts: Hosts,
    misses: Mutex<AddressRates>,
}

/// The part of the server for volunteers.
struct VolunteerServer {
    site: Arc<VolunteerSite>,
    files: PageFiles,
}

/// What a path is about, with the rest of the path; `None` for the segment of the token alone.
enum SiteFolder<'a> {
    Monitor(Option<&'a str>),
    Volunteers(Option<&'a str>),
    Nowhere,
}

/// Serves `site` on `listener` until `closed` gets a message or its sender is dropped.
pub(crate) async fn serve(listener: TcpListener, site: Site, closed: oneshot::Receiver<()>) {
    let gate = gate(&site);
    let Site { volunteers, monitor, hosts, certificate, .. } = site;
    let misses = Mutex::new(AddressRates::new(MISSES.0, MISSES.1));
    let volunteers = volunteers
        .map(|site| VolunteerServer { files: PageFiles::new(&site), site: Arc::new(site) });
    let server = Arc::new(SiteServer { volunteers, monitor, hosts, misses });
    pando_web::serve(listener, server, gate, certificate, async { drop(closed.await) }).await;
}

fn gate(site: &Site) -> Gate {
    let console = site.console.clone();
    let refused = move |refusal: &RefusedConnection| {
        console.say(match refusal {
            RefusedConnection::Full(from) => {
                format!("there are too many connections: one from {from} was refused (--max-connections allows more)")
            }
            RefusedConnection::Files(from) => format!(
                "there are too many connections for the files that this process may have open: one from {from} was refused \
                 (a higher `ulimit -n` allows more)"
            ),
            RefusedConnection::Address(from) => {
                format!("{from} has too many connections: one more was refused (--max-connections-per-address allows more)")
            }
            RefusedConnection::Failed(error) => format!("a new connection cannot be accepted now ({error}) and waits; open connections go on"),
        });
    };
    // Many connections from this machine may belong to a proxy, or to a thousand light volunteers.
    Gate::new(site.connections.clone(), |address| !address.is_loopback())
        .credit(CREDIT)
        .telling(refused)
}

impl Application for SiteServer {
    async fn respond(self: Arc<Self>, client: Client, request: Request) -> Response {
        let for_people = pando_web::wants_page(request.headers());
        let mut response = respond(self.clone(), client, request).await;
        if for_people && response.status() == StatusCode::NOT_FOUND {
            response = pando_web::nothing_here();
        }
        pando_web::always(response.headers_mut());
        // A page of another site may not embed any answer, nor find out which paths exist.
        response
            .headers_mut()
            .insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
        response
    }
}

async fn respond(server: Arc<SiteServer>, client: Client, request: Request) -> Response {
    let host = request.headers().get(header::HOST);
    if !server.hosts.allows(host) || request.headers().get_all(header::HOST).iter().count() > 1 {
        let text = "This name is not one of this machine's (pando --allow-host NAME lets it in).";
        return (StatusCode::MISDIRECTED_REQUEST, text).into_response();
    }
    let origin = request.headers().get(header::ORIGIN);
    if hosts::is_foreign(origin, host) {
        return (StatusCode::FORBIDDEN, "Another site's page may not join.").into_response();
    }
    if pando_web::requests_service_worker(request.headers()) {
        return (StatusCode::FORBIDDEN, pando_web::NO_SERVICE_WORKER).into_response();
    }
    let path = request.uri().path().trim_start_matches('/').to_owned();
    match (server.place(&path), &server.volunteers) {
        (SiteFolder::Monitor(None), _) => redirect(server.monitor.token()),
        (SiteFolder::Monitor(Some(rest)), _) => {
            // Whoever knows the token is no stranger, and may ask often.
            client.slot.mark_known();
            server.monitor.respond(rest, request).await
        }
        (SiteFolder::Volunteers(None), Some(volunteers)) => redirect(&volunteers.site.token),
        (SiteFolder::Volunteers(Some(rest)), Some(volunteers)) => {
            match volunteers.respond(rest, client.slot.clone(), request).await {
                Some(response) => response,
                // Without a join token, any path may be a guess of the monitor's token.
                None if volunteers.site.token.is_empty() => server.miss(&client),
                None => StatusCode::NOT_FOUND.into_response(),
            }
        }
        _ => server.miss(&client),
    }
}

fn redirect(token: &str) -> Response {
    let location = [(header::LOCATION, format!("/{token}/"))];
    (StatusCode::PERMANENT_REDIRECT, location).into_response()
}

impl SiteServer {
    /// What `path` is about. Tokens are compared in constant time.
    fn place<'a>(&self, path: &'a str) -> SiteFolder<'a> {
        let (first, rest) = match path.split_once('/') {
            Some((first, rest)) => (first, Some(rest)),
            None => (path, None),
        };
        if same_secret(first, self.monitor.token()) {
            return SiteFolder::Monitor(rest);
        }
        match self.volunteers.as_ref().map(|volunteers| &*volunteers.site.token) {
            Some("") => SiteFolder::Volunteers(Some(path)),
            Some(token) if same_secret(first, token) => SiteFolder::Volunteers(rest),
            _ => SiteFolder::Nowhere,
        }
    }

    /// Answers a request for a wrong path, and counts it.
    fn miss(&self, client: &Client) -> Response {
        let mut misses = self.misses.lock().expect("nobody panics with it");
        match misses.take(client.from.ip(), Instant::now()) {
            true => StatusCode::NOT_FOUND.into_response(),
            false => (StatusCode::TOO_MANY_REQUESTS, "too many wrong addresses: wait a minute")
                .into_response(),
        }
    }
}

impl VolunteerServer {
    /// Answers a request for the asset at `path`.
    async fn asset(&self, path: &str, assets: &AssetSource, request: Request) -> Response {
        let (request, _) = request.into_parts();
        let Some(query) = AssetQuery::of(path, &request) else {
            return (StatusCode::BAD_REQUEST, "this is no name of an asset").into_response();
        };
        let (is_part, head_only) = (query.is_of_part(), request.method == Method::HEAD);
        let AssetQuery { name, from, to } = query;
        let answer = AssetAnswer::to(assets, AssetRequest { name, from, to, head_only }).await;
        answer.tell(&self.site.master.events);
        let head = answer.head.clone();
        let mut response = asset_response(&head, is_part, Body::from_stream(answer.pieces()));
        // A script among the assets may run in a worker, and then has the policy of a function.
        self.files.set_policy(response.headers_mut(), &request.headers);
        response
    }

    /// Answers a request for `name`, without the token, on the connection of `slot`; `None` if
    /// there is no such name.
    async fn respond(
        &self,
        name: &str,
        slot: Arc<ConnectionSlot>,
        request: Request,
    ) -> Option<Response> {
        match name {
            "socket" => Some(socket::socket(&self.site, slot, request)),
            "signal" => Some(signal::signal(self.site.clone(), request)),
            _ if !matches!(*request.method(), Method::GET | Method::HEAD) => None,
            name => match (name.strip_prefix("assets/"), &self.site.assets) {
                (Some(path), Some(assets)) => Some(self.asset(path, assets, request).await),
                _ => self.files.file(name, request.headers()),
            },
        }
    }
}
