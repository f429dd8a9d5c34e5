//! The HTTP server for volunteers: the page and its parts, the function, and the WebSockets, all
//! below the join token.
//!
//! All other paths are answered 404, so that a stranger who finds the port learns nothing. `Host`
//! must name this machine, and `Origin`, if present, must name the same host, so that no foreign
//! page can reach the server through a client's browser.

mod addresses;
mod files;
mod hosts;
mod signal;
mod socket;
mod visitor;

pub(crate) use addresses::{addresses, qr};
pub(crate) use hosts::Hosts;
pub(crate) use visitor::is_loopback;

use crate::{channel::webrtc::Peers, ice::IceServer, master::Master};
use axum::{
    extract::Request,
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use files::PageFiles;
use pando_protocol::page::PageOptions;
use pando_web::{AddressRates, Application, Certificate, Client, Connections, Gate, Refusal};
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
    /// The master of the run.
    pub(crate) master: Arc<Master>,
    /// The first path segment; empty for open access.
    pub(crate) token: String,
    /// The function's bundle.
    pub(crate) function: String,
    /// The settings of the page.
    pub(crate) page: PageOptions,
    /// Names under which this machine may be addressed.
    pub(crate) hosts: Hosts,
    /// The peer connections, if there is a UDP port.
    pub(crate) peers: Option<Peers>,
    /// The ICE servers for browsers.
    pub(crate) ice_servers: Vec<IceServer>,
    /// The limits on connections.
    pub(crate) connections: Arc<Connections>,
    /// The certificate; without one, the server uses plain HTTP.
    pub(crate) certificate: Option<Certificate>,
}

struct SiteServer {
    site: Site,
    files: PageFiles,
    misses: Mutex<AddressRates>,
}

/// Serves `site` on `listener` until `closed` gets a message or its sender is dropped.
pub(crate) async fn serve(listener: TcpListener, site: Site, closed: oneshot::Receiver<()>) {
    let gate = gate(&site);
    let certificate = site.certificate.clone();
    let misses = Mutex::new(AddressRates::new(MISSES.0, MISSES.1));
    let server = Arc::new(SiteServer { files: PageFiles::new(&site), site, misses });
    pando_web::serve(listener, server, gate, certificate, async { drop(closed.await) }).await;
}

fn gate(site: &Site) -> Gate {
    let console = site.master.console.clone();
    let refused = move |refusal: &Refusal| {
        console.say(match refusal {
            Refusal::Full(from) => {
                format!("there are too many connections: one from {from} was refused (--max-connections allows more)")
            }
            Refusal::Files(from) => format!(
                "there are too many connections for the files that this process may have open: one from {from} was refused \
                 (a higher `ulimit -n` allows more)"
            ),
            Refusal::Address(from) => {
                format!("{from} has too many connections: one more was refused (--max-connections-per-address allows more)")
            }
            Refusal::Failed(error) => format!("a new connection cannot be accepted now ({error}) and waits; open connections go on"),
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

async fn respond(
    server: Arc<SiteServer>,
    Client { from, slot }: Client,
    request: Request,
) -> Response {
    let site = &server.site;
    let host = request.headers().get(header::HOST);
    if !site.hosts.allows(host) || request.headers().get_all(header::HOST).iter().count() > 1 {
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
    let below = match site.token.as_str() {
        "" => Some(&*path),
        token => {
            let (first, rest) = path.split_once('/').unwrap_or((&path, "\0"));
            crate::master::same_secret(first, token).then_some(rest)
        }
    };
    match below {
        Some("\0") => {
            (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, format!("/{}/", site.token))])
                .into_response()
        }
        Some("socket") => socket::socket(server.clone(), slot, request).await,
        Some("signal") => signal::signal(server.clone(), request).await,
        Some(name) if matches!(*request.method(), Method::GET | Method::HEAD) => server
            .files
            .file(name, request.headers())
            .unwrap_or_else(|| StatusCode::NOT_FOUND.into_response()),
        Some(_) => StatusCode::NOT_FOUND.into_response(),
        None if server
            .misses
            .lock()
            .expect("nobody panics with it")
            .take(from.ip(), Instant::now()) =>
        {
            StatusCode::NOT_FOUND.into_response()
        }
        None => (StatusCode::TOO_MANY_REQUESTS, "too many wrong addresses: wait a minute")
            .into_response(),
    }
}
