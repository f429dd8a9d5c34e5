//! Cutting long frames into parts, and joining the parts again.

use super::{MAX_FRAME, Malformed, PART, PARTS, put_varint};
use bytes::{BufMut, Bytes, BytesMut};

/// Cuts a long frame into parts, one at a time, so that other frames can go between.
#[derive(Debug, Default)]
pub struct Cutter {
    rest: Bytes,
    total: u64,
}

impl Cutter {
    /// Starts on `frame`; the previous frame must have been sent whole.
    pub fn start(&mut self, frame: Bytes) {
        debug_assert!(self.rest.is_empty(), "one frame is cut at a time");
        self.total = frame.len() as u64;
        self.rest = frame;
    }

    /// Whether a frame has been started and still has parts to send.
    pub fn is_busy(&self) -> bool {
        !self.rest.is_empty()
    }

    /// The next frame to send: a short frame as a whole, a long frame part by part.
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

/// Joins the parts of a long frame.
#[derive(Debug, Default)]
pub struct Assembler {
    buffer: BytesMut,
    /// Bytes of the parts received so far, also of a frame that is dropped.
    length: u64,
    total: u64,
    dropped: bool,
}

impl Assembler {
    /// Bytes kept of the parts received so far.
    pub fn length(&self) -> u64 {
        self.buffer.len() as u64
    }

    /// Drops the frame whose parts are arriving: the parts so far and the parts to come.
    pub fn drop_frame(&mut self) {
        self.dropped = self.length > 0;
        self.buffer = BytesMut::new();
    }

    /// Takes a part; returns the whole frame with its last part, unless the frame is dropped.
    ///
    /// # Errors
    /// When the parts disagree about the total, or the total exceeds [`MAX_FRAME`].
    pub fn part(&mut self, total: u64, bytes: &[u8]) -> Result<Option<Bytes>, Malformed> {
        if self.length == 0 {
            if total > MAX_FRAME {
                return Err(Malformed("longer than allowed"));
            }
            self.total = total;
        }
        if total != self.total || self.length + bytes.len() as u64 > total {
            return Err(Malformed("parts that do not fit together"));
        }
        self.length += bytes.len() as u64;
        if !self.dropped {
            self.buffer.extend_from_slice(bytes);
        }
        if self.length < total {
            return Ok(None);
        }
        self.length = 0;
        if std::mem::take(&mut self.dropped) {
            return Ok(None);
        }
        Ok(Some(std::mem::take(&mut self.buffer).freeze()))
    }
}
