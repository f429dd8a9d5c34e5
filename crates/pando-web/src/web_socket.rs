//! WebSockets of clients that are mostly idle: each costs little memory.

use axum::{
    body::Body,
    extract::Request,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use hyper::upgrade::{Upgraded, on};
use hyper_util::rt::TokioIo;
use std::{
    io,
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        handshake::server::create_response_with_body,
        protocol::{Role, WebSocketConfig},
    },
};

/// Bytes that a WebSocket keeps for what it reads next, also while it is idle.
const KEPT: usize = 256;
/// Most bytes that are read from a connection at once.
const READ: usize = 16 << 10;

/// The server's end of a WebSocket.
pub type ServerSocket = WebSocketStream<ReadAhead<TokioIo<Upgraded>>>;

/// Accepts the `request` for a WebSocket whose messages have at most `longest` bytes: returns the
/// response, and the WebSocket, which opens after the response; it has `None` if the connection
/// ends before.
///
/// # Errors
/// When the request does not ask for a WebSocket; the response says so.
pub fn accept_web_socket(
    request: Request,
    longest: usize,
) -> Result<(Response, impl Future<Output = Option<ServerSocket>> + Send), Box<Response>> {
    let response = create_response_with_body(&request, Body::empty)
        .map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()).into_response())?;
    let config = WebSocketConfig::default()
        .read_buffer_size(KEPT)
        .write_buffer_size(16 << 10)
        .max_write_buffer_size(4 << 20)
        .max_message_size(Some(longest))
        .max_frame_size(Some(longest));
    let upgraded = on(request);
    let socket = async move {
        let stream = ReadAhead::new(TokioIo::new(upgraded.await.ok()?));
        Some(WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await)
    };
    Ok((response, socket))
}

/// A stream that reads much at once for a reader that asks for little, and holds memory only while
/// there are bytes that the reader has not asked for.
#[derive(Debug)]
pub struct ReadAhead<S> {
    stream: S,
    /// The bytes that were read at once.
    bytes: Vec<u8>,
    /// How many of them the reader has.
    taken: usize,
}

impl<S> ReadAhead<S> {
    fn new(stream: S) -> Self {
        Self { stream, bytes: Vec::new(), taken: 0 }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for ReadAhead<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { stream, bytes, taken } = self.get_mut();
        if bytes.is_empty() {
            let mut space = [const { MaybeUninit::uninit() }; READ];
            let mut read = ReadBuf::uninit(&mut space);
            ready!(Pin::new(stream).poll_read(context, &mut read))?;
            let (first, rest) = read.filled().split_at(read.filled().len().min(buffer.remaining()));
            buffer.put_slice(first);
            *bytes = rest.to_vec();
            return Poll::Ready(Ok(()));
        }
        let next = &bytes[*taken..];
        let next = &next[..next.len().min(buffer.remaining())];
        buffer.put_slice(next);
        *taken += next.len();
        if *taken == bytes.len() {
            (*bytes, *taken) = (Vec::new(), 0);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for ReadAhead<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
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
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn a_reader_that_asks_for_little_gets_every_byte_and_leaves_no_memory_behind() {
        let (stream, mut writer) = tokio::io::duplex(3 * READ);
        let mut ahead = ReadAhead::new(stream);
        let sent: Vec<u8> = (0..2 * READ + 700).map(|number| (number % 251) as u8).collect();
        writer.write_all(&sent).await.expect("there is room");
        let (mut came, mut piece) = (Vec::new(), [0; 300]);
        while came.len() < sent.len() {
            let count = ahead.read(&mut piece).await.expect("the stream is open");
            assert!(count > 0 && ahead.bytes.len() < READ);
            came.extend_from_slice(&piece[..count]);
        }
        assert_eq!(came, sent);
        assert_eq!(ahead.bytes.capacity(), 0);
        drop(writer);
        assert_eq!(ahead.read(&mut piece).await.expect("an end is no error"), 0);
    }
}
