//! A child's standard input, which knows how much the child has read.

use bytes::{Buf, BytesMut};
use tokio::{io::AsyncWriteExt, process::ChildStdin};

/// The input of a child; see the module.
pub(super) struct Pipe {
    /// The child's standard input, until it is closed.
    input: Option<ChildStdin>,
    /// Bytes still to be written.
    outgoing: BytesMut,
    /// The number of bytes written.
    written: u64,
}

impl Pipe {
    /// The pipe to a new child. On Unix, the child waits for an empty line.
    pub(super) fn new(input: ChildStdin) -> Self {
        let outgoing = if cfg!(unix) { BytesMut::from("\n") } else { BytesMut::new() };
        Self { input: Some(input), outgoing, written: 0 }
    }

    /// Whether this process has not closed the pipe.
    pub(super) fn is_open(&self) -> bool {
        self.input.is_some()
    }

    /// Closes the pipe, so that the child reads the end of its input.
    pub(super) fn close(&mut self) {
        self.input = None;
        self.outgoing.clear();
    }

    /// Adds a line; returns its position among all bytes written to the child.
    pub(super) fn push(&mut self, value: &[u8], separator: u8) -> u64 {
        let start = self.written + self.outgoing.len() as u64;
        self.outgoing.extend_from_slice(value);
        self.outgoing.extend_from_slice(&[separator]);
        start
    }

    /// Whether there are bytes to write.
    pub(super) fn has_outgoing(&self) -> bool {
        self.is_open() && self.outgoing.has_remaining()
    }

    /// Writes some bytes. If the future is dropped, nothing was written.
    pub(super) async fn write(&mut self) {
        let Some(input) = &mut self.input else { return };
        match input.write(&self.outgoing).await {
            Ok(count) => {
                self.outgoing.advance(count);
                self.written += count as u64;
            }
            // The child reads no more. An end or a timeout of the child will settle the values.
            Err(_) => self.outgoing.clear(),
        }
    }

    /// The number of bytes read by the child, or an upper bound.
    pub(super) fn read(&self) -> u64 {
        match &self.input {
            Some(input) => {
                unread(input).map_or(u64::MAX, |unread| self.written.saturating_sub(unread))
            }
            None => u64::MAX,
        }
    }
}

/// The number of unread bytes in a pipe, if the system reports it.
#[cfg(unix)]
pub(super) fn unread(pipe: &impl std::os::fd::AsFd) -> Option<u64> {
    rustix::io::ioctl_fionread(pipe).ok()
}

/// The number of unread bytes in a pipe, if the system reports it.
#[cfg(not(unix))]
pub(super) fn unread<P>(_: &P) -> Option<u64> {
    None
}
