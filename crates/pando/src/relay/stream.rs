//! Connections as they are accepted: counted, kept awake, and ended when the other side takes nothing any more.

use super::connections::{Connections, Seat};
use axum::{Extension, middleware::AddExtension};
use axum_server::accept::Accept;
use socket2::{SockRef, TcpKeepalive};
use std::{
    future::{Future, Ready, ready},
    io::{self, ErrorKind, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready as done},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Sleep, sleep},
};
use tower_layer::Layer;

/// A connection whose other side takes no byte for this long is ended.
const STALLED: Duration = Duration::from_secs(60);
/// An idle connection is asked for a sign of life after this long, …
const IDLE: Duration = Duration::from_secs(30);
/// … and then this often, three times.
const PROBE: Duration = Duration::from_secs(10);

/// Gives each connection its place; one that finds none is closed at once.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    pub(crate) connections: Arc<Connections>,
    /// Behind a proxy all come from its address.
    pub(crate) by_address: bool,
}

impl<S> Accept<TcpStream, S> for Gate {
    type Stream = Watched<TcpStream>;
    type Service = AddExtension<S, Arc<Seat>>;
    type Future = Ready<io::Result<(Self::Stream, Self::Service)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let accepted = stream.peer_addr().and_then(|peer| {
            let seat = self.connections.seat(self.by_address.then(|| peer.ip()));
            let seat = Arc::new(seat.ok_or_else(|| io::Error::new(ErrorKind::QuotaExceeded, "too many connections"))?);
            keep_awake(&stream)?;
            let service = Extension(seat.clone()).layer(service);
            Ok((Watched { stream, stalled: None, _seat: seat }, service))
        });
        ready(accepted)
    }
}

fn keep_awake(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    let keepalive = TcpKeepalive::new().with_time(IDLE).with_interval(PROBE);
    #[cfg(not(windows))]
    let keepalive = keepalive.with_retries(3);
    socket.set_tcp_keepalive(&keepalive)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(STALLED))?;
    Ok(())
}

/// A stream that fails when a write has waited for too long.
#[derive(Debug)]
pub(crate) struct Watched<S> {
    stream: S,
    stalled: Option<Pin<Box<Sleep>>>,
    _seat: Arc<Seat>,
}

impl<S> Watched<S> {
    fn watch<T>(&mut self, context: &mut Context<'_>, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.stalled = None;
            return result;
        }
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(STALLED)));
        done!(stalled.as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(ErrorKind::TimedOut, "the other side takes nothing")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch(context, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.watch(context, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
