//! A child's standard input, of which it is known how much the child has read.

use bytes::{Buf, BytesMut};
use tokio::{io::AsyncWriteExt, process::ChildStdin};

/// See the module.
pub(super) struct Pipe {
    /// None once it is closed.
    input: Option<ChildStdin>,
    /// What is still to be written.
    outgoing: BytesMut,
    /// Bytes that have been written.
    written: u64,
}

impl Pipe {
    /// To a child that waits for an empty line, where children do.
    pub(super) fn new(input: ChildStdin) -> Self {
        let outgoing = if cfg!(unix) { BytesMut::from("\n") } else { BytesMut::new() };
        Self { input: Some(input), outgoing, written: 0 }
    }

    /// Whether it has not been closed from here.
    pub(super) fn is_open(&self) -> bool {
        self.input.is_some()
    }

    /// Lets the child read to the end.
    pub(super) fn close(&mut self) {
        self.input = None;
        self.outgoing.clear();
    }

    /// Adds a line; gives at which byte of all that is written it begins.
    pub(super) fn push(&mut self, value: &[u8], separator: u8) -> u64 {
        let start = self.written + self.outgoing.len() as u64;
        self.outgoing.extend_from_slice(value);
        self.outgoing.extend_from_slice(&[separator]);
        start
    }

    /// Whether there is something to write.
    pub(super) fn has_outgoing(&self) -> bool {
        self.is_open() && self.outgoing.has_remaining()
    }

    /// Writes some of it. May be dropped: then nothing was written.
    pub(super) async fn write(&mut self) {
        let Some(input) = &mut self.input else { return };
        match input.write(&self.outgoing).await {
            Ok(count) => {
                self.outgoing.advance(count);
                self.written += count as u64;
            }
            // It reads no more: its end, or its silence, says the rest.
            Err(_) => self.outgoing.clear(),
        }
    }

    /// Bytes that the child has read; at least not more than that.
    pub(super) fn read(&self) -> u64 {
        match &self.input {
            Some(input) => unread(input).map_or(u64::MAX, |unread| self.written.saturating_sub(unread)),
            None => u64::MAX,
        }
    }
}

/// Bytes that wait in a pipe, if the system tells.
#[cfg(unix)]
pub(super) fn unread(pipe: &impl std::os::fd::AsFd) -> Option<u64> {
    rustix::io::ioctl_fionread(pipe).ok()
}

/// Bytes that wait in a pipe, if the system tells.
#[cfg(not(unix))]
pub(super) fn unread<P>(_: &P) -> Option<u64> {
    None
}
