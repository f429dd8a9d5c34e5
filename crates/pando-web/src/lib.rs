//! What Pando's master and relay share as web servers that strangers can reach.
//!
//! [`serve`] is the listener: connections are counted, in all and from each address
//! ([`Connections`], [`Gate`]); a client that is slow to say what it wants is dropped; TLS is
//! spoken where there is a [`Certificate`]. [`Policy`] has the headers that tell browsers what may
//! run where. [`embedded`] holds the built pages and scripts of `web/`.

mod assets;
mod connections;
pub mod embedded;
mod gate;
mod headers;
mod nothing;
mod rates;
mod tls;
mod web_socket;

pub use assets::{AssetQuery, asset_response};
pub use connections::{ConnectionSlot, Connections};
pub use gate::{Gate, RefusedConnection};
pub use headers::{NO_SERVICE_WORKER, Network, Policy, always, requests_service_worker};
pub use nothing::{nothing_here, wants_page};
pub use rates::AddressRates;
pub use rates::TokenBucket;
pub use tls::SelfSigned;
pub use tls::{Certificate, CertificateFiles};
pub use web_socket::{ReadAhead, ServerSocket, accept_web_socket};

use axum::{body::Body, extract::Request, response::Response};
use gate::expect_tls;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{convert::Infallible, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::watch,
    time::{sleep, timeout},
};

/// How long a TLS handshake may take, and the headers of a request, counted from the end of the
/// previous request or of the handshake.
const HEADERS: Duration = Duration::from_secs(10);
/// Most bytes of a request's headers.
const HEADERS_LENGTH: usize = 16 << 10;
/// File descriptors reserved for files, programs and the like: this number, or half of all,
/// whichever is less.
#[cfg(unix)]
const RESERVED_FILES: usize = 256;
/// The time between two tries to accept a connection when the system refuses.
const PAUSE: Duration = Duration::from_millis(50);
/// How long connections may take to close at the end.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// The client of a request.
#[derive(Debug, Clone)]
pub struct Client {
    /// The address of the client, or of the proxy in front of this port.
    pub from: SocketAddr,
    /// The place of the connection among all others.
    pub slot: Arc<ConnectionSlot>,
}

/// An application that answers requests.
pub trait Application: Send + Sync + 'static {
    /// Answers one request of `client`.
    fn respond(
        self: Arc<Self>,
        client: Client,
        request: Request,
    ) -> impl Future<Output = Response> + Send;
}

/// Listens on `address`, with the longest queue of waiting connections that the system allows,
/// because a client that finds the queue full tries again only after a second.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(4096)
}

/// Serves `app` on `listener` to connections that `gate` admits, over TLS if there is a
/// `certificate`, until `closed`.
pub async fn serve(
    listener: TcpListener,
    app: Arc<impl Application>,
    gate: Gate,
    certificate: Option<Certificate>,
    closed: impl Future<Output = ()>,
) {
    let (end, _) = watch::channel(());
    let mut closed = pin!(closed);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut closed => break,
        };
        match accepted {
            Ok((stream, from)) => {
                let connection = connection(
                    stream,
                    from,
                    app.clone(),
                    gate.clone(),
                    certificate.clone(),
                    end.subscribe(),
                );
                tokio::spawn(connection);
            }
            Err(error) => {
                gate.tell(&RefusedConnection::Failed(&error));
                sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    end.send_replace(());
    // Each connection drops its receiver when it ends.
    let _ = timeout(LAST_WORDS, end.closed()).await;
}

/// Serves one connection, from its first byte to its last.
async fn connection(
    stream: TcpStream,
    from: SocketAddr,
    app: Arc<impl Application>,
    gate: Gate,
    certificate: Option<Certificate>,
    mut ends: watch::Receiver<()>,
) {
    let Ok(mut stream) = gate.admit(stream) else { return };
    let client = Client { from, slot: stream.slot() };
    let Some(certificate) = certificate else { return speak(stream, client, app, ends).await };
    let handshake = async {
        timeout(HEADERS, expect_tls(&mut stream)).await??;
        timeout(HEADERS, certificate.acceptor().accept(stream)).await?
    };
    let shaken = tokio::select! {
        shaken = handshake => shaken,
        _ = ends.changed() => return,
    };
    if let Ok(stream) = shaken {
        speak(stream, client, app, ends).await;
    }
}

/// Answers the requests on `stream`, until it ends or the server `ends`.
async fn speak<S>(
    stream: S,
    client: Client,
    app: Arc<impl Application>,
    mut ends: watch::Receiver<()>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let (app, client) = (app.clone(), client.clone());
        async move { Ok::<_, Infallible>(app.respond(client, request.map(Body::new)).await) }
    });
    // HTTP/1 only, whatever the client offers: the limits here are for HTTP/1, and HTTP/2 would be
    // a large attack surface for a small server.
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADERS).max_buf_size(HEADERS_LENGTH);
    let mut serving = pin!(http.serve_connection(TokioIo::new(stream), service).with_upgrades());
    tokio::select! {
        _ = &mut serving => return,
        _ = ends.changed() => serving.as_mut().graceful_shutdown(),
    }
    let _ = timeout(LAST_WORDS, serving).await;
}

/// The number of connections for which the system has file descriptors, at most `most`.
pub fn fitting(most: usize) -> usize {
    #[cfg(unix)]
    {
        let files = usize::try_from(rlimit::increase_nofile_limit(u64::MAX).unwrap_or(u64::MAX))
            .unwrap_or(usize::MAX);
        most.min(files - RESERVED_FILES.min(files / 2))
    }
    #[cfg(not(unix))]
    most
}
