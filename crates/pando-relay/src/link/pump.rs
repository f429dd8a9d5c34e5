//! One direction of a link.

use super::frames::{BrokenFrame, Frames};
use crate::{handles::Raw, traffic::Traffic};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf},
    time::timeout,
};

/// First and greatest size of a buffer, in bytes. A buffer grows when one read fills it.
const BUFFER: (usize, usize) = (2 << 10, 64 << 10);
/// A buffer shrinks after this many small reads in a row.
const SMALL_READS: u32 = 16;
/// The cost of a frame besides its bytes.
const FRAME: usize = 32;
/// How long the last bytes may take.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How a direction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PumpEnd {
    /// A closing frame was passed on.
    Closed,
    /// The sender is gone.
    Gone,
    /// The receiver is gone.
    Untaken,
    /// The sender's bytes break the protocol.
    BrokenFrame(BrokenFrame),
}

impl PumpEnd {
    /// Whether the other direction may have something to finish: the answer to a closing frame, or
    /// bytes that the receiver sent before it went.
    pub(super) fn is_half(self) -> bool {
        matches!(self, Self::Closed | Self::Untaken)
    }
}

/// One direction of a link.
pub(super) struct Pump {
    from: ReadHalf<Raw>,
    to: WriteHalf<Raw>,
    frames: Frames,
    /// Whether all frames passed on are complete, so that another frame may follow.
    is_clean: bool,
}

impl Pump {
    pub(super) fn new(from: ReadHalf<Raw>, to: WriteHalf<Raw>) -> Self {
        Self { from, to, frames: Frames::default(), is_clean: true }
    }

    /// Passes frames on until the direction ends.
    pub(super) async fn run(&mut self, traffic: &Traffic) -> PumpEnd {
        match self.pass(traffic).await {
            Ok(()) => PumpEnd::Closed,
            Err(end) => end,
        }
    }

    async fn pass(&mut self, traffic: &Traffic) -> Result<(), PumpEnd> {
        let mut buffer = vec![0; BUFFER.0];
        let (mut filled, mut small_reads) = (0, 0);
        while !self.frames.is_closed() {
            let read = self.from.read(&mut buffer[filled..]).await.unwrap_or(0);
            if read == 0 {
                return Err(PumpEnd::Gone);
            }
            filled += read;
            let translated =
                self.frames.translate(&mut buffer[..filled]).map_err(PumpEnd::BrokenFrame)?;
            traffic.pass(translated.out + FRAME * translated.frames).await;
            self.is_clean = false;
            self.to.write_all(&buffer[..translated.out]).await.map_err(|_| PumpEnd::Untaken)?;
            self.to.flush().await.map_err(|_| PumpEnd::Untaken)?;
            self.is_clean = self.frames.is_between();
            let was_full = filled == buffer.len();
            buffer.copy_within(filled - translated.rest..filled, 0);
            filled = translated.rest;
            small_reads = if read < BUFFER.0 / 2 { small_reads + 1 } else { 0 };
            if was_full && buffer.len() < BUFFER.1 {
                buffer.resize((4 * buffer.len()).min(BUFFER.1), 0);
            } else if small_reads >= SMALL_READS && buffer.len() > BUFFER.0 {
                buffer.truncate(BUFFER.0);
                buffer.shrink_to_fit();
            }
        }
        Ok(())
    }

    /// Closes the receiver's end of this direction. Sends a closing frame with `code`, unless one
    /// was passed on or a frame is incomplete.
    pub(super) async fn close(&mut self, code: u16) {
        let code = Some(code).filter(|_| self.is_clean && !self.frames.is_closed());
        farewell(&mut self.to, code).await;
    }

    /// Reads remaining bytes for a moment, because closing a connection with unread bytes would
    /// discard the last bytes sent.
    pub(super) async fn linger(mut self) {
        let mut rest = [0; 1024];
        let _ = timeout(LAST_WORDS, async {
            while self.from.read(&mut rest).await.is_ok_and(|read| read > 0) {}
        })
        .await;
    }
}

/// Sends a closing frame, if there is a `code`, and ends the connection.
pub(super) async fn farewell(to: &mut WriteHalf<Raw>, code: Option<u16>) {
    let say = async {
        if let Some(code) = code {
            let [high, low] = code.to_be_bytes();
            to.write_all(&[0x88, 2, high, low]).await?;
        }
        to.shutdown().await
    };
    let _ = timeout(LAST_WORDS, say).await;
}
