//! A TCP port that strangers can reach: the master's and the relay's. Connections are counted, in all and from each address; who is
//! slow to say what it wants is dropped; TLS is spoken where there is a certificate.

mod connections;
mod gate;
mod headers;
mod rates;
mod tls;

pub(crate) use connections::{Connections, Seat};
pub(crate) use gate::{Gate, Refusal};
pub(crate) use headers::{Network, Policy, STAYS, always, stays};
#[cfg(feature = "relay")]
pub(crate) use rates::Bucket;
pub(crate) use rates::Rates;
pub(crate) use tls::Files;
#[cfg(feature = "master")]
pub(crate) use tls::SelfSigned;

use axum::{Router, extract::connect_info::IntoMakeServiceWithConnectInfo};
use axum_server::{
    Handle, Server,
    tls_rustls::{RustlsAcceptor, RustlsConfig},
};
use hyper_util::{
    rt::{TokioExecutor, TokioTimer},
    server::conn::auto::Builder,
};
use std::{io, net::SocketAddr, time::Duration};
use tokio::net::{TcpListener, TcpSocket};

/// Time for a request's headers, for the first request of a connection, and for the handshake of TLS.
const HEADERS: Duration = Duration::from_secs(10);
/// Bytes of a request's headers.
const HEADERS_LENGTH: usize = 16 << 10;
/// File descriptors that are not for connections but for files, programs and the like: so many, or half of all.
#[cfg(unix)]
const RESERVED_FILES: usize = 256;

/// Answers requests; knows where each comes from.
pub(crate) type App = IntoMakeServiceWithConnectInfo<Router, SocketAddr>;

/// Listens on `address`, with room for as many connections that wait as the system allows: one that finds none is only tried again
/// after a second.
pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(4096)
}

/// Serves `app` on `listener` to those whom `gate` lets in, by TLS if there is a `certificate`, until `handle` ends it.
pub(crate) async fn serve(
    listener: TcpListener,
    app: App,
    gate: Gate,
    certificate: Option<RustlsConfig>,
    handle: Handle<SocketAddr>,
) -> io::Result<()> {
    let telling = gate.clone();
    let mut server = Server::from_listener(listener).handle(handle).first_request_timeout(HEADERS);
    // It goes on, and tries again after a moment.
    server = server.accept_error_handler(move |from, error| {
        if from.is_none() {
            telling.tell(&Refusal::Failed(error));
        }
    });
    // HTTP/1 only: the other one is a large door for a small house.
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADERS).max_buf_size(HEADERS_LENGTH);
    *server.http_builder() = builder;
    match certificate {
        Some(config) => {
            server.acceptor(RustlsAcceptor::new(config).handshake_timeout(HEADERS).acceptor(gate.tls())).serve(app).await
        }
        None => server.acceptor(gate).serve(app).await,
    }
}

/// As many connections as fit into the files that the system lets this process have, `most` at most.
pub(crate) fn fitting(most: usize) -> usize {
    #[cfg(unix)]
    {
        let files = usize::try_from(rlimit::increase_nofile_limit(u64::MAX).unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
        most.min(files - RESERVED_FILES.min(files / 2))
    }
    #[cfg(not(unix))]
    most
}
