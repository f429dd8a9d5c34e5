//! What Pando's master and relay share as web servers that strangers can reach.
//!
//! [`serve`] is the listener: connections are counted, in all and from each address ([`Connections`], [`Gate`]); a client that is slow to
//! say what it wants is dropped; TLS is spoken where there is a [`Certificate`]. [`Policy`] has the headers that tell browsers what may
//! run where. [`embedded`] holds the built pages and scripts of `web/`.

mod connections;
pub mod embedded;
mod gate;
mod headers;
mod nothing;
mod rates;
mod tls;

pub use connections::{Connections, Seat};
pub use gate::{Gate, Refusal};
pub use headers::{Network, Policy, STAYS, always, stays};
pub use nothing::{nothing_here, wants_page};
pub use rates::Bucket;
pub use rates::Rates;
pub use tls::SelfSigned;
pub use tls::{Certificate, Files};

use axum::{body::Body, extract::Request, response::Response};
use gate::speaks_tls;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{convert::Infallible, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::watch,
    time::{sleep, timeout},
};

/// Time for a request's headers, from the end of the one before or of the handshake, and for the handshake of TLS.
const HEADERS: Duration = Duration::from_secs(10);
/// Bytes of a request's headers.
const HEADERS_LENGTH: usize = 16 << 10;
/// File descriptors that are not for connections but for files, programs and the like: so many, or half of all.
#[cfg(unix)]
const RESERVED_FILES: usize = 256;
/// Time between two tries to take a connection that the system does not give.
const PAUSE: Duration = Duration::from_millis(50);
/// Time for connections to close at the end.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// The client of a request.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// The address of the client, or of the proxy in front of this port.
    pub from: SocketAddr,
    /// The place of the connection among all others.
    pub seat: Arc<Seat>,
}

/// An application that answers requests.
pub trait Application: Send + Sync + 'static {
    /// Answers one request of `visitor`.
    fn respond(self: Arc<Self>, visitor: Visitor, request: Request) -> impl Future<Output = Response> + Send;
}

/// Listens on `address`, with room for as many connections that wait as the system allows: one that finds none is only tried again
/// after a second.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(4096)
}

/// Serves `app` on `listener` to those whom `gate` lets in, by TLS if there is a `certificate`, until `closed`.
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
                let connection = connection(stream, from, app.clone(), gate.clone(), certificate.clone(), end.subscribe());
                tokio::spawn(connection);
            }
            Err(error) => {
                gate.tell(&Refusal::Failed(&error));
                sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    end.send_replace(());
    // Each connection drops its end when it is done.
    let _ = timeout(LAST_WORDS, end.closed()).await;
}

/// One connection, from its first byte to its last.
async fn connection(
    stream: TcpStream,
    from: SocketAddr,
    app: Arc<impl Application>,
    gate: Gate,
    certificate: Option<Certificate>,
    mut ends: watch::Receiver<()>,
) {
    let Ok(mut stream) = gate.admit(stream) else { return };
    let visitor = Visitor { from, seat: stream.seat() };
    let Some(certificate) = certificate else { return speak(stream, visitor, app, ends).await };
    let handshake = async {
        timeout(HEADERS, speaks_tls(&mut stream)).await??;
        timeout(HEADERS, certificate.acceptor().accept(stream)).await?
    };
    let shaken = tokio::select! {
        shaken = handshake => shaken,
        _ = ends.changed() => return,
    };
    if let Ok(stream) = shaken {
        speak(stream, visitor, app, ends).await;
    }
}

/// Answers the requests that come over `stream`, until it is done or the server `ends`.
async fn speak<S>(stream: S, visitor: Visitor, app: Arc<impl Application>, mut ends: watch::Receiver<()>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let (app, visitor) = (app.clone(), visitor.clone());
        async move { Ok::<_, Infallible>(app.respond(visitor, request.map(Body::new)).await) }
    });
    // HTTP/1 only, whatever is said first: the limits here are for it, and HTTP/2 is a large door for a small house.
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADERS).max_buf_size(HEADERS_LENGTH);
    let mut serving = pin!(http.serve_connection(TokioIo::new(stream), service).with_upgrades());
    tokio::select! {
        _ = &mut serving => return,
        _ = ends.changed() => serving.as_mut().graceful_shutdown(),
    }
    let _ = timeout(LAST_WORDS, serving).await;
}

/// As many connections as fit into the files that the system lets this process have, `most` at most.
pub fn fitting(most: usize) -> usize {
    #[cfg(unix)]
    {
        let files = usize::try_from(rlimit::increase_nofile_limit(u64::MAX).unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
        most.min(files - RESERVED_FILES.min(files / 2))
    }
    #[cfg(not(unix))]
    most
}
