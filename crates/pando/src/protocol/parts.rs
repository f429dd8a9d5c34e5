//! Long frames, cut into parts and put together again.

use super::{MAX_FRAME, Malformed, PART, PARTS, put_varint};
use bytes::{BufMut, Bytes, BytesMut};

/// Cuts one long frame into parts, one at a time, so that other frames can go between.
#[derive(Debug, Default)]
pub struct Cutter {
    rest: Bytes,
    total: u64,
}

impl Cutter {
    /// Starts on `frame`; the previous one must have been sent whole.
    pub fn start(&mut self, frame: Bytes) {
        debug_assert!(self.rest.is_empty(), "one frame is cut at a time");
        self.total = frame.len() as u64;
        self.rest = frame;
    }

    /// Whether a frame has been started and not all of it has come out.
    pub fn is_busy(&self) -> bool {
        !self.rest.is_empty()
    }

    /// The next frame to send: the whole one when it is short enough, else its next part.
    pub fn next_frame(&mut self) -> Option<Bytes> {
        if self.rest.is_empty() {
            return None;
        }
        if self.total <= PART as u64 {
            return Some(std::mem::take(&mut self.rest));
        }
        let piece = self.rest.split_to(self.rest.len().min(PART));
        let mut out = BytesMut::with_capacity(piece.len() + 11);
        out.put_u8(PARTS);
        put_varint(&mut out, self.total);
        out.extend_from_slice(&piece);
        Some(out.freeze())
    }
}

/// Puts parts together again.
#[derive(Debug, Default)]
pub struct Assembler {
    buffer: BytesMut,
    total: u64,
}

impl Assembler {
    /// Bytes of the parts so far.
    pub fn length(&self) -> u64 {
        self.buffer.len() as u64
    }

    /// Takes a part; gives the whole frame with the last one.
    ///
    /// # Errors
    /// When the parts disagree about the total, or it exceeds [`MAX_FRAME`].
    pub fn part(&mut self, total: u64, bytes: &[u8]) -> Result<Option<Bytes>, Malformed> {
        if self.buffer.is_empty() {
            if total > MAX_FRAME {
                return Err(Malformed("longer than allowed"));
            }
            self.total = total;
        }
        if total != self.total || (self.buffer.len() + bytes.len()) as u64 > total {
            return Err(Malformed("parts that do not fit together"));
        }
        self.buffer.extend_from_slice(bytes);
        if (self.buffer.len() as u64) < total {
            return Ok(None);
        }
        Ok(Some(std::mem::take(&mut self.buffer).freeze()))
    }
}
