//! Accepted connections: counted, kept alive, and ended when the other side stops reading.

use super::{ConnectionSlot, Connections, HEADERS_LENGTH};
use socket2::{SockRef, TcpKeepalive};
use std::{
    io::{self, ErrorKind, IoSlice},
    net::IpAddr,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, ready as done},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::TcpStream,
    time::{Sleep, sleep},
};

/// How long the other side may read nothing before the connection is ended.
const STALLED: Duration = Duration::from_secs(60);
/// How long a connection may be idle before TCP sends a keep-alive probe.
const IDLE: Duration = Duration::from_secs(30);
/// The time between probes; after three without an answer the connection is lost.
const PROBE: Duration = Duration::from_secs(10);
/// The least time between two reports of refused connections.
const REFUSALS: Duration = Duration::from_secs(60);
/// First byte of a TLS connection: the record type of a handshake.
const HANDSHAKE: u8 = 0x16;
/// The answer to plain HTTP on a TLS port.
const SPEAKS_TLS: &str = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n\
    This port speaks https: use the same address with https:// in place of http://.\n";

/// A function that reports refused connections.
type RefusedListener = dyn Fn(&RefusedConnection) + Send + Sync;

/// Gives each connection its place; a connection without a place is closed at once.
#[derive(Clone)]
pub struct Gate {
    connections: Arc<Connections>,
    /// Whether connections from an address count for it; connections of a proxy do not.
    counts: fn(IpAddr) -> bool,
    /// Most bytes from a client before its introduction.
    credit: usize,
    /// The function that some of the refused connections are reported to.
    refused: Option<Arc<RefusedListener>>,
    /// The times of the last report: of connections refused by a limit, and by the system.
    told: Arc<Mutex<[Option<Instant>; 2]>>,
}

/// Why a connection is refused.
#[derive(Debug)]
pub enum RefusedConnection<'a> {
    /// The limit on all connections is reached; the connection came from this address.
    Full(IpAddr),
    /// The limit due to file descriptors is reached; the connection came from this address.
    Files(IpAddr),
    /// The limit of this address is reached.
    Address(IpAddr),
    /// The system did not accept the connection.
    Failed(&'a io::Error),
}

impl Gate {
    /// A gate that counts connections for their addresses only where `counts` is true.
    pub fn new(connections: Arc<Connections>, counts: fn(IpAddr) -> bool) -> Self {
        Self { connections, counts, credit: usize::MAX, refused: None, told: Arc::default() }
    }

    /// Ends connections that send more than `credit` bytes before [`ConnectionSlot::mark_known`] is
    /// called.
    pub fn credit(self, credit: usize) -> Self {
        Self { credit, ..self }
    }

    /// Reports refused connections to `refused`: at most one a minute of either kind.
    pub fn telling(self, refused: impl Fn(&RefusedConnection) + Send + Sync + 'static) -> Self {
        Self { refused: Some(Arc::new(refused)), ..self }
    }

    pub(crate) fn tell(&self, refusal: &RefusedConnection) {
        let Some(refused) = &self.refused else { return };
        let told = &mut self.told.lock().expect("nobody panics with it")
            [usize::from(matches!(refusal, RefusedConnection::Failed(_)))];
        if told.is_none_or(|told| told.elapsed() >= REFUSALS) {
            *told = Some(Instant::now());
            refused(refusal);
        }
    }

    /// Gives `stream` a place, if there is one.
    pub(crate) fn admit(&self, stream: TcpStream) -> io::Result<WatchedStream<TcpStream>> {
        let slot = Arc::new(self.slot(&stream)?);
        Ok(WatchedStream { stream, patience: STALLED, stalled: None, slot })
    }

    fn slot(&self, stream: &TcpStream) -> io::Result<ConnectionSlot> {
        let peer = stream.peer_addr()?.ip().to_canonical();
        let slot =
            self.connections.slot(Some(peer).filter(|peer| (self.counts)(*peer)), self.credit);
        let slot = slot.ok_or_else(|| {
            self.tell(&match &self.connections {
                all if all.fill_files() => RefusedConnection::Files(peer),
                all if all.is_full() => RefusedConnection::Full(peer),
                _ => RefusedConnection::Address(peer),
            });
            io::Error::new(ErrorKind::QuotaExceeded, "too many connections")
        })?;
        keep_awake(stream)?;
        Ok(slot)
    }
}

/// Waits for the first byte. A client with plain HTTP is told about TLS, and an error ends the
/// connection.
pub(crate) async fn expect_tls(watched: &mut WatchedStream<TcpStream>) -> io::Result<()> {
    let stream = &mut watched.stream;
    let mut first = [0];
    if stream.peek(&mut first).await? == 0 || first[0] == HANDSHAKE {
        return Ok(());
    }
    if first[0].is_ascii_uppercase() {
        // The request is read to its end, because closing a connection with unread bytes would
        // discard the answer.
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n")
            && request.len() < HEADERS_LENGTH
            && stream.read_buf(&mut request).await? > 0
        {}
        stream.write_all(SPEAKS_TLS.as_bytes()).await?;
        stream.shutdown().await?;
    }
    Err(io::Error::new(ErrorKind::InvalidData, "no TLS"))
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

/// A stream that fails when a write has waited too long, or when an unknown client sends too much.
#[derive(Debug)]
pub(crate) struct WatchedStream<S> {
    stream: S,
    patience: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
    slot: Arc<ConnectionSlot>,
}

impl<S> WatchedStream<S> {
    /// The place of the connection.
    pub(crate) fn slot(&self) -> Arc<ConnectionSlot> {
        self.slot.clone()
    }

    fn watch<T>(
        &mut self,
        context: &mut Context<'_>,
        result: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.stalled = None;
            return result;
        }
        let patience = self.patience;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(patience)));
        done!(stalled.as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(ErrorKind::TimedOut, "the other side reads nothing")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for WatchedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        done!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        match self.slot.spend_credit(buffer.filled().len() - before) {
            true => Poll::Ready(Ok(())),
            false => Poll::Ready(Err(io::Error::new(
                ErrorKind::QuotaExceeded,
                "a stranger says too much",
            ))),
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WatchedStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_takes_nothing_is_given_up_and_who_takes_a_little_is_not() {
        let (stream, mut reader) = tokio::io::duplex(10);
        let slot = Arc::new(Connections::new(1, 1).slot(None, usize::MAX).expect("there is room"));
        let mut watched =
            WatchedStream { stream, patience: Duration::from_millis(300), stalled: None, slot };
        let writing = tokio::spawn(async move { watched.write_all(&[0; 100]).await });
        for _ in 0..5 {
            sleep(Duration::from_millis(100)).await;
            reader.read_exact(&mut [0; 4]).await.expect("it is still there");
        }
        let error =
            writing.await.expect("it does not panic").expect_err("80 bytes are never taken");
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    }
}
