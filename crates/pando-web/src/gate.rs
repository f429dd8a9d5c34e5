//! Connections as they are accepted: counted, kept awake, and ended when the other side takes nothing any more.

use super::{Connections, HEADERS_LENGTH, Seat};
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

/// A connection whose other side takes no byte for this long is ended.
const STALLED: Duration = Duration::from_secs(60);
/// An idle connection is asked for a sign of life after this long, …
const IDLE: Duration = Duration::from_secs(30);
/// … and then this often, three times.
const PROBE: Duration = Duration::from_secs(10);
/// Time between two words about refused connections.
const REFUSALS: Duration = Duration::from_secs(60);
/// First byte of a connection that speaks TLS: a handshake's record.
const HANDSHAKE: u8 = 0x16;
/// What is answered to plain HTTP where TLS is spoken.
const SPEAKS_TLS: &str = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n\
    This port speaks https: use the same address with https:// in place of http://.\n";

/// Hears of connections that are not taken.
type Tell = dyn Fn(&Refusal) + Send + Sync;

/// Gives each connection its place; one that finds none is closed at once.
#[derive(Clone)]
pub struct Gate {
    connections: Arc<Connections>,
    /// Whose connections count for it: those of a proxy do not.
    counts: fn(IpAddr) -> bool,
    /// Bytes that may come before the other side has introduced itself.
    credit: usize,
    /// Told of connections that were not taken, now and then.
    refused: Option<Arc<Tell>>,
    /// When it was last: of those that the system does not give, and of the others.
    told: Arc<Mutex<[Option<Instant>; 2]>>,
}

/// A connection that is not taken, and why.
#[derive(Debug)]
pub enum Refusal<'a> {
    /// There are as many as there may be, and this is where it came from.
    Full(IpAddr),
    /// There are as many as fit into the files that this process may have.
    Files(IpAddr),
    /// This address has as many as one may have.
    Address(IpAddr),
    /// The system does not give it.
    Failed(&'a io::Error),
}

impl Gate {
    /// Counts, for their addresses, the connections of those whom `counts` names.
    pub fn new(connections: Arc<Connections>, counts: fn(IpAddr) -> bool) -> Self {
        Self { connections, counts, credit: usize::MAX, refused: None, told: Arc::default() }
    }

    /// Ends connections that say more than `credit` bytes before [`Seat::is_known`].
    pub fn credit(self, credit: usize) -> Self {
        Self { credit, ..self }
    }

    /// Tells `refused` of connections that are not taken: of one a minute of either kind.
    pub fn telling(self, refused: impl Fn(&Refusal) + Send + Sync + 'static) -> Self {
        Self { refused: Some(Arc::new(refused)), ..self }
    }

    pub(crate) fn tell(&self, refusal: &Refusal) {
        let Some(refused) = &self.refused else { return };
        let told = &mut self.told.lock().expect("nobody panics with it")[usize::from(matches!(refusal, Refusal::Failed(_)))];
        if told.is_none_or(|told| told.elapsed() >= REFUSALS) {
            *told = Some(Instant::now());
            refused(refusal);
        }
    }

    /// Gives `stream` its place, if there is one.
    pub(crate) fn admit(&self, stream: TcpStream) -> io::Result<Watched<TcpStream>> {
        let seat = Arc::new(self.seat(&stream)?);
        Ok(Watched { stream, patience: STALLED, stalled: None, seat })
    }

    fn seat(&self, stream: &TcpStream) -> io::Result<Seat> {
        let peer = stream.peer_addr()?.ip().to_canonical();
        let seat = self.connections.seat(Some(peer).filter(|peer| (self.counts)(*peer)), self.credit);
        let seat = seat.ok_or_else(|| {
            self.tell(&match &self.connections {
                all if all.fill_files() => Refusal::Files(peer),
                all if all.is_full() => Refusal::Full(peer),
                _ => Refusal::Address(peer),
            });
            io::Error::new(ErrorKind::QuotaExceeded, "too many connections")
        })?;
        keep_awake(stream)?;
        Ok(seat)
    }
}

/// Waits for the first byte; who speaks plain HTTP is told, and an error ends its connection.
pub(crate) async fn speaks_tls(watched: &mut Watched<TcpStream>) -> io::Result<()> {
    let stream = &mut watched.stream;
    let mut first = [0];
    if stream.peek(&mut first).await? == 0 || first[0] == HANDSHAKE {
        return Ok(());
    }
    if first[0].is_ascii_uppercase() {
        // Read to its end: a connection that closes with bytes unread takes the answer with it.
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") && request.len() < HEADERS_LENGTH && stream.read_buf(&mut request).await? > 0 {}
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

/// A stream that fails when a write has waited for too long, or when a stranger says too much.
#[derive(Debug)]
pub(crate) struct Watched<S> {
    stream: S,
    patience: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
    seat: Arc<Seat>,
}

impl<S> Watched<S> {
    /// The connection's place.
    pub(crate) fn seat(&self) -> Arc<Seat> {
        self.seat.clone()
    }

    fn watch<T>(&mut self, context: &mut Context<'_>, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.stalled = None;
            return result;
        }
        let patience = self.patience;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(patience)));
        done!(stalled.as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(ErrorKind::TimedOut, "the other side takes nothing")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        done!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        match self.seat.takes(buffer.filled().len() - before) {
            true => Poll::Ready(Ok(())),
            false => Poll::Ready(Err(io::Error::new(ErrorKind::QuotaExceeded, "a stranger says too much"))),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_takes_nothing_is_given_up_and_who_takes_a_little_is_not() {
        let (stream, mut reader) = tokio::io::duplex(10);
        let seat = Arc::new(Connections::new(1, 1).seat(None, usize::MAX).expect("there is room"));
        let mut watched = Watched { stream, patience: Duration::from_millis(300), stalled: None, seat };
        let writing = tokio::spawn(async move { watched.write_all(&[0; 100]).await });
        for _ in 0..5 {
            sleep(Duration::from_millis(100)).await;
            reader.read_exact(&mut [0; 4]).await.expect("it is still there");
        }
        let error = writing.await.expect("it does not panic").expect_err("80 bytes are never taken");
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    }
}
